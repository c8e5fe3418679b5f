//! A meter on a link, and what is known of it there.

use std::time::Duration;

use tokio::time::Instant;

use super::breaker::Breaker;
use super::payload::Scan;
use super::plan::{self, Block, PlanError};
use super::plausible::{self, Verdict};
use super::scan::Outcome;
use super::status::{SlaveState, SlaveStatus};
use super::timing;
use crate::model::meter::{Input, Meter, Profile};
use crate::model::registry::Registry;
use crate::model::time::UtcMs;

/// A slave.
pub struct Slave {
    /// The meter.
    pub meter: Meter,
    /// How it is read.
    pub profile: Profile,
    /// Its address.
    pub unit: u8,
    /// What is asked for: as planned, with what was refused split.
    pub blocks: Vec<Block>,
    planned: Vec<Block>,
    /// How long it is left alone.
    pub breaker: Breaker,
    /// The connection in which its values were last checked.
    checked_in: u64,
    hint: Option<String>,
    last_ok: Option<Instant>,
}

/// What of a scan is worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It answers again after a pause.
    Back,
    /// It has not answered several times.
    Gone,
}

impl Slave {
    /// The slaves of a link, in the order of the registry.
    ///
    /// # Errors
    /// A profile has a register that no request can read.
    pub fn all_on(link: &str, registry: &Registry) -> Result<Vec<Slave>, PlanError> {
        let mut slaves = Vec::new();
        for (meter, profile) in timing::meters_on(link, registry) {
            let Input::Modbus { unit, .. } = meter.input else { continue };
            let planned = plan::plan(profile)?;
            slaves.push(Slave {
                meter: meter.clone(),
                profile: profile.clone(),
                unit,
                blocks: planned.clone(),
                planned,
                breaker: Breaker::default(),
                checked_in: 0,
                hint: None,
                last_ok: None,
            });
        }
        Ok(slaves)
    }

    /// How often it is to be read.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_millis(u64::from(self.meter.period_ms.max(1)))
    }

    /// Its status before it was asked for the first time.
    #[must_use]
    pub fn status(&self) -> SlaveStatus {
        SlaveStatus {
            unit: self.unit,
            meter: self.meter.id.to_string(),
            period_ms: self.meter.period_ms,
            ..SlaveStatus::default()
        }
    }

    /// Takes note of a scan in which it said something.
    pub fn answered(&mut self) -> Option<Turn> {
        let was_pausing = self.breaker.is_pausing();
        self.breaker.answered();
        if was_pausing {
            // It may be another device by now.
            self.blocks.clone_from(&self.planned);
        }
        was_pausing.then_some(Turn::Back)
    }

    /// Takes note of a scan in which it did not; also says for how long it is left alone.
    pub fn failed(&mut self, pause_max: Duration) -> (Duration, Option<Turn>) {
        let was_pausing = self.breaker.is_pausing();
        let pause = self.breaker.failed(self.period(), pause_max);
        let gone = self.breaker.is_pausing() && !was_pausing;
        (pause, gone.then_some(Turn::Gone))
    }

    /// Looks at its values once a connection, and as long as they make no sense. True if that is new.
    pub fn check(&mut self, connection: u64, payload: &[u8]) -> bool {
        if self.checked_in == connection && self.hint.is_none() {
            return false;
        }
        self.checked_in = connection;
        let verdict = Scan::open(payload).map(|scan| plausible::check(&self.profile, &self.meter, &scan));
        let hint = match verdict {
            Err(_) | Ok(Verdict::Unjudged) => return false,
            Ok(Verdict::Plausible) => None,
            Ok(Verdict::Implausible { what, other_order: true }) => {
                Some(format!("{what}; it would make sense in the other word order: check profile and meter"))
            }
            Ok(Verdict::Implausible { what, other_order: false }) => {
                Some(format!("{what}; check the profile and the slave's address"))
            }
        };
        let was = std::mem::replace(&mut self.hint, hint);
        self.hint.is_some() && was.is_none()
    }

    /// What may be wrong with its configuration.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Puts a scan into its status.
    pub fn report(&mut self, status: &mut SlaveStatus, outcome: &Outcome, error: Option<String>, at: UtcMs) {
        status.state = match (outcome.answered, self.breaker.is_pausing()) {
            (true, _) if self.hint.is_some() => SlaveState::Implausible,
            (true, _) => SlaveState::Ok,
            (false, true) => SlaveState::Paused,
            (false, false) => SlaveState::Failing,
        };
        status.timeouts += u64::from(outcome.timeouts);
        status.garbled += u64::from(outcome.garbled);
        status.exceptions += u64::from(outcome.exceptions);
        status.hint.clone_from(&self.hint);
        if error.is_some() {
            status.last_error = error;
        }
        if !outcome.registers.is_empty() {
            status.scans += 1;
            status.last_ok = Some(at);
            let now = Instant::now();
            if let Some(last) = self.last_ok.replace(now) {
                let interval = now.duration_since(last).as_millis();
                status.interval_ms = Some(u32::try_from(interval).unwrap_or(u32::MAX));
            }
        }
    }
}
