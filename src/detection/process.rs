//! One process: its members' edges and samples, put in time order, judged up to where all of them are settled.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::debounce::Truth;
use super::finding::Finding;
use super::rules::member::{Member, producing, treatment_failed};
use super::rules::of_process::Rules;
use super::rules::scene::{Change, Scene, Turn};
use super::sample::Known;
use super::state::Edge;
use crate::alerts::finding::Subject;
use crate::model::rule::Level;
use crate::model::site::{Process, Site};
use crate::model::state::State;
use crate::model::time::UtcMs;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum What {
    Edge(Edge),
    Sample(Known),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    at: UtcMs,
    point: u16,
    what: What,
}

impl Item {
    /// Order within one moment. What starts comes before what stops, so that units that change over leave no gap; a sample
    /// belongs to what its unit became by it; silence begins after it.
    fn rank(&self) -> u8 {
        match self.what {
            What::Edge(Edge { state: State::Running, .. }) => 0,
            What::Edge(Edge { state: State::Idle | State::Off, .. }) => 1,
            What::Sample(_) => 2,
            What::Edge(Edge { state: State::Unknown, .. }) => 3,
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
    rules: Rules,
}

/// What judging a process needs beside its state.
#[derive(Clone, Copy)]
pub struct ProcessContext<'a> {
    /// Its site.
    pub site: &'a Site,
    /// The process.
    pub process: &'a Process,
    /// The site's zone, for its days.
    pub zone: &'a TimeZone,
    /// Index of the process in its site.
    pub index: u16,
    /// The most that what is said of it is worth.
    pub level_max: Level,
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
        members.shrink_to_fit();
        ProcessJudge {
            judged: since,
            members,
            queue: Vec::new(),
            production: Truth::Unknown,
            failed: Truth::Unknown,
            rules: Rules::default(),
        }
    }

    /// Takes over what was known of the process before its site was configured anew; `index_of` tells the new index of
    /// each old point, where it stays. Open alerts go on; members that are new are unknown.
    pub fn carry_over(&mut self, old: &ProcessJudge, context: ProcessContext<'_>, index_of: &[Option<u16>]) {
        let moved = |point: u16| index_of.get(usize::from(point)).copied().flatten();
        self.judged = old.judged;
        let mut n_known = 0;
        for member in &mut self.members {
            if let Some(was) = old.members.iter().find(|m| moved(m.point) == Some(member.point)) {
                *member = Member { point: member.point, ..*was };
                n_known += 1;
            }
        }
        for item in &old.queue {
            self.queue.extend(moved(item.point).map(|point| Item { point, ..*item }));
        }
        self.rules = old.rules.clone();
        self.production = producing(&self.members, context.process);
        self.failed = treatment_failed(&self.members, context.process);
        let is_same = (n_known, n_known) == (self.members.len(), old.members.len())
            && (self.production, self.failed) == (old.production, old.failed);
        let scene = scene(context, &self.members, (self.production, self.failed));
        self.rules.carry_over(index_of, is_same, &scene);
    }

    /// Members it knows nothing of are told their state as their units know it: a unit that goes on as it is says nothing
    /// more, and would stay unknown to a process that came later.
    pub fn join(&mut self, unit: impl Fn(u16) -> (UtcMs, State)) {
        for member in self.members.iter().filter(|m| m.state == State::Unknown) {
            let (since, state) = unit(member.point);
            if state != State::Unknown {
                let at = since.max(self.judged);
                let edge = Edge { after: UtcMs::MIN, at, until: at, state };
                self.queue.push(Item { at, point: member.point, what: What::Edge(edge) });
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

    /// The first moment at which it may say something as time passes and nothing is known; before every time where that is
    /// not known beforehand.
    #[must_use]
    pub fn due(&self) -> UtcMs {
        let is_quiet = self.queue.is_empty() && self.production != Truth::Yes && self.rules.are_quiet();
        if is_quiet { self.rules.hours_end() } else { UtcMs::MIN }
    }

    /// A member changed its state.
    pub fn edge(&mut self, point: u16, edge: Edge) {
        make_room(&mut self.queue);
        self.queue.push(Item { at: edge.at, point, what: What::Edge(edge) });
    }

    /// A member was sampled.
    pub fn sample(&mut self, point: u16, sample: Known) {
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
        // At `to` itself a member may still be found to have changed, and all of one moment come in their order.
        let n_due = queue.partition_point(|i| i.at < to);
        for item in queue.drain(..n_due) {
            self.stretch(item.at, context, out);
            self.take(&item, context, out);
        }
        self.queue = queue;
        self.stretch(to, context, out);
    }

    fn take(&mut self, item: &Item, context: ProcessContext<'_>, out: &mut impl FnMut(Finding)) {
        let Some(member) = self.members.iter_mut().find(|m| m.point == item.point) else { return };
        match item.what {
            What::Edge(edge) => {
                member.state = edge.state;
                let production = producing(&self.members, context.process);
                let failed = treatment_failed(&self.members, context.process);
                let turn = Turn {
                    by: Change { point: item.point, edge },
                    production: (std::mem::replace(&mut self.production, production), production),
                    failed: (std::mem::replace(&mut self.failed, failed), failed),
                };
                self.rules.turn(&turn, &scene(context, &self.members, (production, failed)), out);
            }
            What::Sample(sample) => {
                member.latest = Some(sample);
                let scene = scene(context, &self.members, (self.production, self.failed));
                self.rules.sample(item.point, &sample, &scene);
            }
        }
    }

    /// From where it is judged to, up to `to`, nothing changed.
    fn stretch(&mut self, to: UtcMs, context: ProcessContext<'_>, out: &mut impl FnMut(Finding)) {
        let span = (self.judged, to);
        if span.0 >= to {
            return;
        }
        self.judged = to;
        let scene = scene(context, &self.members, (self.production, self.failed));
        self.rules.stretch(span, &scene, context.zone, out);
    }
}

fn scene<'a>(
    context: ProcessContext<'a>,
    members: &'a [Member],
    (production, failed): (Truth, Truth),
) -> Scene<'a> {
    Scene {
        site: context.site,
        process: context.process,
        subject: Subject::Process(context.index),
        level_max: context.level_max,
        members,
        production,
        failed,
    }
}

/// Makes room for one more, and little beyond it: there are as many of these lists as there are sites and processes.
pub(super) fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4).max(4));
    }
}
