//! The form of everything of the engine that is saved: the snapshot, and states of sites.

/// Raised when anything that is saved changes its form. The form does not describe itself: one of another program might
/// be read without an error, and wrongly.
pub(super) const LAYOUT: i64 = 7;

/// Under this name lies, as JSON, what became of messages by source. It moves with the cursor and does not come from the
/// snapshot, so that no figure goes back at a restart.
pub const OUTCOMES_KEY: &str = "outcomes";

/// Under this name the layout lies beside the snapshot.
pub(super) const LAYOUT_KEY: &str = "snapshot_layout";
