//! What is known of one meter from its reading before, and the step from there to the next. Small: there are 100,000.

use serde::{Deserialize, Serialize};

use super::counter::Suspect;
use super::export::Moving;
use super::frozen::{Frozen, Still};
use super::limits::MeterLimits;
use super::mismatch::{Agreement, Mismatch};
use super::pair::Pair;
use super::phases::{Before, Signs};
use super::register::Shown;
use super::wiring::Watch;
use crate::detection::debounce::Truth;
use crate::detection::maybe::{Maybe, Maybe32};
use crate::detection::observe::{NO_EXPORT, Observation};
use crate::model::time::UtcMs;

/// What a meter said last, and what is building up. Times before the last reading are kept as their distance to it, ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeterState {
    /// Its last reading.
    pub last: UtcMs,
    /// Its last register, kWh.
    pub energy_kwh: Maybe,
    /// Power of the last reading, W.
    pub power_w: Maybe32,
    /// The last register is so much older than the last reading.
    pub energy_ago_ms: u32,
    /// So are the last signs of the wiring.
    pub signs_ago_ms: u32,
    /// Whether its values move.
    pub frozen: Frozen,
    /// Whether register and power agree.
    pub agreement: Agreement,
    /// What its register has shown of its step.
    pub shown: Shown,
    /// The last signs of the wiring.
    pub signs: Signs,
    /// R13 d, beside the other meters of the site.
    pub low: Truth,
    /// The export register beside those signs, Wh.
    export_wh: u32,
    /// Where nothing is suspected nothing is kept.
    pub active: Option<Box<Active>>,
}

/// What is suspected of a meter, or open.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Active {
    /// R9.
    pub still: Option<Still>,
    /// R11.
    pub suspect: Option<Suspect>,
    /// R12.
    pub mismatch: Option<Mismatch>,
    /// R13.
    pub wiring: Vec<Watch>,
    /// R13 a: the reverse register moves.
    pub export: Option<Moving>,
}

impl Active {
    /// Whether nothing is left.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.still.is_none()
            && self.suspect.is_none()
            && self.mismatch.is_none()
            && self.wiring.is_empty()
            && self.export.is_none()
    }
}

impl Default for MeterState {
    fn default() -> MeterState {
        MeterState {
            last: UtcMs::MIN,
            energy_kwh: Maybe::NONE,
            power_w: Maybe32::NONE,
            energy_ago_ms: 0,
            signs_ago_ms: 0,
            frozen: Frozen::default(),
            agreement: Agreement::default(),
            shown: Shown::default(),
            signs: Signs::NONE,
            low: Truth::Unknown,
            export_wh: NO_EXPORT,
            active: None,
        }
    }
}

impl MeterState {
    /// The step to a reading.
    #[must_use]
    pub fn pair<'a>(&self, now: &'a Observation, limits: &MeterLimits) -> Pair<'a> {
        let dt_ms = now.at.since(self.last);
        let before = self.energy_kwh.get().zip(now.energy_kwh.get());
        let moved = before.map(|(was_kwh, kwh)| {
            let at = self.last.plus(-i64::from(self.energy_ago_ms));
            let power_w =
                self.power_w.get().map(f64::from).into_iter().chain(now.power_w.get()).reduce(f64::max);
            (was_kwh, at, limits.register.go((was_kwh, kwh), self.shown, now.at.since(at), power_w))
        });
        Pair {
            point: now.point,
            was: self.last,
            was_w: self.power_w.get().map(f64::from),
            now,
            dt_ms,
            is_known: dt_ms <= limits.gap_ms(),
            moved,
            step_kwh: now.energy_kwh.get().map_or(0.0, |kwh| limits.register.step_kwh(kwh, self.shown)),
        }
    }

    /// Goes on to a reading, once all was judged.
    pub fn go_on(&mut self, now: &Observation, low: Truth) {
        let dt_ms = u32::try_from(now.at.since(self.last)).unwrap_or(u32::MAX);
        self.last = now.at;
        #[expect(clippy::cast_possible_truncation, reason = "compared with shares of a hundredth")]
        let power_w = now.power_w.get().map(|w| w as f32);
        self.power_w = power_w.into();
        self.energy_ago_ms = self.energy_ago_ms.saturating_add(dt_ms);
        if now.energy_kwh.get().is_some() {
            (self.energy_kwh, self.energy_ago_ms) = (now.energy_kwh, 0);
        }
        self.signs_ago_ms = self.signs_ago_ms.saturating_add(dt_ms);
        if self.tells_wiring(now) {
            (self.signs, self.low, self.signs_ago_ms) = (now.signs, low, 0);
            self.export_wh = now.export_wh().unwrap_or(NO_EXPORT);
        }
    }

    /// The meter was changed: nothing is to be made of its register before.
    pub fn replaced(&mut self) {
        (self.energy_kwh, self.energy_ago_ms, self.shown) = (Maybe::NONE, 0, Shown::default());
        self.frozen.forget_register();
        (self.agreement, self.export_wh) = (Agreement::default(), NO_EXPORT);
        if let Some(active) = &mut self.active {
            (active.suspect, active.export) = (None, None);
        }
    }

    /// Whether a reading says anything of the wiring: of phases, or of a reverse register where the meter says no phases.
    #[must_use]
    pub fn tells_wiring(&self, now: &Observation) -> bool {
        now.has_phases() || (self.signs == Signs::NONE && now.export_wh().is_some())
    }

    /// What was known of the wiring before.
    #[must_use]
    pub fn before(&self) -> Before {
        let export_wh = (self.export_wh != NO_EXPORT).then_some(self.export_wh);
        Before { at: self.signs_at(), signs: self.signs, low: self.low, export_wh }
    }

    /// When the last signs of the wiring were seen.
    #[must_use]
    pub fn signs_at(&self) -> UtcMs {
        self.last.plus(-i64::from(self.signs_ago_ms))
    }
}
