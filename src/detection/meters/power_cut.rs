//! R17 `power_cut`: the whole site was without power. Found when data are back, from their registers.
//!
//! All meters that spoke within the last hour fall silent within `within` of each other (and a period of theirs) for `raise`
//! and two periods at least; when all are back, no register has moved by more than may lie at both ends of the silence, and
//! at least one of them measured a unit that ran and would have moved it by far more. Without that proof it may be the
//! gateway alone, and nothing is said. Notice, over when it is known. Source: rule catalogue, R17; what counts as proof is
//! ours.

use serde::{Deserialize, Serialize};

use super::limits::{MeterLimits, SiteLimits};
use super::meter::MeterState;
use super::pair::Pair;
use super::register;
use super::told::{Proof, event};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::Subject;
use crate::detection::finding::Finding;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::time::{HOUR_MS, UtcMs};

/// A meter that was silent before does not count.
const ALIVE_MS: i64 = HOUR_MS;

/// A silence counts from so many periods up.
const PERIODS: i64 = 2;

/// A register would have moved by so many steps at least to be proof.
const STEPS_MIN: f64 = 5.0;

/// All fell silent, and not all are back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// The last reading before.
    from: UtcMs,
    /// The first reading after.
    until: UtcMs,
    /// Points that are not back yet.
    out: Vec<u16>,
    /// A register that should have moved stood still.
    is_proven: bool,
    /// A register moved.
    is_refuted: bool,
}

/// Takes the next reading of a meter, with all meters as they were before it.
pub fn take(
    cut: &mut Option<Cut>,
    pair: &Pair<'_>,
    meters: &[MeterState],
    site: &SiteLimits,
    out: &mut impl FnMut(Finding),
) {
    let own = &site.points[usize::from(pair.point)];
    let least_ms = site.cut_raise_ms.max(PERIODS * own.period_ms());
    if pair.dt_ms < least_ms || pair.was == UtcMs::MIN {
        return;
    }
    if cut.as_ref().is_none_or(|known| !known.out.contains(&pair.point)) {
        *cut = begin(pair, meters, site);
    }
    let Some(known) = cut else { return };
    known.out.retain(|point| *point != pair.point);
    known.look(pair, own);
    if known.out.is_empty() {
        let Some(done) = cut.take().filter(|c| c.is_proven && !c.is_refuted) else { return };
        let length_ms = done.until.since(done.from);
        #[expect(clippy::cast_precision_loss, reason = "a duration of days in ms")]
        let figures = vec![Figure::new(Fact::Silence, length_ms as f64)];
        let proof = Proof { figures, instants: vec![(pair.point, pair.was), (pair.point, pair.now.at)] };
        let times = (done.from, done.until, pair.now.at);
        event((Rule::PowerCut, Level::Notice), Subject::Site, times, proof, out);
    }
}

fn begin(pair: &Pair<'_>, meters: &[MeterState], site: &SiteLimits) -> Option<Cut> {
    if !site.is_on(Rule::PowerCut) {
        return None;
    }
    let from = meters.iter().map(|m| m.last).max()?;
    let within_ms = site.settings.ms(Param::CutWithin);
    let mut silent = Vec::new();
    for ((point, meter), own) in (0_u16..).zip(meters).zip(&site.points) {
        let before_ms = from.since(meter.last);
        if before_ms > ALIVE_MS {
            continue;
        }
        let is_silent = pair.now.at.since(meter.last) >= site.cut_raise_ms.max(PERIODS * own.period_ms());
        if !is_silent || before_ms > within_ms + own.period_ms() {
            return None;
        }
        silent.push(point);
    }
    let is_site = silent.len() > 1 && silent.contains(&pair.point);
    is_site.then_some(Cut { from, until: pair.now.at, out: silent, is_proven: false, is_refuted: false })
}

impl Cut {
    fn look(&mut self, pair: &Pair<'_>, own: &MeterLimits) {
        let Some((_, since, gone)) = pair.moved else { return };
        let (Some(kwh), Some(was_w)) = (gone.forward(), pair.was_w) else { return };
        let most_w = was_w.max(pair.now.power_w.get().unwrap_or(was_w));
        let at_ends =
            2.0 * pair.step_kwh + register::kwh(most_w, PERIODS * own.period_ms() + pair.was.since(since));
        self.is_refuted |= kwh > at_ends;
        let could = register::kwh(was_w, pair.dt_ms);
        self.is_proven |= was_w >= own.running_w && could > at_ends + STEPS_MIN * pair.step_kwh;
    }
}
