//! The form of everything of the engine that is saved: the snapshot, and states of sites.

/// Raised when anything that is saved changes its form. The form does not describe itself: one of another program might
/// be read without an error, and wrongly.
pub(super) const LAYOUT: i64 = 7;

/// Under this name the layout lies beside the snapshot.
pub(super) const LAYOUT_KEY: &str = "snapshot_layout";
