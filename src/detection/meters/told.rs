//! What rules about meters say, with its proof.

use crate::alerts::figure::Figure;
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::debounce::Transition;
use crate::detection::finding::Finding;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;

/// Figures, and readings to be shown whole.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// What the rule worked out.
    pub figures: Vec<Figure>,
    /// Point and measuring time.
    pub instants: Vec<(u16, UtcMs)>,
}

impl Proof {
    /// Figures and readings. A figure that is no number (a ratio to nothing) is left out: it cannot be written down.
    #[must_use]
    pub fn parts(mut self) -> (Vec<Figure>, Vec<(u16, UtcMs)>) {
        self.figures.retain(|f| f.value.is_finite());
        (self.figures, self.instants)
    }
}

/// Something that is over when it becomes known: raised and cleared at `at`.
pub fn event(
    (rule, level): (Rule, Level),
    subject: Subject,
    (first, last, at): (UtcMs, UtcMs, UtcMs),
    proof: Proof,
    out: &mut impl FnMut(Finding),
) {
    let mut raised = AlertFinding::new(rule, subject, Change::Raised, at, first);
    (raised.level, raised.last_certain, raised.certain_ms) = (level, last, last.since(first));
    (raised.figures, raised.instants) = proof.parts();
    let cleared = AlertFinding { change: Change::Cleared, ..raised.clone() };
    out(Finding::Alert(Box::new(raised)));
    out(Finding::Alert(Box::new(cleared)));
}

/// A step of a debounced condition; what never became an alert says nothing. What it rests on is what was found while it
/// held: its end has no figures.
pub fn transition(
    rule: Rule,
    subject: Subject,
    step: &Transition,
    proof: Proof,
    out: &mut impl FnMut(Finding),
) {
    let (change, at, open) = match step {
        Transition::Raised(at, open) => (Change::Raised, *at, open),
        Transition::Escalated(at, open) => (Change::Escalated, *at, open),
        Transition::Cleared(at, open) => (Change::Cleared, *at, open),
        Transition::Dropped { .. } => return,
    };
    let mut finding = AlertFinding::new(rule, subject, change, at, open.first);
    (finding.level, finding.last_certain) = (open.level, open.last_certain);
    (finding.certain_ms, finding.unknown_ms) = (open.certain_ms, open.unknown_ms);
    if change != Change::Cleared {
        (finding.figures, finding.instants) = proof.parts();
    }
    out(Finding::Alert(Box::new(finding)));
}
