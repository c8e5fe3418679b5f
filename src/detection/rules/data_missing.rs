//! R8 `data_missing`: a point is silent, or a whole gateway.
//!
//! A point is offline when it has not been heard for `offline_ms`: warning, alarm after `offline_alarm_ms`. When every
//! point behind its gateway is stale at that moment, it is one alert of the gateway and not one of each point. It
//! clears once data has flowed for `clear_ms` without a stale gap. Source: rule catalogue, R8.

use serde::{Deserialize, Serialize};

use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::detection::finding::Finding;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;

/// When a point counts as silent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SilenceLimits {
    /// Index of its gateway.
    pub gateway: u16,
    /// Stale after, ms.
    pub stale_ms: u32,
    /// Offline after, ms.
    pub offline_ms: u32,
    /// An alarm after, ms.
    pub alarm_ms: u32,
    /// Data must flow so long before it clears, ms.
    pub clear_ms: u32,
    /// Whether the rule speaks: what is open still clears, but nothing else is said.
    pub is_on: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    first: UtcMs,
    level: Level,
    back: Option<UtcMs>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    heard: UtcMs,
    /// When its last alert cleared: what its points still owe is raised no earlier.
    cleared: UtcMs,
    open: Option<Box<Open>>,
}

/// State of the rule for one site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataMissing {
    points: Vec<Line>,
    gateways: Vec<Line>,
    /// Nobody listened before this moment: silence counts from here.
    excused: UtcMs,
    /// No alert can become due before this moment.
    next_due: UtcMs,
}

impl DataMissing {
    /// A site of so many points and gateways, known since `since`.
    #[must_use]
    pub fn new(n_points: usize, n_gateways: usize, since: UtcMs) -> DataMissing {
        let line = Line { heard: since, cleared: UtcMs::MIN, open: None };
        DataMissing {
            points: vec![line.clone(); n_points],
            gateways: vec![line; n_gateways],
            excused: since,
            next_due: UtcMs::MIN,
        }
    }

    /// Nobody listened before `at`: the daemon was down, so silence until then proves nothing.
    pub fn excuse(&mut self, at: UtcMs) {
        self.excused = self.excused.max(at);
    }

    /// No alert can become due before this moment.
    #[must_use]
    pub fn next_due(&self) -> UtcMs {
        self.next_due
    }

    /// When a point was last heard.
    #[must_use]
    pub fn heard(&self, point: u16) -> UtcMs {
        self.points[usize::from(point)].heard
    }

    /// Takes over what was known before the site was configured anew: of points by `index_of`, which tells the new index of
    /// each old one, and of gateways, old and new, by name. Silence goes on counting through it.
    pub fn carry_over(
        &mut self,
        old: &DataMissing,
        index_of: &[Option<u16>],
        (old_gateways, gateways): (&[Box<str>], &[Box<str>]),
    ) {
        for (line, moved) in old.points.iter().zip(index_of) {
            if let Some(i) = moved {
                self.points[usize::from(*i)] = line.clone();
            }
        }
        for (line, name) in self.gateways.iter_mut().zip(gateways) {
            let was = old_gateways.iter().position(|g| g == name);
            if let Some(i) = was {
                *line = old.gateways[i].clone();
            }
        }
        self.excused = old.excused;
    }

    /// A point was heard.
    pub fn hear(&mut self, point: u16, at: UtcMs, limits: &[SilenceLimits], out: &mut impl FnMut(Finding)) {
        self.pass(at, limits, out);
        let own = limits[usize::from(point)];
        let gateway = &mut self.gateways[usize::from(own.gateway)];
        let cleared = hear_line(&mut self.points[usize::from(point)], at, &own, Subject::Point(point), out)
            | hear_line(gateway, at, &own, Subject::Gateway(own.gateway), out);
        if cleared {
            self.next_due = UtcMs::MIN;
        }
    }

    /// Time has gone to `to`.
    pub fn pass(&mut self, to: UtcMs, limits: &[SilenceLimits], out: &mut impl FnMut(Finding)) {
        while self.next_due <= to {
            let Some((at, due)) = self.earliest(limits) else {
                self.next_due = UtcMs(i64::MAX / 4);
                return;
            };
            self.next_due = at;
            if at > to {
                return;
            }
            match due {
                Due::Rise(subject) => self.rise(subject, at, out),
                Due::Silent(point) => self.silent(point, at, limits, out),
            }
        }
    }

    fn earliest(&self, limits: &[SilenceLimits]) -> Option<(UtcMs, Due)> {
        let mut best: Option<(UtcMs, Due)> = None;
        let mut offer = |at: UtcMs, due: Due| {
            if best.is_none_or(|(known, _)| at < known) {
                best = Some((at, due));
            }
        };
        for (point, (line, own)) in (0_u16..).zip(self.points.iter().zip(limits)) {
            if !own.is_on {
                continue;
            }
            let gateway = &self.gateways[usize::from(own.gateway)];
            match (&line.open, &gateway.open) {
                (Some(open), _) if open.level < Level::Alarm => {
                    offer(open.first.plus(own.alarm_ms.into()), Due::Rise(Subject::Point(point)));
                }
                (None, Some(open)) if open.level < Level::Alarm => {
                    offer(open.first.plus(own.alarm_ms.into()), Due::Rise(Subject::Gateway(own.gateway)));
                }
                (None, None) => {
                    let silent = line.heard.max(self.excused);
                    offer(silent.plus(own.offline_ms.into()).max(gateway.cleared), Due::Silent(point));
                }
                _ => {}
            }
        }
        best
    }

    fn rise(&mut self, subject: Subject, at: UtcMs, out: &mut impl FnMut(Finding)) {
        let line = match subject {
            Subject::Gateway(i) => &mut self.gateways[usize::from(i)],
            Subject::Point(i) => &mut self.points[usize::from(i)],
            Subject::Process(_) | Subject::Site => return,
        };
        if let Some(open) = &mut line.open {
            open.level = Level::Alarm;
            out(finding(Change::Escalated, at, subject, open, at));
        }
    }

    fn silent(&mut self, point: u16, at: UtcMs, limits: &[SilenceLimits], out: &mut impl FnMut(Finding)) {
        let (gateway, excused) = (limits[usize::from(point)].gateway, self.excused);
        let behind = || self.points.iter().zip(limits).filter(|(_, l)| l.gateway == gateway);
        let all_stale = behind().count() > 1
            && behind().all(|(line, l)| at.since(line.heard.max(self.excused)) >= i64::from(l.stale_ms));
        let (line, subject) = if all_stale {
            (&mut self.gateways[usize::from(gateway)], Subject::Gateway(gateway))
        } else {
            (&mut self.points[usize::from(point)], Subject::Point(point))
        };
        let open = Open { first: line.heard.max(excused), level: Level::Warning, back: None };
        out(finding(Change::Raised, at, subject, &open, at));
        line.open = Some(Box::new(open));
    }
}

#[derive(Clone, Copy)]
enum Due {
    Rise(Subject),
    Silent(u16),
}

fn hear_line(
    line: &mut Line,
    at: UtcMs,
    limits: &SilenceLimits,
    subject: Subject,
    out: &mut impl FnMut(Finding),
) -> bool {
    let before = std::mem::replace(&mut line.heard, at);
    let Some(open) = &mut line.open else { return false };
    let back = match open.back {
        Some(back) if at.since(before) < i64::from(limits.stale_ms) => back,
        _ => at,
    };
    open.back = Some(back);
    if at.since(back) < i64::from(limits.clear_ms) {
        return false;
    }
    out(finding(Change::Cleared, at, subject, open, back));
    line.open = None;
    line.cleared = at;
    true
}

fn finding(change: Change, at: UtcMs, subject: Subject, open: &Open, until: UtcMs) -> Finding {
    Finding::Alert(Box::new(AlertFinding {
        rule: Rule::DataMissing,
        subject,
        change,
        at,
        first: open.first,
        last_certain: until,
        level: open.level,
        certain_ms: until.since(open.first),
        unknown_ms: 0,
        tallies: Vec::new(),
        fragments: Vec::new(),
        figures: Vec::new(),
        instants: Vec::new(),
    }))
}
