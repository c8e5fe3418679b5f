//! The rules about meters, one a file: whether what a meter says can be what it measured. Judged reading by reading, in
//! order of measuring time, at exact moments; never from ticks.
//!
//! A condition a reading shows holds from it to the next reading of the meter that shows the same, if that comes within the
//! gap after which a unit is unknown. Between readings that differ, and over silence, nothing is certain: such time neither
//! builds up nor clears. A rule that is off says nothing; what is open of it goes on until it is certainly over.

pub mod arrivals;
pub mod bypass;
pub mod clock;
pub mod counter;
pub mod export;
pub mod frozen;
pub mod judge;
pub mod limits;
pub mod meter;
pub mod mismatch;
pub mod pair;
pub mod phases;
pub mod power_cut;
pub mod register;
pub mod restart;
pub mod told;
pub mod wiring;
