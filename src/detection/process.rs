//! One process: its members' edges and samples, put in time order, judged up to where all of them are settled.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::debounce::{Transition, Truth};
use super::finding::Finding;
use super::rules::case::{self, Case, Member};
use super::rules::fragmented::Fragmented;
use super::rules::gap_while_producing;
use super::rules::treatment_off::TreatmentOff;
use super::sample::Sample;
use crate::alerts::finding::Subject;
use crate::model::rule::Rule;
use crate::model::state::State;
use crate::model::{site::Process, time::UtcMs};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum What {
    Edge(State),
    Sample(Sample),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    at: UtcMs,
    point: u16,
    what: What,
}

impl Item {
    /// Order within one moment. A sample belongs to what its unit became by it; silence begins after it.
    fn rank(&self) -> u8 {
        match self.what {
            What::Edge(State::Unknown) => 2,
            What::Edge(_) => 0,
            What::Sample(_) => 1,
        }
    }
}

/// What is known of a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessJudge {
    judged: UtcMs,
    members: Vec<Member>,
    queue: Vec<Item>,
    production: Truth,
    failed: Truth,
    treatment_off: TreatmentOff,
    gap: Case,
    fragmented: Fragmented,
}

/// What judging a process needs beside its state.
#[derive(Clone, Copy)]
pub struct ProcessContext<'a> {
    /// The process.
    pub process: &'a Process,
    /// The site's zone, for its days.
    pub zone: &'a TimeZone,
    /// Index of the process in its site.
    pub index: u16,
}

impl ProcessJudge {
    /// A process of which nothing is known before `since`.
    #[must_use]
    pub fn new(process: &Process, since: UtcMs) -> ProcessJudge {
        let mut members: Vec<Member> = Vec::new();
        let treatment = process.treatment.iter().flat_map(|g| &g.points);
        for &point in process.production.iter().chain(treatment) {
            if members.iter().all(|m| m.point != point) {
                members.push(Member { point, state: State::Unknown, latest: None });
            }
        }
        ProcessJudge {
            judged: since,
            members,
            queue: Vec::new(),
            production: Truth::Unknown,
            failed: Truth::Unknown,
            treatment_off: TreatmentOff::default(),
            gap: Case::default(),
            fragmented: Fragmented::default(),
        }
    }

    /// Takes over what was known of the process before its site was configured anew; `index_of` tells the new index of
    /// each old point, where it stays. Open alerts go on; members that are new are unknown.
    pub fn carry_over(&mut self, old: &ProcessJudge, process: &Process, index_of: &[Option<u16>]) {
        let moved = |point: u16| index_of.get(usize::from(point)).copied().flatten();
        self.judged = old.judged;
        for member in &mut self.members {
            if let Some(was) = old.members.iter().find(|m| moved(m.point) == Some(member.point)) {
                *member = Member { point: member.point, ..*was };
            }
        }
        for item in &old.queue {
            self.queue.extend(moved(item.point).map(|point| Item { point, ..*item }));
        }
        self.treatment_off = old.treatment_off.clone();
        self.gap = old.gap.clone();
        self.fragmented = old.fragmented.clone();
        self.treatment_off.case.renumber(index_of);
        self.gap.renumber(index_of);
        self.production = producing(&self.members, process);
        self.failed = treatment_failed(&self.members, process);
    }

    /// Members it knows nothing of are told their state as their units know it: a unit that goes on as it is says nothing
    /// more, and would stay unknown to a process that came later.
    pub fn join(&mut self, unit: impl Fn(u16) -> (UtcMs, State)) {
        for member in self.members.iter().filter(|m| m.state == State::Unknown) {
            let (since, state) = unit(member.point);
            if state != State::Unknown {
                let at = since.max(self.judged);
                self.queue.push(Item { at, point: member.point, what: What::Edge(state) });
            }
        }
    }

    /// The points that belong to it.
    pub fn points(&self) -> impl Iterator<Item = u16> {
        self.members.iter().map(|m| m.point)
    }

    /// Up to when it is judged.
    #[must_use]
    pub fn judged(&self) -> UtcMs {
        self.judged
    }

    /// A member changed its state.
    pub fn edge(&mut self, point: u16, at: UtcMs, state: State) {
        make_room(&mut self.queue);
        self.queue.push(Item { at, point, what: What::Edge(state) });
    }

    /// A member was sampled.
    pub fn sample(&mut self, point: u16, sample: Sample) {
        make_room(&mut self.queue);
        self.queue.push(Item { at: sample.at, point, what: What::Sample(sample) });
    }

    /// Judges up to `to`, before which no member will say anything more.
    pub fn advance(&mut self, to: UtcMs, context: ProcessContext<'_>, out: &mut impl FnMut(Finding)) {
        if to <= self.judged {
            return;
        }
        let mut queue = std::mem::take(&mut self.queue);
        queue.sort_by_key(|i| (i.at, i.rank(), i.point));
        // At `to` itself a member may still be found to have changed.
        let n_due = queue.partition_point(|i| i.at < to || (i.at == to && i.rank() == 0));
        for item in queue.drain(..n_due) {
            self.stretch(item.at, context, out);
            self.take(&item, context.process);
        }
        self.queue = queue;
        self.stretch(to, context, out);
    }

    fn take(&mut self, item: &Item, process: &Process) {
        let Some(member) = self.members.iter_mut().find(|m| m.point == item.point) else { return };
        match item.what {
            What::Edge(state) => {
                member.state = state;
                self.production = producing(&self.members, process);
                self.failed = treatment_failed(&self.members, process);
                if self.is_off() == Truth::Yes {
                    self.treatment_off.case.begin(&self.members);
                }
                if self.is_unseen() == Truth::Yes {
                    self.gap.begin(&self.members);
                }
            }
            What::Sample(sample) => {
                member.latest = Some(sample);
                // What is seen while an alert waits to be cleared, or cannot be told, is no proof of it.
                if self.is_off() == Truth::Yes {
                    self.treatment_off.case.sample(item.point, &sample);
                }
                if self.is_unseen() == Truth::Yes {
                    self.gap.sample(item.point, &sample);
                }
            }
        }
    }

    /// Whether treatment is off while production runs.
    fn is_off(&self) -> Truth {
        both(self.production, self.failed)
    }

    /// Whether production runs and treatment cannot be told.
    fn is_unseen(&self) -> Truth {
        gap_while_producing::holds(self.production, self.failed)
    }

    /// From where it is judged to, up to `to`, nothing changed.
    fn stretch(&mut self, to: UtcMs, context: ProcessContext<'_>, out: &mut impl FnMut(Finding)) {
        let span = (self.judged, to);
        if span.0 >= to {
            return;
        }
        self.judged = to;
        let rules = &context.process.rules;
        let subject = Subject::Process(context.index);
        let (off, unseen) = (self.is_off(), self.is_unseen());

        let fragmented = &mut self.fragmented;
        let limit_ms = i64::from(rules.fragmented_ms);
        let members = &self.members;
        self.treatment_off.stretch(
            span,
            (self.production, off),
            (rules, context.zone),
            members,
            &mut |t, tallies| {
                if let Transition::Dropped { first, certain_ms, at } = t {
                    fragmented.gap((first, certain_ms, at), limit_ms, subject, out);
                }
                case::finding(Rule::TreatmentOff, subject, &t, tallies).into_iter().for_each(&mut *out);
            },
        );
        if off == Truth::No {
            self.fragmented.not_off(span, limit_ms, subject, out);
        }
        gap_while_producing::stretch(&mut self.gap, span, unseen, rules, members, &mut |t, tallies| {
            case::finding(Rule::GapWhileProducing, subject, &t, tallies).into_iter().for_each(&mut *out);
        });
    }
}

/// Makes room for one more, and little beyond it: there are as many of these lists as there are sites and processes.
pub(super) fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4).max(4));
    }
}

fn both(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Truth::No, _) | (_, Truth::No) => Truth::No,
        (Truth::Yes, Truth::Yes) => Truth::Yes,
        _ => Truth::Unknown,
    }
}

fn state_of(members: &[Member], point: u16) -> State {
    members.iter().find(|m| m.point == point).map_or(State::Unknown, |m| m.state)
}

/// Production runs if any of its points runs; certainly not only if all of them certainly do not.
fn producing(members: &[Member], process: &Process) -> Truth {
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
fn treatment_failed(members: &[Member], process: &Process) -> Truth {
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
