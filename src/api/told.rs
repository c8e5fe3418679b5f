//! What somebody tells the daemon over its socket, and who it is.

use serde::{Deserialize, Serialize};

/// What is told, by whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told<T> {
    /// Who says so. The user id the kernel gives is put beside it.
    pub who: String,
    /// What.
    pub what: T,
}
