//! One site: readings in, within its reorder window in any order; findings out, in the order of time.

use serde::{Deserialize, Serialize};

use super::context::unit_limits;
use super::finding::Finding;
use super::maybe::Maybe;
use super::meters::judge::MetersJudge;
use super::observe::Observation;
use super::process::{ProcessJudge, make_room};
use super::rules::data_missing::DataMissing;
use super::rules::incomplete_day::IncompleteDay;
use super::sample::{Bucket, Sample, StepLimits};
use super::state::{Edge, UnitState};
use crate::model::rule::Rule;
use crate::model::site::Site;
use crate::model::state::State;
use crate::model::time::UtcMs;

/// What judging a site needs beside its state.
pub use super::context::SiteContext;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PointJudge {
    bucket: Bucket,
    unit: UnitState,
    power_w: Maybe,
}

/// What a point shows now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointView {
    /// State as far as decided.
    pub state: State,
    /// Since when.
    pub since: UtcMs,
    /// Last heard.
    pub heard: UtcMs,
    /// Power of the last sample, W.
    pub power_w: Option<f64>,
}

/// What became of a reading that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It will be judged in its time.
    Accepted,
    /// Behind what the site is judged to: for history, and for judging again.
    Late,
}

/// All that is known of a site between two readings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SiteJudge {
    judged: UtcMs,
    pending: Vec<Observation>,
    points: Vec<PointJudge>,
    processes: Vec<ProcessJudge>,
    missing: DataMissing,
    incomplete: IncompleteDay,
    /// How many findings it has made since it began.
    said: u64,
    meters: MetersJudge,
    /// Before this moment time alone says nothing: most ticks have nothing to do at most sites. Found again after a restart.
    #[serde(skip)]
    due: Due,
}

/// A moment at which there is something to do; equal to every other, because it follows from the rest.
#[derive(Clone, Copy, Debug)]
struct Due(UtcMs);

impl Due {
    const AT_ONCE: Due = Due(UtcMs::MIN);
}

impl Default for Due {
    fn default() -> Due {
        Due::AT_ONCE
    }
}

impl PartialEq for Due {
    fn eq(&self, _: &Due) -> bool {
        true
    }
}

impl SiteJudge {
    /// A site nothing is known of before `since`.
    #[must_use]
    pub fn new(site: &Site, context: &SiteContext, since: UtcMs) -> SiteJudge {
        let judged = since.plus(-i64::from(site.reorder_ms));
        let point =
            PointJudge { bucket: Bucket::default(), unit: UnitState::unknown(judged), power_w: Maybe::NONE };
        SiteJudge {
            judged,
            pending: Vec::with_capacity(context.n_waiting(site)),
            points: vec![point; site.points.len()],
            processes: site.processes.iter().map(|p| ProcessJudge::new(p, judged)).collect(),
            missing: DataMissing::new(site.points.len(), context.gateways.len(), since),
            incomplete: IncompleteDay::new(site.points.len(), context.gateways.len(), since),
            said: 0,
            meters: MetersJudge::new(&context.meters),
            due: Due::AT_ONCE,
        }
    }

    /// How many findings it has made since it began: the number of the last one.
    #[must_use]
    pub fn said(&self) -> u64 {
        self.said
    }

    /// Readings that wait for their time.
    #[must_use]
    pub fn pending(&self) -> &[Observation] {
        &self.pending
    }

    /// The same without the readings that wait for a time after the one it is judged to: history has those. Where it was
    /// configured anew some may wait for an earlier one.
    #[must_use]
    pub fn without_later(&self) -> SiteJudge {
        let pending = self.pending.iter().filter(|seen| seen.at <= self.judged).copied().collect();
        SiteJudge { pending, ..self.clone() }
    }

    /// Puts other readings in place of those that wait, and gives those back.
    pub fn replace_pending(&mut self, pending: Vec<Observation>) -> Vec<Observation> {
        self.due = Due::AT_ONCE;
        std::mem::replace(&mut self.pending, pending)
    }

    /// Up to when readings have been judged.
    #[must_use]
    pub fn judged(&self) -> UtcMs {
        self.judged
    }

    /// What a point shows now.
    #[must_use]
    pub fn point(&self, point: u16) -> PointView {
        let own = &self.points[usize::from(point)];
        PointView {
            state: own.unit.state(),
            since: own.unit.since(),
            heard: self.missing.heard(point),
            power_w: own.power_w.get(),
        }
    }

    /// A reading, judged once time has passed it by the site's reorder window.
    pub fn offer(&mut self, seen: Observation) -> Offer {
        if seen.at <= self.judged {
            return Offer::Late;
        }
        make_room(&mut self.pending);
        self.pending.push(seen);
        self.due.0 = self.due.0.min(seen.at);
        Offer::Accepted
    }

    /// Time of the last reading of a point that was judged; before every time if there is none.
    #[must_use]
    pub fn last_of_meter(&self, point: u16) -> UtcMs {
        self.meters.last(point)
    }

    /// The meter of a point was changed at `at`: its register from there on has nothing to do with what it was before.
    pub fn replaced(&mut self, point: u16, at: UtcMs) {
        self.meters.replaced(point, at);
    }

    /// Nobody listened from `from` to `to`: silence up to then is nobody's fault.
    pub fn excuse(&mut self, from: UtcMs, to: UtcMs) {
        self.missing.excuse(to);
        self.incomplete.excuse(from, to);
    }

    /// What is known of a site whose configuration changed, `self` by the old one: points, gateways and processes that
    /// stay keep what is known of them; `fresh` is what nothing is known of.
    #[must_use]
    pub fn carry_over(
        mut self,
        (old, old_context): (&Site, &SiteContext),
        (new, context): (&Site, &SiteContext),
        fresh: SiteJudge,
    ) -> SiteJudge {
        // What goes on with time alone may not have been followed up to here; it has nothing to say.
        self.judge_processes(old, old_context, &mut |_| {});
        let mut judge = SiteJudge { judged: self.judged.max(fresh.judged), said: self.said, ..fresh };
        let index_of: Vec<Option<u16>> = old
            .points
            .iter()
            .map(|was| (0_u16..).zip(&new.points).find(|(_, p)| p.id == was.id).map(|(i, _)| i))
            .collect();
        for (was, moved) in self.points.iter().zip(&index_of) {
            if let Some(i) = moved {
                judge.points[usize::from(*i)] = was.clone();
            }
        }
        let gateways = (&old_context.gateways[..], &context.gateways[..]);
        judge.missing.carry_over(&self.missing, &index_of, gateways);
        judge.incomplete.carry_over(&self.incomplete, &index_of, gateways);
        judge.meters.carry_over(&self.meters, &index_of);
        let configured = judge.judged.plus(i64::from(new.reorder_ms));
        for (was, moved) in old_context.meters.points.iter().zip(&index_of) {
            if let Some(i) = moved.filter(|i| !was.is_same_meter(&context.meters.points[usize::from(*i)])) {
                judge.replaced(i, configured);
            }
        }
        for seen in self.pending.drain(..) {
            let moved = index_of.get(usize::from(seen.point)).copied().flatten();
            judge.pending.extend(moved.map(|point| Observation { point, ..seen }));
        }
        for ((index, own), process) in (0_u16..).zip(&mut judge.processes).zip(&new.processes) {
            if let Some(was) = old.processes.iter().position(|p| p.id == process.id) {
                own.carry_over(&self.processes[was], context.of_process(new, index), &index_of);
            }
            own.join(|point| {
                let unit = &judge.points[usize::from(point)].unit;
                (unit.since(), unit.state())
            });
        }
        judge
    }

    /// Judges all readings up to `to`; none of an earlier time is accepted afterwards.
    pub fn advance(&mut self, site: &Site, context: &SiteContext, to: UtcMs, out: &mut impl FnMut(Finding)) {
        let mut n = 0;
        self.judge(site, context, to, &mut |finding| {
            n += 1;
            out(finding);
        });
        self.said += n;
    }

    fn judge(&mut self, site: &Site, context: &SiteContext, to: UtcMs, out: &mut impl FnMut(Finding)) {
        if to <= self.judged {
            return;
        }
        if self.due.0 > to {
            self.judged = to;
            return;
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_by_key(|o| (o.at, o.point, o.offset));
        let n_due = pending.partition_point(|o| o.at <= to);
        for seen in pending.drain(..n_due) {
            self.missing.hear(seen.point, seen.at, &context.silence, out);
            let verdict = self.meters.take(&seen, &context.meters, out);
            self.step(site, context, seen.point, out, |bucket, limits, out| {
                bucket.add(&seen, verdict, limits, out);
            });
        }
        self.pending = pending;
        self.missing.pass(to, &context.silence, out);
        self.judged = to;
        self.pass(site, context, out);
        self.judge_processes(site, context, out);
        self.due = self.next_due(site, context);
    }

    /// The first moment at which a reading that waits is to be judged, a step is over, a point becomes unknown or silence is
    /// told. Where no unit is known, processes and days go on with time, and may say something as it passes.
    fn next_due(&self, site: &Site, context: &SiteContext) -> Due {
        let mut due = self.missing.next_due();
        if let Some(seen) = self.pending.first() {
            due = due.min(seen.at);
        }
        let of_point = |point: u16| {
            let own = &self.points[usize::from(point)];
            let gap_ms = unit_limits(site, context, point, &own.bucket).gap_ms;
            own.bucket.closes().or_else(|| own.unit.passes(gap_ms))
        };
        for point in (0_u16..).take(self.points.len()) {
            due = due.min(of_point(point).unwrap_or(due));
        }
        let is_unknown = |point: u16| of_point(point).is_none();
        for process in self.processes.iter().filter(|process| process.points().all(is_unknown)) {
            due = due.min(process.due());
        }
        if context.judged_points().all(is_unknown) {
            due = due.min(self.incomplete.due());
        }
        Due(due)
    }

    /// Does something to the bucket of a point, and takes the samples it makes.
    fn step<F: FnMut(Finding)>(
        &mut self,
        site: &Site,
        context: &SiteContext,
        point: u16,
        out: &mut F,
        act: impl FnOnce(&mut Bucket, &StepLimits<'_>, &mut dyn FnMut(Sample)),
    ) {
        let own = &mut self.points[usize::from(point)];
        let limits = unit_limits(site, context, point, &own.bucket);
        let step = StepLimits {
            step_ms: i64::from(site.step_ms),
            period_ms: limits.period_ms,
            gap_ms: limits.gap_ms,
            thresholds: limits.thresholds,
            register: &context.meters.points[usize::from(point)].register,
        };
        let (unit, power_w) = (&mut own.unit, &mut own.power_w);
        let (processes, incomplete) = (&mut self.processes[..], &mut self.incomplete);
        act(&mut own.bucket, &step, &mut |sample: Sample| {
            *power_w = sample.power_w.into();
            unit.offer(&sample, &limits, &mut |edge| {
                tell(processes, incomplete, context, (point, edge), out);
            });
            let known = sample.known();
            for p in context.processes_of(point) {
                processes[usize::from(p)].sample(point, known);
            }
        });
    }

    /// Steps that are over become samples; points without one for too long become unknown.
    fn pass(&mut self, site: &Site, context: &SiteContext, out: &mut impl FnMut(Finding)) {
        let judged = self.judged;
        for point in (0_u16..).take(self.points.len()) {
            self.step(site, context, point, out, |bucket, limits, out| bucket.close(judged, limits, out));
            let own = &mut self.points[usize::from(point)];
            let gap_ms = unit_limits(site, context, point, &own.bucket).gap_ms;
            let seen = own.bucket.open_since(judged, gap_ms).unwrap_or(judged);
            let told = (&mut self.processes[..], &mut self.incomplete);
            own.unit.pass(seen, gap_ms, &mut |edge| {
                tell(told.0, told.1, context, (point, edge), out);
            });
        }
    }

    /// A process is judged up to where the last of its members is settled; days, to where all members of processes are.
    fn judge_processes(&mut self, site: &Site, context: &SiteContext, out: &mut impl FnMut(Finding)) {
        let (points, judged) = (&self.points, self.judged);
        let settled = |point: u16| {
            let own = &points[usize::from(point)];
            let gap_ms = unit_limits(site, context, point, &own.bucket).gap_ms;
            own.unit.settled(own.bucket.open_since(judged, gap_ms).unwrap_or(judged))
        };
        for (index, judge) in (0_u16..).zip(&mut self.processes) {
            let to = judge.points().map(settled).min().unwrap_or(judged);
            judge.advance(to, context.of_process(site, index), out);
        }
        let to = context.judged_points().map(settled).min().unwrap_or(judged);
        let judged = (&context.judged_behind[..], site.rules.is_on(Rule::IncompleteDay));
        self.incomplete.advance(to, &context.zone, judged, out);
    }
}

fn tell(
    processes: &mut [ProcessJudge],
    incomplete: &mut IncompleteDay,
    context: &SiteContext,
    (point, edge): (u16, Edge),
    out: &mut impl FnMut(Finding),
) {
    incomplete.edge(point, edge.at, edge.state != State::Unknown);
    for p in context.processes_of(point) {
        processes[usize::from(p)].edge(point, edge);
    }
    out(Finding::State { point, at: edge.at, state: edge.state });
}
