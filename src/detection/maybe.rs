//! Numbers that may not be there, in the room of a number. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! maybe {
    ($name:ident $number:ident $says:literal) => {
        #[doc = $says]
        #[derive(Clone, Copy, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub(super) $number);

        impl $name {
            /// No value.
            pub const NONE: $name = $name($number::NAN);

            /// The value.
            #[must_use]
            pub fn get(self) -> Option<$number> {
                (!self.0.is_nan()).then_some(self.0)
            }
        }

        impl From<Option<$number>> for $name {
            fn from(value: Option<$number>) -> $name {
                $name(value.unwrap_or($number::NAN))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &$name) -> bool {
                self.get() == other.get()
            }
        }

        impl Default for $name {
            fn default() -> $name {
                $name::NONE
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.get().fmt(f)
            }
        }
    };
}

maybe! { Maybe f64 "A value that may not be there: not a number then, which no reading holds. Half of what an option takes." }
maybe! { Maybe32 f32 "The same with half the digits." }
