//! Unit states: running, idle, off or unknown, by hysteresis and durations.

use serde::{Deserialize, Serialize};

use super::sample::Sample;
use crate::model::{site::Thresholds, state::State, time::UtcMs};

/// A change of state, and how surely its moment is known: it came after `after` and not later than `until`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// The last sample that spoke for the old state.
    pub after: UtcMs,
    /// The first sample of the run that decided it: where the change is dated to.
    pub at: UtcMs,
    /// The last reading that went into that sample.
    pub until: UtcMs,
    /// The new state.
    pub state: State,
}

impl Edge {
    /// How long the stretch is in which the change lies, ms.
    #[must_use]
    pub fn uncertainty_ms(&self) -> i64 {
        self.until.since(self.after)
    }
}

/// A stretch of samples that, once long enough, changes the state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    to: State,
    after: UtcMs,
    from: UtcMs,
    until: UtcMs,
    /// From here on it is certain: the change lies between `from` and here.
    sure: UtcMs,
    /// Samples are missing before it or in it.
    #[serde(default)]
    has_hole: bool,
}

/// State of one unit and what is about to change it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitState {
    state: State,
    since: UtcMs,
    run: Option<Run>,
    /// The last sample that spoke for a state: the begin of its time, and the end.
    begun: UtcMs,
    last: UtcMs,
}

/// What a unit's state machine needs to know of its point and meter.
#[derive(Clone, Copy, Debug)]
pub struct UnitLimits<'a> {
    /// Powers and durations.
    pub thresholds: &'a Thresholds,
    /// How often a sample is expected, ms.
    pub period_ms: i64,
    /// Without a sample for longer than this the state is unknown, ms.
    pub gap_ms: i64,
}

impl UnitLimits<'_> {
    /// How long samples must speak for a state, ms.
    fn needs_ms(&self, state: State) -> i64 {
        let t = self.thresholds;
        i64::from(if state == State::Running { t.on_for_ms } else { t.off_for_ms })
    }
}

impl UnitState {
    /// A unit nothing is known of yet.
    #[must_use]
    pub fn unknown(since: UtcMs) -> UnitState {
        UnitState { state: State::Unknown, since, run: None, begun: UtcMs::MIN, last: UtcMs::MIN }
    }

    /// The state as far as it is decided.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when.
    #[must_use]
    pub fn since(&self) -> UtcMs {
        self.since
    }

    /// Up to when the state can no longer change by samples still to come, given that all samples up to `seen`
    /// have been offered.
    #[must_use]
    pub fn settled(&self, seen: UtcMs) -> UtcMs {
        match (self.run, self.state) {
            (Some(run), _) => run.from,
            (None, State::Unknown) => seen,
            (None, _) => self.last,
        }
    }

    /// When it becomes unknown if no sample comes; `None` where it is unknown already and nothing is about to change that.
    #[must_use]
    pub fn passes(&self, gap_ms: i64) -> Option<UtcMs> {
        let is_settled = self.state == State::Unknown && self.run.is_none();
        (!is_settled).then(|| self.last.plus(gap_ms + 1))
    }

    /// Time has gone to `until` and no sample came in between: after a gap nothing is known since the last sample
    /// (or since the begin of a run it leaves undecided).
    pub fn pass(&mut self, until: UtcMs, gap_ms: i64, edge: &mut impl FnMut(Edge)) {
        if until.since(self.last) <= gap_ms {
            return;
        }
        let undecided = self.run.take();
        if self.state != State::Unknown {
            self.lose(undecided.map_or(self.last, |run| run.from), edge);
        }
    }

    /// Nothing is known since `at`.
    fn lose(&mut self, at: UtcMs, edge: &mut impl FnMut(Edge)) {
        self.change(Edge { after: at, at, until: at, state: State::Unknown }, edge);
    }

    /// A sample; samples come in time order.
    ///
    /// A sample stands for one period, so a state holds for `to - from + period` once seen at `from` and `to`.
    /// A power that fits no state (negative beyond noise: the wiring is wrong; or in the hysteresis band with no
    /// state to keep) proves nothing, as if the sample had not come: a run goes on over it, and where nothing else
    /// comes for the gap, the state is unknown.
    ///
    /// The mean power of a time that lies behind tells that a change is somewhere within it; the state is unknown there. So
    /// it is where samples spoke for another state, too few to decide, and that state may have held for long enough in the
    /// samples missing beside them: what is missing is not what was before.
    pub fn offer(&mut self, sample: &Sample, limits: &UnitLimits<'_>, edge: &mut impl FnMut(Edge)) {
        let (at, until) = (sample.at, sample.until);
        self.pass(at, limits.gap_ms, edge);
        let Some(to) = sample.power_w.and_then(|p| classify(self.state, p, limits.thresholds)) else {
            return;
        };
        let after = std::mem::replace(&mut self.begun, at);
        self.last = until;
        // A mean of a time that lies behind covers that time: nothing of it is missing.
        let is_hole = until == at && after > UtcMs::MIN && at.since(after) * 2 > limits.period_ms * 3;
        let running = to == State::Running;
        let goes_on = |run: &Run| to != self.state && (run.to == State::Running) == running;
        let broken = self.run.filter(|run| !goes_on(run));
        let before = self.state;
        if let Some(run) = broken {
            self.run = None;
            let may_have_held_ms = at.since(run.after) - limits.period_ms;
            let is_doubted = (run.has_hole || is_hole) && may_have_held_ms >= limits.needs_ms(run.to);
            if is_doubted && before != State::Unknown {
                self.lose(run.from, edge);
                if to == before {
                    self.change(Edge { after: run.from, at, until: sample.last, state: to }, edge);
                }
            }
        }
        if to == self.state {
            self.run = None;
            return;
        }
        let fresh = Run { to, after, from: at, until: sample.last, sure: until, has_hole: is_hole };
        let run = self.run.map_or(fresh, |run| Run { to, has_hole: run.has_hole || is_hole, ..run });
        let held_ms = until.since(run.from).max(at.since(run.from) + limits.period_ms);
        if held_ms < limits.needs_ms(to) {
            self.run = Some(run);
            return;
        }
        self.run = None;
        let Run { after, from, until, sure, .. } = run;
        if sure > from && self.state != State::Unknown {
            self.lose(from, edge);
        }
        self.change(Edge { after, at: sure, until: until.max(sure), state: to }, edge);
    }

    fn change(&mut self, to: Edge, edge: &mut impl FnMut(Edge)) {
        self.state = to.state;
        self.since = to.at;
        edge(to);
    }
}

/// The state a power speaks for, given the state before; `None` where it speaks for none.
fn classify(before: State, power_w: f64, t: &Thresholds) -> Option<State> {
    if power_w < -t.off_below_w {
        return None;
    }
    if power_w >= t.running_above_w {
        return Some(State::Running);
    }
    if power_w > t.running_below_w {
        return (before != State::Unknown).then_some(if before == State::Running {
            before
        } else {
            State::Idle
        });
    }
    let idle = match before {
        State::Idle => power_w > t.off_below_w,
        _ => power_w >= t.idle_above_w,
    };
    Some(if idle { State::Idle } else { State::Off })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::site::Basis;

    const FAN: Thresholds = Thresholds {
        running_above_w: 800.0,
        running_below_w: 500.0,
        idle_above_w: 300.0,
        off_below_w: 200.0,
        on_for_ms: 120_000,
        off_for_ms: 180_000,
        basis: Basis::Fallback,
        version: 1,
    };

    /// One power a minute from minute 0 (`None` = no sample); the edges as (minute, state).
    fn edges(powers: &[Option<f64>]) -> Vec<(i64, State)> {
        let limits = UnitLimits { thresholds: &FAN, period_ms: 60_000, gap_ms: 300_000 };
        let mut unit = UnitState::unknown(UtcMs(0));
        let mut out = Vec::new();
        for (minute, power) in (0_i64..).zip(powers) {
            let at = UtcMs(minute * 60_000);
            let mut edge = |e: Edge| out.push((e.at.0 / 60_000, e.state));
            match power {
                Some(_) => unit.offer(&sample(minute, *power), &limits, &mut edge),
                None => unit.pass(at, limits.gap_ms, &mut edge),
            }
        }
        out
    }

    fn sample(minute: i64, power_w: Option<f64>) -> Sample {
        let at = UtcMs(minute * 60_000);
        Sample { at, until: at, last: at.plus(50_000), power_w, offset: 1, ..Sample::default() }
    }

    #[test]
    fn an_edge_lies_between_the_last_sample_of_the_old_state_and_the_last_reading_of_the_first_of_the_new() {
        let limits = UnitLimits { thresholds: &FAN, period_ms: 60_000, gap_ms: 300_000 };
        let mut unit = UnitState::unknown(UtcMs(0));
        let mut edges = Vec::new();
        // A minute at 11 that proves nothing: the change may lie before it as well as after it.
        let negative = Some(-900.0);
        let day = [
            (8, Some(0.0)),
            (9, Some(0.0)),
            (10, Some(0.0)),
            (11, negative),
            (12, Some(900.0)),
            (13, Some(900.0)),
        ];
        for (minute, power_w) in day {
            unit.offer(&sample(minute, power_w), &limits, &mut |e| edges.push(e));
        }
        let minute = |m: i64| UtcMs(m * 60_000);
        let on =
            Edge { after: minute(10), at: minute(12), until: minute(12).plus(50_000), state: State::Running };
        assert_eq!(edges[1..], [on]);
        assert_eq!(on.uncertainty_ms(), 170_000);
    }

    fn at(power_w: f64, minutes: usize) -> Vec<Option<f64>> {
        vec![Some(power_w); minutes]
    }

    #[test]
    fn an_edge_is_dated_to_the_first_sample_of_the_run_that_decides_it() {
        let day = [at(0.0, 5), at(900.0, 5), at(10.0, 5)].concat();
        assert_eq!(edges(&day), [(0, State::Off), (5, State::Running), (10, State::Off)]);
    }

    #[test]
    fn a_blip_shorter_than_the_duration_changes_nothing() {
        let day = [at(900.0, 5), at(0.0, 2), at(900.0, 5)].concat();
        assert_eq!(edges(&day), [(0, State::Running)]);
    }

    #[test]
    fn between_the_thresholds_the_state_is_kept_and_from_unknown_nothing_is_guessed() {
        assert_eq!(edges(&[at(900.0, 3), at(600.0, 9)].concat()), [(0, State::Running)]);
        assert_eq!(edges(&at(600.0, 9)), []);
    }

    #[test]
    fn silence_is_unknown_since_the_last_sample_and_never_off() {
        let day = [at(900.0, 5), vec![None; 10], at(0.0, 4)].concat();
        assert_eq!(edges(&day), [(0, State::Running), (4, State::Unknown), (15, State::Off)]);
    }

    #[test]
    fn silence_after_an_undecided_run_is_unknown_since_the_run_began() {
        let day = [at(900.0, 5), at(0.0, 2), vec![None; 10]].concat();
        assert_eq!(edges(&day), [(0, State::Running), (5, State::Unknown)]);
    }

    #[test]
    fn a_negative_power_proves_no_state() {
        let day = [at(900.0, 5), at(-900.0, 9)].concat();
        assert_eq!(edges(&day), [(0, State::Running), (4, State::Unknown)]);
    }

    #[test]
    fn a_change_within_a_mean_is_unknown_until_the_end_of_that_mean() {
        let limits = UnitLimits { thresholds: &FAN, period_ms: 60_000, gap_ms: 3_600_000 };
        let mut unit = UnitState::unknown(UtcMs(0));
        let mut out = Vec::new();
        for (from, until, power) in [(0, 10, 900.0), (10, 20, 900.0), (20, 30, 5.0), (30, 40, 5.0)] {
            let (at, until) = (UtcMs(from * 60_000), UtcMs(until * 60_000));
            let mean = Sample { at, until, last: until, power_w: Some(power), ..Sample::default() };
            unit.offer(&mean, &limits, &mut |edge| out.push((edge.at.0 / 60_000, edge.state)));
        }
        assert_eq!(out, [(10, State::Running), (20, State::Unknown), (30, State::Off)]);
    }

    #[test]
    fn a_sample_of_another_state_is_passed_over_alone_but_not_beside_missing_ones() {
        let alone = [at(0.0, 5), at(900.0, 1), at(0.0, 5)].concat();
        assert_eq!(edges(&alone), [(0, State::Off)]);
        for beside in [[vec![None], at(900.0, 1)].concat(), [at(900.0, 1), vec![None]].concat()] {
            let day = [at(0.0, 5), beside, at(0.0, 5)].concat();
            let edges = edges(&day);
            assert_eq!(
                (edges.len(), edges[1].1, edges[2]),
                (3, State::Unknown, (7, State::Off)),
                "{edges:?}"
            );
        }
    }

    #[test]
    fn idle_and_off_are_told_apart() {
        let day = [at(350.0, 3), at(250.0, 3), at(100.0, 3), at(250.0, 3)].concat();
        assert_eq!(edges(&day), [(0, State::Idle), (6, State::Off)]);
    }
}
