//! The units of a process, and what is known of its production and treatment from them.

use serde::{Deserialize, Serialize};

use crate::detection::debounce::Truth;
use crate::detection::sample::Known;
use crate::model::site::{Process, Site};
use crate::model::state::State;

/// A unit of a process, as the rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Index into the site's points.
    pub point: u16,
    /// Its state at the time the process is judged to.
    pub state: State,
    /// Its last sample up to that time.
    pub latest: Option<Known>,
}

impl Member {
    /// Its power now, W; `None` where that is not known, or below zero beyond the noise of its meter.
    #[must_use]
    pub fn power_w(&self, site: &Site) -> Option<f64> {
        if self.state == State::Unknown {
            return None;
        }
        let power_w = self.latest.as_ref()?.power_w.get()?;
        let noise_w = site.points.get(usize::from(self.point))?.thresholds.off_below_w;
        (power_w >= -noise_w).then_some(power_w.max(0.0))
    }
}

/// The member that is this point.
#[must_use]
pub fn find(members: &[Member], point: u16) -> Option<&Member> {
    members.iter().find(|m| m.point == point)
}

fn state_of(members: &[Member], point: u16) -> State {
    find(members, point).map_or(State::Unknown, |m| m.state)
}

/// Production runs if any of its points runs; certainly not only if all of them certainly do not.
#[must_use]
pub fn producing(members: &[Member], process: &Process) -> Truth {
    let mut all_known = true;
    for &point in &process.production {
        match state_of(members, point) {
            State::Running => return Truth::Yes,
            State::Unknown => all_known = false,
            State::Idle | State::Off => {}
        }
    }
    if all_known { Truth::No } else { Truth::Unknown }
}

/// Treatment has failed if in some group too few run even with every unknown one counted in its favour.
#[must_use]
pub fn treatment_failed(members: &[Member], process: &Process) -> Truth {
    let mut all_satisfied = true;
    for group in &process.treatment {
        let (mut on, mut unknown) = (0, 0);
        for &point in &group.points {
            match state_of(members, point) {
                State::Running => on += 1,
                State::Unknown => unknown += 1,
                State::Idle | State::Off => {}
            }
        }
        if on + unknown < group.need {
            return Truth::Yes;
        }
        all_satisfied &= on >= group.need;
    }
    if all_satisfied { Truth::No } else { Truth::Unknown }
}
