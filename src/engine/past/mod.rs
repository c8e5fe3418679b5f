//! The past: a late reading changes what was judged long ago, so its site is judged again from before it was measured.
//!
//! Live judging leaves a trail: the state of a site at the `marks` it passes (`advance`, `keep`), and each configuration
//! that was in force (`version`). A reading that comes behind what its site was judged to is noted (`late`). Once no more
//! of them come for a while, the site is taken back to the last mark before the first of them and judged on from there by
//! what history holds, an hour at a time (`rejudge`), until it is where live judging is; then it takes that one's place.
//! At each tick only so much of this is done as live readings leave room for (`pace`).
//!
//! What comes out depends on the readings alone: not on how they came, on how the work was cut, or on restarts.

pub mod advance;
pub mod keep;
pub mod late;
pub mod marks;
pub mod pace;
pub mod rejudge;
pub mod version;
