//! The Modbus source: one task a link, which reads each meter by its period and journals the registers as they came.
//!
//! *In*: registers, by function codes 3 and 4 and by nothing else. *Out*: one message a meter a scan, raw ([`payload`]);
//! [`decode`] makes readings of it once the journal has it, so that a wrong profile can be put right afterwards.
//! *State*: [`link::run`] owns the bus, the schedule and the breakers of its meters; others see
//! [`status::LinkStatus`]. Pure: [`plan`], [`timing`], [`schedule`], [`breaker`], [`value`], [`payload`], [`decode`],
//! [`plausible`]. Never done here: writing to a meter, filling in for what did not answer, changing a value that
//! looks wrong.

pub mod asked;
pub mod breaker;
pub mod bus;
pub mod decode;
pub mod link;
pub mod payload;
pub mod plan;
pub mod plausible;
pub mod probe;
pub mod scan;
pub mod schedule;
pub mod slave;
pub mod status;
pub mod timing;
pub mod value;
