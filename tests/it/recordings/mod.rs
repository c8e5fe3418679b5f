//! Whether detection is right: recordings of real plants, judged by the real engine. They lie beside the project, never in
//! it, and what needs them says loudly that it was skipped where they are missing.

mod feed_plant;
mod grid;
mod learned;
mod naive;
mod printing_plant;
mod recording;
mod replayed;
mod score;
mod thinned;
mod thinning;
