//! A process over time as a picture: what its units drew, what they did, and the alerts over it. Pure.
//!
//! *In*: a [`scene::Scene`], plain data. *Out*: the text of an SVG, by [`draw::svg`]: on white, for screen and paper; no
//! state is told by colour alone. *State*: none.

pub mod axis;
pub mod curve;
pub mod draw;
pub mod legend;
pub mod scene;
pub mod svg;

#[cfg(test)]
mod tests;
