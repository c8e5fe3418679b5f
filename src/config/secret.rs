//! A password or token: read from a file or a systemd credential, given to the far side, shown to nobody.

use std::fmt;

/// A secret. It has no `Display` and no `Serialize`, and its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes the text as it is, without the line end that editors leave in files.
    #[must_use]
    pub fn new(text: &str) -> Secret {
        Secret(text.trim_end_matches(['\r', '\n']).into())
    }

    /// The text, for the wire and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
