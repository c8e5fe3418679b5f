//! What was found against what is true.

use submeterd::model::time::{MINUTE_MS, UtcMs};

pub type Span = (UtcMs, UtcMs);

/// A row of the table a reader of the test log sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    pub alerts: usize,
    /// True intervals that are long enough to be told.
    pub due: usize,
    /// Of them not overlapped by any alert.
    pub missed: usize,
    /// Alerts that overlap no true interval, however short.
    pub false_alerts: usize,
    /// Largest distance of an alert's begin from the begin of a true interval, of those that are not false, ms.
    pub onset_ms: i64,
    /// Time of the alerts in which it was not true, ms.
    pub outside_ms: i64,
}

fn overlap_ms(a: Span, b: Span) -> i64 {
    a.1.min(b.1).since(a.0.max(b.0)).max(0)
}

impl Score {
    pub fn of(found: &[Span], truth: &[Span], due_ms: i64) -> Score {
        let overlaps = |a: &Span, all: &[Span]| all.iter().any(|b| overlap_ms(*a, *b) > 0);
        let due: Vec<&Span> = truth.iter().filter(|t| t.1.since(t.0) >= due_ms).collect();
        let onset = |a: &Span| truth.iter().map(|t| a.0.since(t.0).abs()).min();
        let true_ms = |a: &Span| truth.iter().map(|t| overlap_ms(*a, *t)).sum::<i64>();
        Score {
            alerts: found.len(),
            due: due.len(),
            missed: due.iter().filter(|t| !overlaps(t, found)).count(),
            false_alerts: found.iter().filter(|a| !overlaps(a, truth)).count(),
            onset_ms: found.iter().filter(|a| overlaps(a, truth)).filter_map(onset).max().unwrap_or(0),
            outside_ms: found.iter().map(|a| a.1.since(a.0) - true_ms(a)).sum(),
        }
    }

    /// Whether every due interval was found and nothing else.
    pub fn is_right(&self) -> bool {
        (self.missed, self.false_alerts) == (0, 0)
    }

    pub fn print(&self, case: &str, by: &str) {
        let minutes = |ms: i64| ms as f64 / MINUTE_MS as f64;
        println!(
            "| {case} | {by} | {} | {} | {} | {} | {:.1} min | {:.1} min |",
            self.alerts,
            self.due,
            self.missed,
            self.false_alerts,
            minutes(self.onset_ms),
            minutes(self.outside_ms),
        );
    }
}

pub fn head() {
    println!("\n| case | judged by | alerts | due | missed | false | onset off by | time outside |");
    println!("|---|---|---|---|---|---|---|---|");
}

/// The stretches of rows for which `holds`, each up to the first row for which it does not; where nothing was seen for
/// longer than `gap_ms`, up to the last that was.
pub fn stretches(rows: impl Iterator<Item = (UtcMs, bool)>, gap_ms: i64) -> Vec<Span> {
    let (mut out, mut open): (_, Option<Span>) = (Vec::new(), None);
    for (at, holds) in rows {
        if let Some((from, last)) = open {
            let is_gap = at.since(last) > gap_ms;
            if is_gap || !holds {
                out.push((from, if is_gap { last } else { at }));
                open = None;
            }
        }
        if holds {
            open = Some((open.map_or(at, |(from, _)| from), at));
        }
    }
    out.extend(open);
    out
}
