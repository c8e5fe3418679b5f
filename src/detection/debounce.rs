//! A condition over time, with certain and unknown stretches, becomes an alert that is raised, rises and clears.

use serde::{Deserialize, Serialize};

use crate::model::rule::Level;
use crate::model::time::UtcMs;

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Truth {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// Cannot be told.
    Unknown,
}

/// What unknown time does to a condition that is building up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnknown {
    /// It starts afresh: what lay in between might have been the opposite.
    Restart,
    /// It waits.
    Pause,
}

/// Durations and levels of a rule, all in certain time, ms.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Raised after this long.
    pub raise_ms: i64,
    /// Cleared after this long of certainly not.
    pub clear_ms: i64,
    /// Level at the begin.
    pub level: Level,
    /// From so long on, this level.
    pub steps: &'a [(i64, Level)],
    /// What unknown time does before it is raised.
    pub on_unknown: OnUnknown,
}

/// An open alert's figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// First certain moment.
    pub first: UtcMs,
    /// End of the last certain stretch.
    pub last_certain: UtcMs,
    /// Certain time, ms.
    pub certain_ms: i64,
    /// Unknown time, ms.
    pub unknown_ms: i64,
    /// Level now.
    pub level: Level,
    clearing: Option<UtcMs>,
}

/// What happens on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transition {
    /// It has held long enough.
    Raised(UtcMs, Open),
    /// Its level rose.
    Escalated(UtcMs, Open),
    /// It certainly has not held for long enough.
    Cleared(UtcMs, Open),
    /// It ended before it was raised.
    Dropped {
        /// First certain moment.
        first: UtcMs,
        /// Certain time, ms.
        certain_ms: i64,
        /// When it ended.
        at: UtcMs,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
enum Phase {
    #[default]
    Quiet,
    Pending {
        first: UtcMs,
        certain_ms: i64,
    },
    Open(Open),
}

/// The state of one condition.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Debounce {
    phase: Phase,
}

impl Debounce {
    /// Whether nothing is building up and nothing is open.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.phase == Phase::Quiet
    }

    /// The open alert, if there is one.
    #[must_use]
    pub fn open(&self) -> Option<&Open> {
        match &self.phase {
            Phase::Open(open) => Some(open),
            _ => None,
        }
    }

    /// Certain time of what is building up or open, ms.
    #[must_use]
    pub fn certain_ms(&self) -> i64 {
        match &self.phase {
            Phase::Quiet => 0,
            Phase::Pending { certain_ms, .. } => *certain_ms,
            Phase::Open(open) => open.certain_ms,
        }
    }

    /// The condition was `holds` from `from` to `to`. Stretches come in time order without holes.
    ///
    /// Every transition carries its exact moment, so cutting a stretch in two changes nothing.
    pub fn stretch(
        &mut self,
        from: UtcMs,
        to: UtcMs,
        holds: Truth,
        limits: &Limits<'_>,
        out: &mut impl FnMut(Transition),
    ) {
        match (self.phase, holds) {
            (Phase::Quiet, Truth::Yes) => self.build_up((from, 0), (from, to), limits, out),
            (Phase::Quiet, _) => {}
            (Phase::Pending { first, certain_ms }, Truth::Yes) => {
                self.build_up((first, certain_ms), (from, to), limits, out);
            }
            (Phase::Pending { .. }, Truth::Unknown) if limits.on_unknown == OnUnknown::Pause => {}
            (Phase::Pending { first, certain_ms }, _) => {
                self.phase = Phase::Quiet;
                out(Transition::Dropped { first, certain_ms, at: from });
            }
            (Phase::Open(open), _) => self.go_on(open, (from, to), holds, limits, out),
        }
    }

    /// Raises the level of the open alert for a reason outside its own durations.
    pub fn escalate(&mut self, at: UtcMs, level: Level, out: &mut impl FnMut(Transition)) {
        if let Phase::Open(open) = &mut self.phase
            && open.level < level
        {
            open.level = level;
            out(Transition::Escalated(at, *open));
        }
    }

    fn build_up(
        &mut self,
        (first, certain_ms): (UtcMs, i64),
        (from, to): (UtcMs, UtcMs),
        limits: &Limits<'_>,
        out: &mut impl FnMut(Transition),
    ) {
        let total_ms = certain_ms + to.since(from);
        if total_ms < limits.raise_ms {
            self.phase = Phase::Pending { first, certain_ms: total_ms };
            return;
        }
        // It may have held for longer than is asked for now: what is asked for was changed meanwhile.
        let at = from.plus((limits.raise_ms - certain_ms).max(0));
        let open = Open {
            first,
            last_certain: at,
            certain_ms: limits.raise_ms.max(certain_ms),
            unknown_ms: 0,
            level: limits.level,
            clearing: None,
        };
        out(Transition::Raised(at, open));
        self.go_on(open, (at, to), Truth::Yes, limits, out);
    }

    fn go_on(
        &mut self,
        mut open: Open,
        (from, to): (UtcMs, UtcMs),
        holds: Truth,
        limits: &Limits<'_>,
        out: &mut impl FnMut(Transition),
    ) {
        match holds {
            Truth::Yes => {
                let before_ms = open.certain_ms;
                open.clearing = None;
                for &(step_ms, level) in limits.steps {
                    if level > open.level && step_ms <= before_ms + to.since(from) {
                        let at = from.plus((step_ms - before_ms).max(0));
                        open.level = level;
                        open.certain_ms = step_ms.max(before_ms);
                        open.last_certain = at;
                        out(Transition::Escalated(at, open));
                    }
                }
                open.certain_ms = before_ms + to.since(from);
                open.last_certain = to;
            }
            Truth::Unknown => {
                open.unknown_ms += to.since(from);
                open.clearing = None;
            }
            Truth::No => {
                let since = *open.clearing.get_or_insert(from);
                let at = since.plus(limits.clear_ms).max(from);
                if to >= at {
                    self.phase = Phase::Quiet;
                    out(Transition::Cleared(at, open));
                    return;
                }
            }
        }
        self.phase = Phase::Open(open);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits<'_> = Limits {
        raise_ms: 10,
        clear_ms: 5,
        level: Level::Warning,
        steps: &[(30, Level::Alarm)],
        on_unknown: OnUnknown::Restart,
    };

    fn run(stretches: &[(i64, Truth)], limits: &Limits<'_>) -> Vec<Transition> {
        let (mut debounce, mut out, mut t) = (Debounce::default(), Vec::new(), 0);
        for &(len, holds) in stretches {
            debounce.stretch(UtcMs(t), UtcMs(t + len), holds, limits, &mut |x| out.push(x));
            t += len;
        }
        out
    }

    #[test]
    fn raised_rises_and_clears_at_exact_moments() {
        let out = run(&[(3, Truth::No), (40, Truth::Yes), (9, Truth::No)], &LIMITS);
        let moments: Vec<_> = out
            .iter()
            .map(|t| match t {
                Transition::Raised(at, _) => ("raised", at.0),
                Transition::Escalated(at, _) => ("escalated", at.0),
                Transition::Cleared(at, open) => {
                    assert_eq!((open.first.0, open.last_certain.0, open.certain_ms), (3, 43, 40));
                    ("cleared", at.0)
                }
                Transition::Dropped { at, .. } => ("dropped", at.0),
            })
            .collect();
        assert_eq!(moments, [("raised", 13), ("escalated", 33), ("cleared", 48)]);
    }

    #[test]
    fn unknown_time_neither_builds_up_nor_clears() {
        assert!(
            run(&[(9, Truth::Yes), (50, Truth::Unknown), (9, Truth::Yes)], &LIMITS)
                .iter()
                .all(|t| matches!(t, Transition::Dropped { .. }))
        );
        let out = run(&[(10, Truth::Yes), (4, Truth::No), (90, Truth::Unknown), (4, Truth::No)], &LIMITS);
        assert_eq!(out.len(), 1, "raised, and not cleared by unknown time: {out:?}");
        let paused = Limits { on_unknown: OnUnknown::Pause, ..LIMITS };
        assert!(matches!(
            run(&[(6, Truth::Yes), (50, Truth::Unknown), (6, Truth::Yes)], &paused)[..],
            [Transition::Raised(UtcMs(60), _)]
        ));
    }

    fn truth() -> impl Strategy<Value = Truth> {
        prop_oneof![Just(Truth::Yes), Just(Truth::No), Just(Truth::Unknown)]
    }

    proptest! {
        #[test]
        fn cutting_stretches_changes_nothing(
            stretches in proptest::collection::vec((1_i64..40, truth()), 1..30),
            cut in 1_i64..7,
        ) {
            let cut_up: Vec<_> = stretches
                .iter()
                .flat_map(|&(len, holds)| {
                    let whole = std::iter::repeat_n((cut, holds), usize::try_from(len / cut).unwrap());
                    whole.chain((len % cut > 0).then_some((len % cut, holds)))
                })
                .collect();
            prop_assert_eq!(run(&stretches, &LIMITS), run(&cut_up, &LIMITS));
        }
    }
}
