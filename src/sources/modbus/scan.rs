//! One meter, read once: its blocks back to back, so that power and energy belong together.

use std::time::Duration;

use tokio::time::Instant;

use super::bus::{Bus, RequestError};
use super::payload::Builder;
use super::plan::{self, Block};
use crate::model::meter::Profile;

/// The exception by which a meter refuses registers it does not have.
const ILLEGAL_ADDRESS: u8 = 2;

/// Exceptions by which a gateway says that the meter behind it does not answer.
const GATEWAY_SILENT: [u8; 2] = [10, 11];

/// What a scan brought.
#[derive(Debug)]
pub struct Outcome {
    /// The registers that came.
    pub registers: Builder,
    /// Whether the slave said anything at all, be it no.
    pub answered: bool,
    /// From the first request to the last answer.
    pub took: Duration,
    /// Requests without an answer in time.
    pub timeouts: u32,
    /// Answers that could not be taken.
    pub garbled: u32,
    /// Times the meter said no.
    pub exceptions: u32,
    /// The last thing that went wrong.
    pub error: Option<RequestError>,
    /// A block that was refused and split, if one was.
    pub split: Option<Block>,
}

impl Outcome {
    fn count(&mut self, error: RequestError) {
        match &error {
            RequestError::Timeout { .. } => self.timeouts += 1,
            RequestError::Garbled { .. } => self.garbled += 1,
            RequestError::Exception { .. } => self.exceptions += 1,
            RequestError::Connect { .. } | RequestError::Broken { .. } => {}
        }
        self.error = Some(error);
    }
}

/// Reads `blocks` of slave `unit`. A block that the meter refuses for its addresses is split, in `blocks` too, so that
/// the next scan knows. What the meter says no to is left out; where it falls silent, the rest is left.
pub async fn scan(
    bus: &mut Bus,
    unit: u8,
    profile: &Profile,
    blocks: &mut Vec<Block>,
    retries: u8,
    rest: Duration,
) -> Outcome {
    let begun = Instant::now();
    let mut outcome = Outcome {
        registers: Builder::new(unit),
        answered: false,
        took: Duration::ZERO,
        timeouts: 0,
        garbled: 0,
        exceptions: 0,
        error: None,
        split: None,
    };
    let mut next = 0;
    while let Some(block) = blocks.get(next).copied() {
        match insist(bus, unit, block, (retries, rest), &mut outcome).await {
            Answer::Words(words) => {
                outcome.answered = true;
                outcome.took = begun.elapsed();
                outcome.registers.push(block.table, block.address, &words);
                next += 1;
            }
            Answer::Refused(code) => {
                outcome.answered = true;
                let parts = (code == ILLEGAL_ADDRESS).then(|| plan::split(profile, block)).flatten();
                match parts {
                    Some(parts) => {
                        outcome.split = Some(block);
                        blocks.splice(next..=next, parts);
                    }
                    None => next += 1,
                }
            }
            Answer::Silence => {
                // What was not answered comes first next time: an answer that comes even then is the right one.
                blocks.rotate_left(next);
                break;
            }
        }
    }
    outcome
}

/// How a block was answered in the end.
enum Answer {
    Words(Vec<u16>),
    Refused(u8),
    Silence,
}

/// Asks for one block, and again where nothing usable came.
async fn insist(
    bus: &mut Bus,
    unit: u8,
    block: Block,
    (retries, rest): (u8, Duration),
    outcome: &mut Outcome,
) -> Answer {
    for _ in 0..=retries {
        let error = match bus.read(unit, block, rest).await {
            Ok(words) => return Answer::Words(words),
            Err(error) => error,
        };
        let end = match &error {
            RequestError::Exception { code } if GATEWAY_SILENT.contains(code) => Some(Answer::Silence),
            RequestError::Exception { code } => Some(Answer::Refused(*code)),
            RequestError::Connect { .. } => Some(Answer::Silence),
            RequestError::Timeout { .. } | RequestError::Garbled { .. } | RequestError::Broken { .. } => None,
        };
        outcome.count(error);
        if let Some(end) = end {
            return end;
        }
    }
    Answer::Silence
}
