//! The meters of a site, reading by reading: hands each to the rules.

use serde::{Deserialize, Serialize};

use super::bypass::Bypass;
use super::counter;
use super::limits::SiteLimits;
use super::meter::{Active, MeterState};
use super::pair::Pair;
use super::phases::Sign;
use super::power_cut::{self, Cut};
use super::register::Move;
use super::wiring;
use crate::detection::debounce::Truth;
use crate::detection::finding::Finding;
use crate::detection::observe::Observation;
use crate::model::time::UtcMs;

/// State of the rules about meters for one site.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct MetersJudge {
    meters: Vec<MeterState>,
    bypass: Option<Box<Bypass>>,
    cut: Option<Cut>,
    /// Meters that were changed: of which point, when. Kept until a reading after it.
    replaced: Vec<(u16, UtcMs)>,
}

/// What becoming a sample needs to know of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The register is believed where it contradicts the power.
    pub is_trusted: bool,
    /// The meter was changed before this reading.
    pub is_replaced: bool,
}

impl MetersJudge {
    /// A site nothing is known of.
    #[must_use]
    pub fn new(site: &SiteLimits) -> MetersJudge {
        let meters = vec![MeterState::default(); site.points.len()];
        MetersJudge { meters, bypass: Bypass::new(site), ..MetersJudge::default() }
    }

    /// Time of the last reading of a point; before every time if there is none.
    #[must_use]
    pub fn last(&self, point: u16) -> UtcMs {
        self.meters[usize::from(point)].last
    }

    /// The meter of a point was changed at `at`: its register after it has nothing to do with that before.
    /// Said twice it is once.
    pub fn replaced(&mut self, point: u16, at: UtcMs) {
        if !self.replaced.contains(&(point, at)) {
            self.replaced.push((point, at));
        }
    }

    /// Takes over what was known before the site was configured anew; `index_of` tells the new index of each old point.
    pub fn carry_over(&mut self, old: &MetersJudge, index_of: &[Option<u16>]) {
        let moved = |point: u16| index_of.get(usize::from(point)).copied().flatten();
        for (was, moved) in old.meters.iter().zip(index_of) {
            if let Some(i) = moved {
                self.meters[usize::from(*i)] = was.clone();
            }
        }
        if let (Some(own), Some(was)) = (&mut self.bypass, &old.bypass) {
            own.carry_over(was, index_of);
        }
        self.replaced.extend(old.replaced.iter().filter_map(|(p, at)| Some((moved(*p)?, *at))));
    }

    /// Takes the next reading; they come in order of measuring time.
    pub fn take(&mut self, seen: &Observation, site: &SiteLimits, out: &mut impl FnMut(Finding)) -> Verdict {
        let point = usize::from(seen.point);
        let is_replaced = self.is_replaced(seen);
        let state = &mut self.meters[point];
        let own = &site.points[point];
        // The same reading once more.
        if seen.at <= state.last {
            return Verdict { is_trusted: state.agreement.is_trusted, is_replaced };
        }
        if is_replaced {
            state.replaced();
        }
        if let Some(kwh) = seen.energy_kwh.get() {
            state.shown.note(kwh, &own.register);
        }
        let pair = state.pair(seen, own);
        if let Some(bypass) = &mut self.bypass {
            bypass.take(&pair, site, out);
        }
        power_cut::take(&mut self.cut, &pair, &self.meters, site, out);
        let low = if seen.has_phases() { self.low(seen, site) } else { Truth::Unknown };
        let state = &mut self.meters[point];
        one(state, &pair, low, site, out);
        state.go_on(seen, low);
        Verdict { is_trusted: state.agreement.is_trusted, is_replaced }
    }

    fn is_replaced(&mut self, seen: &Observation) -> bool {
        let before = self.replaced.len();
        self.replaced.retain(|(point, at)| *point != seen.point || *at > seen.at);
        self.replaced.len() < before
    }

    /// What R13 d makes of a reading, beside the other meters as they were last seen, if that was not long ago.
    fn low(&self, seen: &Observation, site: &SiteLimits) -> Truth {
        let others = self.meters.iter().zip(&site.points).enumerate().filter(|(i, (m, own))| {
            *i != usize::from(seen.point) && seen.at.since(m.signs_at()) <= own.gap_ms()
        });
        wiring::low(seen.signs.get(Sign::Low), others.map(|(_, (m, _))| m.signs.get(Sign::Low)))
    }
}

/// The rules about one meter.
fn one(
    state: &mut MeterState,
    pair: &Pair<'_>,
    low: Truth,
    site: &SiteLimits,
    out: &mut impl FnMut(Finding),
) {
    let limits = (&site.points[usize::from(pair.point)], site);
    let before = state.before();
    if pair.moved.is_some_and(|(_, _, gone)| matches!(gone, Move::Prefix(_))) {
        state.shown.turn_prefix();
    }
    let mut active = state.active.take().map_or_else(Active::default, |boxed| *boxed);
    counter::take(&mut active.suspect, pair, state.shown, limits, out);
    // Where the prefix is another one, how much came is known to R11 alone; a register that was filled in is of another time.
    let is_told = !state.shown.is_foreign() && !pair.now.is_merged();
    let pair = &Pair { moved: pair.moved.filter(|_| is_told), ..*pair };
    state.frozen.take(&mut active.still, pair, limits, out);
    state.agreement.take(&mut active.mismatch, pair, site, out);
    if state.tells_wiring(pair.now) {
        wiring::take(
            (&mut active.wiring, &mut active.export),
            &before,
            (low, state.shown),
            pair,
            limits,
            out,
        );
    }
    if !active.is_quiet() {
        state.active = Some(Box::new(active));
    }
}
