//! A debounced condition together with what the members of the process showed while it held.

use serde::{Deserialize, Serialize};

use crate::alerts::finding::{AlertFinding, Change, Subject, Tally};
use crate::detection::debounce::{Debounce, Limits, Open, Transition, Truth};
use crate::detection::finding::Finding;
use crate::detection::sample::Sample;
use crate::model::rule::Rule;
use crate::model::time::UtcMs;

/// A unit of a process, as the rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Index into the site's points.
    pub point: u16,
    /// Its state at the time the process is judged to.
    pub state: crate::model::state::State,
    /// Its last sample up to that time.
    pub latest: Option<Sample>,
}

/// One condition of one process.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Case {
    /// Its state.
    pub debounce: Debounce,
    tallies: Vec<Tally>,
}

impl Case {
    /// A sample of a member while the condition held; counts if it is building up or open.
    pub fn sample(&mut self, point: u16, sample: &Sample) {
        if let Some(tally) = self.tallies.iter_mut().find(|t| t.point == point) {
            add(tally, sample);
        }
    }

    /// The condition begins to hold, unless it does already: the members' registers are noted.
    pub fn begin(&mut self, members: &[Member]) {
        if self.tallies.is_empty() {
            self.tallies.extend(members.iter().map(begin));
        }
    }

    /// The condition was `holds` from `from` to `to`; transitions go to `out`.
    pub fn stretch(
        &mut self,
        (from, to): (UtcMs, UtcMs),
        holds: Truth,
        limits: &Limits<'_>,
        members: &[Member],
        out: &mut impl FnMut(Transition, &[Tally]),
    ) {
        if holds == Truth::Yes {
            self.begin(members);
        }
        let tallies = &self.tallies;
        self.debounce.stretch(from, to, holds, limits, &mut |t| out(t, tallies));
        if self.debounce.is_quiet() {
            self.tallies = Vec::new();
        }
    }

    /// The site's points have new indices; what no longer exists is left out.
    pub fn renumber(&mut self, index_of: &[Option<u16>]) {
        self.tallies.retain_mut(|tally| {
            let moved = index_of.get(usize::from(tally.point)).copied().flatten();
            tally.point = moved.unwrap_or(tally.point);
            moved.is_some()
        });
    }

    /// What the members showed so far.
    #[must_use]
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }
}

/// The register at the begin of an interval is the last one read before it; the power read then is not part of it.
fn begin(member: &Member) -> Tally {
    let mut tally = Tally { point: member.point, ..Tally::default() };
    if let Some(sample) = &member.latest {
        add(&mut tally, &Sample { power_w: None, ..*sample });
    }
    tally
}

fn add(tally: &mut Tally, sample: &Sample) {
    if let Some(power_w) = sample.power_w {
        tally.max_w = if tally.n_samples == 0 { power_w } else { tally.max_w.max(power_w) };
        tally.sum_w += power_w;
        tally.n_samples += 1;
    }
    if sample.energy_kwh.is_some() {
        // Before the first there is nothing that could have turned.
        if tally.energy_first_kwh.is_some() {
            tally.turned_kwh += sample.turned_kwh;
        }
        tally.energy_first_kwh = tally.energy_first_kwh.or(sample.energy_kwh);
        tally.energy_last_kwh = sample.energy_kwh;
    }
    if tally.first_offset == 0 {
        tally.first_offset = sample.offset;
    }
    tally.first_offset = tally.first_offset.min(sample.offset);
    tally.last_offset = tally.last_offset.max(sample.offset);
}

/// A transition of an alert as a finding; `None` for what never became an alert.
#[must_use]
pub fn finding(rule: Rule, subject: Subject, transition: &Transition, tallies: &[Tally]) -> Option<Finding> {
    let (change, at, open): (_, _, &Open) = match transition {
        Transition::Raised(at, open) => (Change::Raised, *at, open),
        Transition::Escalated(at, open) => (Change::Escalated, *at, open),
        Transition::Cleared(at, open) => (Change::Cleared, *at, open),
        Transition::Dropped { .. } => return None,
    };
    Some(Finding::Alert(Box::new(AlertFinding {
        rule,
        subject,
        change,
        at,
        first: open.first,
        last_certain: open.last_certain,
        level: open.level,
        certain_ms: open.certain_ms,
        unknown_ms: open.unknown_ms,
        tallies: tallies.to_vec(),
        fragments: Vec::new(),
        figures: Vec::new(),
        instants: Vec::new(),
    })))
}
