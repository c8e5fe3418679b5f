//! A debounced condition together with what the members of the process showed while it held.

use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::alerts::figure::Figure;
use crate::alerts::finding::{AlertFinding, Change, Subject, Tally};
use crate::detection::debounce::{Debounce, Limits, Open, Transition, Truth};
use crate::detection::finding::Finding;
use crate::detection::maybe::Maybe;
use crate::detection::sample::Known;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;

/// One condition of one process.
///
/// It is followed whether its rule is on or off. A rule that is off says nothing new; what it has said stays open until it
/// is certainly over. Turned on again, it tells of what holds then.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Case(Option<Box<Going>>);

/// What is building up or open. Most of the time nothing is, and nothing is kept.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Going {
    debounce: Debounce,
    tallies: Vec<Tally>,
    /// Whether what is open was told.
    is_told: bool,
}

impl Case {
    /// Whether nothing is building up and nothing is open.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.0.as_ref().is_none_or(|going| going.debounce.is_quiet())
    }

    /// The open alert, if there is one.
    #[must_use]
    pub fn open(&self) -> Option<&Open> {
        self.0.as_ref()?.debounce.open()
    }

    /// Certain time of what is building up or open, ms.
    #[must_use]
    pub fn certain_ms(&self) -> i64 {
        self.0.as_ref().map_or(0, |going| going.debounce.certain_ms())
    }

    /// A sample of a member while the condition held; counts if it is building up or open.
    pub fn sample(&mut self, point: u16, sample: &Known) {
        if let Some(tally) = self.0.iter_mut().flat_map(|going| &mut going.tallies).find(|t| t.point == point)
        {
            add(tally, sample);
        }
    }

    /// The condition begins to hold, unless it does already: the members' registers are noted.
    pub fn begin(&mut self, members: &[Member]) {
        let going = self.0.get_or_insert_default();
        if going.tallies.is_empty() {
            going.tallies.extend(members.iter().map(begin));
        }
    }

    /// Whether nothing is building up or open, and nothing would be by this.
    #[must_use]
    pub fn is_idle(&self, holds: Truth) -> bool {
        holds != Truth::Yes && self.0.is_none()
    }

    /// The condition was `holds` from `from` to `to`; transitions go to `out`.
    pub fn stretch(
        &mut self,
        (from, to): (UtcMs, UtcMs),
        holds: Truth,
        (limits, is_on): (&Limits<'_>, bool),
        members: &[Member],
        out: &mut impl FnMut(Transition, &[Tally]),
    ) {
        if holds == Truth::Yes {
            self.begin(members);
        }
        let Some(going) = &mut self.0 else { return };
        let Going { debounce, tallies, is_told } = &mut **going;
        if holds == Truth::Yes
            && is_on
            && !*is_told
            && let Some(open) = debounce.open()
        {
            *is_told = true;
            out(Transition::Raised(from, *open), tallies);
        }
        debounce.stretch(from, to, holds, limits, &mut |t| say(t, is_on, is_told, tallies, out));
        if debounce.is_quiet() {
            self.0 = None;
        }
    }

    /// Raises the level of what is open for a reason outside its own durations.
    pub fn escalate(
        &mut self,
        at: UtcMs,
        level: Level,
        is_on: bool,
        out: &mut impl FnMut(Transition, &[Tally]),
    ) {
        let Some(going) = &mut self.0 else { return };
        let Going { debounce, tallies, is_told } = &mut **going;
        debounce.escalate(at, level, &mut |t| say(t, is_on, is_told, tallies, out));
    }

    /// The site's points have new indices; what no longer exists is left out.
    pub fn renumber(&mut self, index_of: &[Option<u16>]) {
        let Some(going) = &mut self.0 else { return };
        going.tallies.retain_mut(|tally| {
            let moved = index_of.get(usize::from(tally.point)).copied().flatten();
            tally.point = moved.unwrap_or(tally.point);
            moved.is_some()
        });
    }
}

/// Hands on what is to be told.
fn say(
    transition: Transition,
    is_on: bool,
    is_told: &mut bool,
    tallies: &[Tally],
    out: &mut impl FnMut(Transition, &[Tally]),
) {
    let speaks = match transition {
        Transition::Raised(..) => {
            *is_told = is_on;
            is_on
        }
        Transition::Escalated(..) => is_on && *is_told,
        Transition::Cleared(..) => *is_told,
        Transition::Dropped { .. } => true,
    };
    if speaks {
        out(transition, tallies);
    }
}

/// The register at the begin of an interval is the last one read before it; the power read then is not part of it.
fn begin(member: &Member) -> Tally {
    let mut tally = Tally { point: member.point, ..Tally::default() };
    if let Some(sample) = &member.latest {
        add(&mut tally, &Known { power_w: Maybe::NONE, ..*sample });
    }
    tally
}

fn add(tally: &mut Tally, sample: &Known) {
    if let Some(power_w) = sample.power_w.get() {
        tally.max_w = if tally.n_samples == 0 { power_w } else { tally.max_w.max(power_w) };
        tally.sum_w += power_w;
        tally.n_samples += 1;
    }
    if let Some(energy_kwh) = sample.energy_kwh.get() {
        // Before the first there is nothing that could have turned.
        if tally.energy_first_kwh.is_some() {
            tally.turned_kwh += sample.turned_kwh;
        }
        tally.energy_first_kwh = tally.energy_first_kwh.or(Some(energy_kwh));
        tally.energy_last_kwh = Some(energy_kwh);
    }
    if tally.first_offset == 0 {
        tally.first_offset = sample.offset;
    }
    tally.first_offset = tally.first_offset.min(sample.offset);
    tally.last_offset = tally.last_offset.max(sample.offset);
}

/// A transition of an alert as a finding; `None` for what never became an alert.
#[must_use]
pub fn finding(
    rule: Rule,
    subject: Subject,
    transition: &Transition,
    tallies: &[Tally],
    figures: Vec<Figure>,
) -> Option<Finding> {
    let (change, at, open): (_, _, &Open) = match transition {
        Transition::Raised(at, open) => (Change::Raised, *at, open),
        Transition::Escalated(at, open) => (Change::Escalated, *at, open),
        Transition::Cleared(at, open) => (Change::Cleared, *at, open),
        Transition::Dropped { .. } => return None,
    };
    Some(Finding::Alert(Box::new(AlertFinding {
        last_certain: open.last_certain,
        level: open.level,
        certain_ms: open.certain_ms,
        unknown_ms: open.unknown_ms,
        tallies: tallies.to_vec(),
        figures,
        ..AlertFinding::new(rule, subject, change, at, open.first)
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::debounce::OnUnknown;

    const LIMITS: Limits<'_> = Limits {
        raise_ms: 10,
        clear_ms: 5,
        level: Level::Warning,
        steps: &[],
        on_unknown: OnUnknown::Restart,
    };

    /// What is said of a condition that holds from 0 to 30, of a rule that is on in the given stretches.
    fn said(on: [bool; 4]) -> Vec<(&'static str, i64, i64)> {
        let (mut case, mut out) = (Case::default(), Vec::new());
        let stretches =
            [(0, 15, Truth::Yes), (15, 25, Truth::Yes), (25, 30, Truth::Yes), (30, 40, Truth::No)];
        for ((from, to, holds), is_on) in stretches.into_iter().zip(on) {
            case.stretch((UtcMs(from), UtcMs(to)), holds, (&LIMITS, is_on), &[], &mut |t, _| match t {
                Transition::Raised(at, open) => out.push(("raised", at.0, open.first.0)),
                Transition::Cleared(at, open) => out.push(("cleared", at.0, open.first.0)),
                Transition::Escalated(..) | Transition::Dropped { .. } => {}
            });
        }
        out
    }

    #[test]
    fn a_rule_that_is_off_says_nothing_and_what_it_has_said_ends_when_it_is_over() {
        assert_eq!(said([true; 4]), [("raised", 10, 0), ("cleared", 35, 0)]);
        assert_eq!(said([false; 4]), []);
        assert_eq!(said([true, false, false, false]), [("raised", 10, 0), ("cleared", 35, 0)]);
        assert_eq!(
            said([false, true, true, true]),
            [("raised", 15, 0), ("cleared", 35, 0)],
            "what holds then"
        );
        assert_eq!(said([false, false, false, true]), [], "and not of what is over");
    }
}
