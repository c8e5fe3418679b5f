//! R3 `early_stop`: treatment stopped before production, or too soon after it.
//!
//! Treatment must run on for `lag` after production has stopped; without a lag, not stop before it. Both edges lie somewhere
//! between two samples, so what counts is what is certainly missing: from the latest moment at which treatment can have
//! stopped to `lag` after the earliest at which production can have. Once more than `tolerance` of that is over, and
//! production too, it is a warning, the third within 7 days an alarm. So treatment that comes back sooner, as where a
//! standby unit takes over, is none. Cleared when treatment was no longer due: at the end of the lag, or when treatment or
//! production runs again. Both edges must be certain and everything known in between; where production ran on without
//! treatment for so long that R1 was raised, R1 says it. Source: rule catalogue, R3.

use serde::{Deserialize, Serialize};

use super::repeats::Repeats;
use super::scene::{Change, Piece, Scene, Turn};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::{self, AlertFinding};
use crate::detection::debounce::Truth;
use crate::detection::finding::Finding;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;

/// Treatment that was due and had stopped.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Missing {
    production: Change,
    treatment: Change,
    /// When it is to be told.
    due: UtcMs,
    /// When treatment is no longer due.
    until: UtcMs,
    /// Time for which it was certainly missing, ms, and up to when.
    certain_ms: i64,
    last_certain: UtcMs,
    /// Since it was told: how often within the time that was set, and how grave.
    told: Option<(usize, Level)>,
}

impl Missing {
    /// From then to then it was missing, if that is certain.
    fn count(&mut self, (from, to): (UtcMs, UtcMs), is_certain: bool) {
        let length_ms = to.since(from.max(self.last_certain));
        if is_certain && length_ms > 0 {
            self.certain_ms += length_ms;
            self.last_certain = to;
        }
    }
}

/// State of the rule for one process.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct EarlyStop {
    /// Production has certainly run since then, at the latest.
    running: Option<UtcMs>,
    /// Treatment stopped by this change after it was seen to run with production, and both have been so since.
    stopped: Option<Box<Change>>,
    /// Production stopped by this change, and treatment has certainly run since.
    ended: Option<Box<Change>>,
    missing: Option<Box<Missing>>,
    repeats: Repeats,
}

impl EarlyStop {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.missing.is_none()
    }

    /// Something changed; `is_r1` says whether R1 is open.
    pub fn turn(&mut self, turn: &Turn, is_r1: bool, scene: &Scene<'_>, out: &mut impl FnMut(Finding)) {
        let at = turn.by.edge.at;
        let (production, failed) = (turn.production.1, turn.failed.1);
        if failed == Truth::No || production == Truth::Yes {
            self.end(at, scene, out);
        }
        if failed != Truth::Yes || production != Truth::No {
            // What cannot be told for a while does not become certain later; what was told ends when it is over.
            self.missing.take_if(|m| m.told.is_none());
        }
        if turn.failed.0 != failed {
            match (turn.failed, production) {
                ((Truth::No, Truth::Yes), Truth::Yes) => {
                    let ran_with_it = self.running.is_some_and(|since| since <= turn.by.edge.after);
                    self.stopped = ran_with_it.then(|| Box::new(turn.by));
                }
                ((Truth::No, Truth::Yes), Truth::No) => {
                    let ended = self.ended.take();
                    self.miss(ended.map(|p| (*p, turn.by)), scene);
                }
                _ => (self.stopped, self.ended) = (None, None),
            }
        }
        if turn.production.0 != production {
            self.running = (production == Truth::Yes).then_some(turn.by.edge.until);
            let stopped = self.stopped.take();
            self.ended = (turn.production == (Truth::Yes, Truth::No)).then(|| Box::new(turn.by));
            if let (Some(ended), false) = (self.ended.as_deref(), is_r1) {
                self.miss(stopped.map(|t| (*ended, *t)), scene);
            }
        }
    }

    /// What is known of treatment and production holds no longer.
    pub fn forget(&mut self) {
        (self.running, self.stopped, self.ended) = (None, None, None);
        self.missing.take_if(|m| m.told.is_none());
    }

    /// The points have new indices: of a change that is under way the point may be gone.
    pub fn renumber(&mut self, moved: impl Fn(u16) -> Option<u16>) {
        self.stopped.take_if(|change| !change.renumber(&moved));
        self.ended.take_if(|change| !change.renumber(&moved));
        for side in self.missing.iter_mut().flat_map(|m| [&mut m.production, &mut m.treatment]) {
            // An alert that was told is ended whatever became of the units it began with.
            side.renumber(&moved);
        }
    }

    /// Nothing changed in a piece of time.
    pub fn stretch(&mut self, piece: &Piece, scene: &Scene<'_>, out: &mut impl FnMut(Finding)) {
        let Some(missing) = &mut self.missing else { return };
        let is_certain = scene.failed == Truth::Yes;
        let mut from = piece.from;
        if missing.told.is_none() && piece.to > missing.due {
            let due = missing.due.max(from);
            missing.count((from, due), is_certain);
            from = due;
            if !scene.is_on(Rule::EarlyStop) {
                self.missing = None;
                return;
            }
            missing.told = Some(self.repeats.add(due, Param::EarlyWithin, Param::EarlyRepeats, scene));
            out(finding(missing, finding::Change::Raised, due, scene));
        }
        let to = piece.to.min(missing.until);
        missing.count((from, to), is_certain);
        if missing.told.is_some() && piece.to >= missing.until {
            let at = missing.until.max(from);
            self.end(at, scene, out);
        }
    }

    /// Treatment stopped too soon, if so much is certain.
    fn miss(&mut self, changes: Option<(Change, Change)>, scene: &Scene<'_>) {
        let Some((production, treatment)) = changes else { return };
        let (q, s) = (production.edge, treatment.edge);
        let until = q.after.plus(i64::from(scene.process.lag_ms));
        let told_from = s.until.plus(scene.ms(Param::EarlyTolerance));
        if told_from >= until {
            return;
        }
        let now = q.at.max(s.at);
        let due = told_from.max(now);
        let until = until.max(due);
        let (certain_ms, last_certain) = (0, s.until);
        let missing = Missing { production, treatment, due, until, certain_ms, last_certain, told: None };
        let missing = self.missing.insert(Box::new(missing));
        missing.count((s.until, now), true);
    }

    fn end(&mut self, at: UtcMs, scene: &Scene<'_>, out: &mut impl FnMut(Finding)) {
        if let Some(missing) = self.missing.take_if(|m| m.told.is_some()) {
            out(finding(&missing, finding::Change::Cleared, at, scene));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "moments and spans in ms, far below 2^52")]
fn finding(missing: &Missing, change: finding::Change, at: UtcMs, scene: &Scene<'_>) -> Finding {
    let (q, s) = (missing.production.edge, missing.treatment.edge);
    let lag_ms = i64::from(scene.process.lag_ms);
    let (n, level) = missing.told.unwrap_or((1, Level::Warning));
    Finding::Alert(Box::new(AlertFinding {
        last_certain: missing.last_certain,
        level,
        certain_ms: missing.certain_ms,
        unknown_ms: (at.since(s.until) - missing.certain_ms).max(0),
        figures: vec![
            Figure::of(missing.production.point, Fact::ProductionEdge, q.at.0 as f64),
            Figure::of(missing.treatment.point, Fact::TreatmentEdge, s.at.0 as f64),
            Figure::new(Fact::EdgeUncertainty, q.uncertainty_ms().max(s.uncertainty_ms()) as f64),
            Figure::new(Fact::Lag, lag_ms as f64),
            Figure::new(Fact::Earliness, q.after.plus(lag_ms).since(s.until) as f64),
            Figure::new(Fact::Repeats, n as f64),
        ],
        instants: [missing.production.instants(), missing.treatment.instants()].concat(),
        ..AlertFinding::new(Rule::EarlyStop, scene.subject, change, at, s.until)
    }))
}
