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
    /// Up to here the state before it is certain.
    open: UtcMs,
    /// From here on its own is: the change lies between `open` and here.
    sure: UtcMs,
    /// Samples are missing before it or in it.
    has_hole: bool,
}

/// State of one unit and what is about to change it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitState {
    state: State,
    since: UtcMs,
    /// Most of the time there is none; its place is used again while it goes on.
    run: Option<Box<Run>>,
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
    /// How long the meter may be silent while nothing changes, ms: the period, or more.
    pub heartbeat_ms: i64,
    /// Without a sample for longer than this the state is unknown, ms.
    pub gap_ms: i64,
}

impl UnitLimits<'_> {
    /// How long samples must speak for a state, ms.
    fn needs_ms(&self, state: State) -> i64 {
        let t = self.thresholds;
        i64::from(if state == State::Running { t.on_for_ms } else { t.off_for_ms })
    }

    /// How long samples must speak against a state, ms.
    fn needs_against_ms(&self, state: State) -> i64 {
        self.needs_ms(if state == State::Running { State::Off } else { State::Running })
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
        match (&self.run, self.state) {
            (Some(run), _) => run.open,
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
    /// (or since the state before a run that it leaves undecided was certain).
    pub fn pass(&mut self, until: UtcMs, gap_ms: i64, edge: &mut impl FnMut(Edge)) {
        if until.since(self.last) <= gap_ms {
            return;
        }
        let undecided = self.run.take();
        if self.state != State::Unknown {
            self.lose(undecided.map_or(self.last, |run| run.open), edge);
        }
    }

    /// A sample; samples come in time order.
    ///
    /// A sample stands for one period, so a state holds for `to - from + period` once seen at `from` and `to`.
    /// A power that fits no state (negative beyond noise: the wiring is wrong; or in the hysteresis band with no
    /// state to keep) proves nothing, as if the sample had not come: a run goes on over it, and where nothing else
    /// comes for the gap, the state is unknown.
    ///
    /// What is missing is not what was before. Where samples are missing between two states, it is unknown from one heartbeat
    /// after the last of the one to the first of the other. So it is between two samples of one state where another may have
    /// held for long enough in what is missing; and where samples spoke for another, too few to decide, that may have held
    /// for long enough in what is missing beside them. The mean power of a time that lies behind tells that a change is
    /// somewhere within it; the state is unknown there.
    pub fn offer(&mut self, sample: &Sample, limits: &UnitLimits<'_>, edge: &mut impl FnMut(Edge)) {
        let (at, until) = (sample.at, sample.until);
        self.pass(at, limits.gap_ms, edge);
        let Some(to) = sample.power_w.and_then(|p| classify(self.state, p, limits.thresholds)) else {
            return;
        };
        let after = std::mem::replace(&mut self.begun, at);
        let ended = std::mem::replace(&mut self.last, until);
        // A mean of a time that lies behind covers that time: nothing of it is missing.
        let has_hole = until == at && ended > UtcMs::MIN && at.since(ended) * 2 > limits.heartbeat_ms * 3;
        let open = if has_hole { ended.plus(limits.heartbeat_ms) } else { at };
        let fresh = Run { to, after, from: at, until: sample.last, open, sure: until, has_hole };
        let run = self.join(&fresh, limits, edge);
        if to == self.state {
            self.run = None;
            return;
        }
        let held_ms = until.since(run.from).max(at.since(run.from) + limits.period_ms);
        if held_ms < limits.needs_ms(to) {
            match &mut self.run {
                Some(own) => **own = run,
                None => self.run = Some(Box::new(run)),
            }
            return;
        }
        self.run = None;
        let Run { after, open, until, sure, .. } = run;
        if sure > open && self.state != State::Unknown {
            self.lose(open, edge);
        }
        self.change(Edge { after, at: sure, until: until.max(sure), state: to }, edge);
    }

    /// The run that goes on or begins with a sample, `fresh`, if it speaks for another state; what it leaves in doubt is lost.
    fn join(&mut self, fresh: &Run, limits: &UnitLimits<'_>, edge: &mut impl FnMut(Edge)) -> Run {
        let (to, before) = (fresh.to, self.state);
        let is_running = to == State::Running;
        let run = self.run.as_deref().copied();
        let goes_on = |run: &Run| to != before && (run.to == State::Running) == is_running;
        let (own, broken) = (run.filter(goes_on), run.filter(|run| !goes_on(run)));
        let may_have_held = |since: UtcMs, needs_ms: i64| fresh.from.since(since) >= needs_ms;
        let hides_other = fresh.has_hole && may_have_held(fresh.open, limits.needs_against_ms(to));
        let doubted = match (own, broken) {
            (Some(run), _) => hides_other.then_some(run.open),
            (None, Some(run)) => {
                let is_doubted =
                    (run.has_hole || fresh.has_hole) && may_have_held(run.open, limits.needs_ms(run.to));
                is_doubted.then_some(run.open)
            }
            (None, None) => (hides_other && to == before).then_some(fresh.open),
        };
        if let Some(since) = doubted
            && before != State::Unknown
        {
            self.lose(since, edge);
            if to == before {
                self.change(Edge { after: since, at: fresh.from, until: fresh.until, state: to }, edge);
            }
        }
        match own.filter(|_| doubted.is_none()) {
            Some(run) => Run { to, has_hole: run.has_hole || fresh.has_hole, ..run },
            // Nothing is to be lost of a state that is not known.
            None if self.state == State::Unknown => Run { open: fresh.from, ..*fresh },
            None => *fresh,
        }
    }

    /// Nothing is known since `at`.
    fn lose(&mut self, at: UtcMs, edge: &mut impl FnMut(Edge)) {
        self.change(Edge { after: at, at, until: at, state: State::Unknown }, edge);
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
