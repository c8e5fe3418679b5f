//! The rule people write today: `production > a and treatment <= b` for 10 min, looked at once in `every_ms`. It knows no
//! "unknown": what is missing is 0, or no result and so no alert, or what was last heard.

use super::recording::Recording;
use super::score::Span;

/// What stands in for a value that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Zero,
    /// Without a value there is no result: what was building up or open is over.
    Resolves,
    LastKept,
}

/// Treatment off while production runs, by powers in kW.
#[derive(Clone, Copy)]
pub struct Naive<'a> {
    /// Production runs where any of these is above its threshold.
    pub production: &'a [(&'a str, f64)],
    /// It is off up to this.
    pub treatment: (&'a str, f64),
    pub missing: Missing,
    /// So long it must hold.
    pub for_ms: i64,
    pub every_ms: i64,
}

impl Missing {
    pub const ALL: [Missing; 3] = [Missing::Zero, Missing::Resolves, Missing::LastKept];

    /// As the table says it.
    pub fn words(self) -> &'static str {
        match self {
            Missing::Zero => "missing is 0",
            Missing::Resolves => "missing resolves",
            Missing::LastKept => "last value kept",
        }
    }
}

impl Naive<'_> {
    fn holds(&self, value: impl Fn(&str) -> f64) -> bool {
        self.production.iter().any(|(meter, above)| value(meter) > *above)
            && value(self.treatment.0) <= self.treatment.1
    }

    /// Begin and end of every alert.
    pub fn alerts(&self, recording: &Recording) -> Vec<Span> {
        let mut rows = recording.rows.iter().peekable();
        let mut values = vec![0.0; recording.meters.len()];
        let column = |meter: &str| recording.meters.iter().position(|m| m == meter);
        let (mut since, mut out) = (None, Vec::new());
        let (mut now, end) = (recording.rows[0].0, recording.rows[recording.rows.len() - 1].0);
        while now <= end {
            match self.missing {
                Missing::Zero => values.fill(0.0),
                // No comparison with it holds.
                Missing::Resolves => values.fill(f64::NAN),
                Missing::LastKept => {}
            }
            while let Some((_, powers)) = rows.next_if(|(at, _)| *at <= now) {
                for (value, power) in values.iter_mut().zip(powers) {
                    *value = power.unwrap_or(*value);
                }
            }
            match (since, self.holds(|meter| column(meter).map_or(0.0, |c| values[c]))) {
                (None, true) => since = Some(now),
                (Some(from), false) => {
                    // It must be seen to hold at the end of the duration.
                    out.extend((now.since(from) > self.for_ms).then_some((from, now)));
                    since = None;
                }
                _ => {}
            }
            now = now.plus(self.every_ms);
        }
        out.extend(since.filter(|from| now.since(*from) > self.for_ms).map(|from| (from, now)));
        out
    }
}
