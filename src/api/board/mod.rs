//! What is going on at all sites, in memory: pages and lists are answered from it in a millisecond, however large the city.
//!
//! *In*: the store, followed by [`follow`]. *Out*: a [`plant::Board`] whoever asks looks at, and [`news`] for whoever listens.
//! *State*: a copy of what the store says, a moment behind it; gone with the process.

pub mod follow;
pub mod news;
pub mod plant;
