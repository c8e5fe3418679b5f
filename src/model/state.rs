//! Unit states, the words.

use serde::{Deserialize, Serialize};

/// What a unit does.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// At or above its running threshold.
    Running,
    /// Powered, not loaded.
    Idle,
    /// Not powered.
    Off,
    /// Cannot be told.
    Unknown,
}

impl State {
    /// Every state.
    pub const ALL: [State; 4] = [State::Running, State::Idle, State::Off, State::Unknown];

    /// The word in API, tags and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Idle => "idle",
            State::Off => "off",
            State::Unknown => "unknown",
        }
    }
}
