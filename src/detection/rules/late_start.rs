//! R2 `late_start`: treatment started after production, or too short a time before it.
//!
//! Treatment must run from `lead` before production starts. Both edges lie somewhere between two samples, so what counts is
//! the lateness that is certain: from the latest moment at which treatment was due to the earliest at which it can have
//! started. More than `tolerance` is a warning, the third within 7 days an alarm. It is over when it is known: raised and
//! cleared at once, when treatment runs and production has started. Production must have gone from certainly off to
//! certainly on, and treatment have certainly failed all the while; where R1 has been raised meanwhile, R1 says it.
//! Source: rule catalogue, R2.

use serde::{Deserialize, Serialize};

use super::repeats::Repeats;
use super::scene::{Change, Scene, Turn};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::{self, AlertFinding};
use crate::detection::debounce::Truth;
use crate::detection::finding::Finding;
use crate::model::param::Param;
use crate::model::rule::Rule;
use crate::model::time::UtcMs;

/// State of the rule for one process.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct LateStart {
    /// Treatment has certainly failed since then, at the latest.
    failed: Option<UtcMs>,
    /// Treatment has certainly run since this change, and had certainly failed before it since then, at the latest.
    started: Option<Box<(UtcMs, Change)>>,
    /// Production started by this change while treatment had failed, and both have been so since.
    begun: Option<Box<Change>>,
    repeats: Repeats,
}

impl LateStart {
    /// Something changed; `is_r1` says whether R1 is open.
    pub fn turn(&mut self, turn: &Turn, is_r1: bool, scene: &Scene<'_>, out: &mut impl FnMut(Finding)) {
        match turn.failed {
            (Truth::Yes, Truth::No) => {
                let begun = self.begun.take();
                self.started = self.failed.take().map(|since| Box::new((since, turn.by)));
                if let (Some(production), Some(treatment), false) = (begun, self.started.as_deref(), is_r1) {
                    self.judge(*production, *treatment, scene, out);
                }
            }
            (before, Truth::Yes) if before != Truth::Yes => {
                (self.failed, self.started, self.begun) = (Some(turn.by.edge.until), None, None);
            }
            (before, now) if before != now => self.forget(),
            _ => {}
        }
        match turn.production {
            (Truth::No, Truth::Yes) if self.failed.is_some() => {
                self.begun = Some(Box::new(turn.by));
            }
            (Truth::No, Truth::Yes) => {
                if let Some(treatment) = self.started.as_deref() {
                    self.judge(turn.by, *treatment, scene, out);
                }
            }
            (before, now) if before != now => self.begun = None,
            _ => {}
        }
    }

    /// What is known of treatment and production holds no longer.
    pub fn forget(&mut self) {
        (self.failed, self.started, self.begun) = (None, None, None);
    }

    /// The points have new indices: of a change that is under way the point may be gone.
    pub fn renumber(&mut self, moved: impl Fn(u16) -> Option<u16>) {
        self.started.take_if(|started| !started.1.renumber(&moved));
        self.begun.take_if(|change| !change.renumber(&moved));
    }

    fn judge(
        &mut self,
        production: Change,
        (failed_since, treatment): (UtcMs, Change),
        scene: &Scene<'_>,
        out: &mut impl FnMut(Finding),
    ) {
        let lead_ms = i64::from(scene.process.lead_ms);
        let (p, t) = (production.edge, treatment.edge);
        let due = if failed_since <= p.after.plus(-lead_ms) {
            p.until.plus(-lead_ms)
        } else if failed_since <= p.after {
            // It ran in time and stopped again before production started: it was missing at the start alone.
            p.until
        } else {
            return;
        };
        let lateness_ms = t.after.since(due);
        if lateness_ms <= scene.ms(Param::LateTolerance) || !scene.is_on(Rule::LateStart) {
            return;
        }
        let at = p.at.max(t.at);
        let (n, level) = self.repeats.add(at, Param::LateWithin, Param::LateRepeats, scene);
        let uncertainty_ms = p.uncertainty_ms().max(t.uncertainty_ms());
        #[expect(clippy::cast_precision_loss, reason = "moments and spans in ms, far below 2^52")]
        let figures = vec![
            Figure::of(production.point, Fact::ProductionEdge, p.at.0 as f64),
            Figure::of(treatment.point, Fact::TreatmentEdge, t.at.0 as f64),
            Figure::new(Fact::EdgeUncertainty, uncertainty_ms as f64),
            Figure::new(Fact::Lead, lead_ms as f64),
            Figure::new(Fact::Lateness, lateness_ms as f64),
            Figure::new(Fact::Repeats, n as f64),
        ];
        for change in [finding::Change::Raised, finding::Change::Cleared] {
            out(Finding::Alert(Box::new(AlertFinding {
                last_certain: t.after,
                level,
                certain_ms: lateness_ms,
                figures: figures.clone(),
                instants: [production.instants(), treatment.instants()].concat(),
                ..AlertFinding::new(Rule::LateStart, scene.subject, change, at, due)
            })));
        }
    }
}
