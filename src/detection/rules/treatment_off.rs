//! R1 `treatment_off`: production certainly on and treatment certainly failed, without a break.
//!
//! Warning after `raise_ms`, alarm after `alarm_ms`, critical after `critical_ms` or when it is more than half of the
//! day's production; all in certain time. Cleared after `clear_ms` of certainly not. Source: rule catalogue, R1.
//!
//! At night (R15 a) it is raised after `night_raise` of certain time in the night, if that is sooner, and what it rises to
//! in the night is one level higher: from when the alert has held in the night for that long in all, and only while it
//! holds there. So an alert of the afternoon rises soon after nightfall, one that comes into its second night at
//! nightfall, and what it reaches by day it reaches as by day. Source: rule catalogue, R15; how day and night meet is ours.

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::day::Day;
use super::scene::{Piece, Scene};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::Tally;
use crate::detection::debounce::{Limits, OnUnknown, Transition, Truth};
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;

/// State of the rule for one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreatmentOff {
    /// The condition.
    pub case: Case,
    day: Day,
    /// What of the certain time of the condition lies in the night, ms.
    night_ms: i64,
}

impl Default for TreatmentOff {
    fn default() -> Self {
        TreatmentOff { case: Case::default(), day: Day::OVER, night_ms: 0 }
    }
}

/// Level from a certain time on, in order.
type Steps = [(i64, Level); 5];

impl TreatmentOff {
    /// The condition was `holds` in a piece of time.
    pub fn stretch(
        &mut self,
        piece: &Piece,
        holds: Truth,
        scene: &Scene<'_>,
        out: &mut impl FnMut(Transition, &[Tally], Option<Figure>),
    ) {
        self.day.roll(piece.day_ends);
        let off = holds == Truth::Yes;
        if self.case.is_idle(holds) {
            if scene.production == Truth::Yes {
                self.day.add(piece.length_ms(), false);
            }
            return;
        }
        let is_on = scene.is_on(Rule::TreatmentOff);
        let by_day_ms = self.case.certain_ms() - self.night_ms;
        let (raise_ms, level, steps) = self.steps(piece.is_night, scene);
        let limits = Limits {
            raise_ms,
            clear_ms: i64::from(scene.rules().clear_ms),
            level,
            steps: &steps,
            on_unknown: OnUnknown::Restart,
        };
        let mut t = piece.from;
        while t < piece.to {
            let next = self.next_cut(t, piece.to, off, raise_ms);
            if scene.production == Truth::Yes {
                self.day.add(next.since(t), off);
            }
            let (is_night, night_ms) = (piece.is_night, self.night_ms);
            let mut say = |x: Transition, tallies: &[Tally]| {
                let share = |certain_ms| {
                    night_share(certain_ms, if is_night { certain_ms - by_day_ms } else { night_ms })
                };
                let figure = match &x {
                    Transition::Raised(_, open)
                    | Transition::Escalated(_, open)
                    | Transition::Cleared(_, open) => share(open.certain_ms),
                    Transition::Dropped { .. } => None,
                };
                out(x, tallies, figure);
            };
            self.case.stretch((t, next), holds, (&limits, is_on), scene.members, &mut say);
            if off && self.day.mostly_off() {
                self.case.escalate(next, scene.worth(Level::Critical), is_on, &mut say);
            }
            if off && piece.is_night {
                self.night_ms += next.since(t);
            }
            t = next;
        }
        if self.case.is_quiet() {
            self.night_ms = 0;
        }
    }

    /// After how long it is raised and how grave it is then, and what it rises to from when on, all in certain time.
    ///
    /// The certain time by day does not grow in the night, so what night adds is a step of certain time too.
    fn steps(&self, is_night: bool, scene: &Scene<'_>) -> (i64, Level, Steps) {
        let rules = scene.rules();
        let (raise_ms, alarm_ms) = (i64::from(rules.raise_ms), i64::from(rules.alarm_ms));
        let mut steps = [(i64::MAX, Level::Notice); 5];
        steps[0] = (alarm_ms, Level::Alarm);
        steps[1] = (i64::from(rules.critical_ms), Level::Critical);
        let mut raised = (raise_ms, Level::Warning);
        if is_night {
            let by_day_ms = self.case.certain_ms() - self.night_ms;
            let at_night_ms = by_day_ms + scene.ms(Param::NightRaise).min(raise_ms);
            steps[2] = (at_night_ms, Level::Warning.up());
            steps[3] = (at_night_ms.max(alarm_ms), Level::Alarm.up());
            if at_night_ms <= raise_ms {
                raised = (at_night_ms, Level::Warning.up());
            }
        }
        for step in &mut steps {
            step.1 = scene.worth(step.1);
        }
        // Of two at one moment the graver is told alone.
        steps.sort_unstable_by_key(|(ms, level)| (*ms, std::cmp::Reverse(*level)));
        (raised.0, scene.worth(raised.1), steps)
    }

    /// The stretch is cut where something may happen that depends on the day, so that figures are exact there.
    fn next_cut(&self, t: UtcMs, to: UtcMs, off: bool, raise_ms: i64) -> UtcMs {
        let mut next = to;
        if off {
            let raised = t.plus(raise_ms - self.case.certain_ms());
            for cut in [raised, self.day.mostly_off_at(t)] {
                if cut > t && cut < next {
                    next = cut;
                }
            }
        }
        next
    }
}

/// Share of the night in the certain time, where there is any.
#[expect(clippy::cast_precision_loss, reason = "a share of milliseconds, far below 2^52")]
fn night_share(certain_ms: i64, night_ms: i64) -> Option<Figure> {
    (night_ms > 0 && certain_ms > 0).then(|| Figure::new(Fact::Night, night_ms as f64 / certain_ms as f64))
}
