//! What the rules about meters compare with: worked out once from the configuration.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::register::Register;
use crate::model::meter::Meter;
use crate::model::param::{Param, Settings};
use crate::model::rule::Rule;
use crate::model::site::{Point, PointKind};

/// What a unit is by its nameplate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// W.
    pub rated_w: f64,
    /// It is the total of its site.
    pub is_total: bool,
}

/// Of one meter.
#[derive(Clone, Debug)]
pub struct MeterLimits {
    /// Stands for the meter's id, in little room.
    meter: u64,
    /// What it measures.
    pub unit: Unit,
    /// Its energy register.
    pub register: Register,
    /// The unit runs from here up, W.
    pub running_w: f64,
    times: Times,
}

/// How often a meter speaks, and how long it may be silent. Small: there are as many of these as meters.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// How often it speaks, ms.
    pub period_ms: u32,
    /// How long it may be silent while nothing changes, ms: the period, or more.
    pub heartbeat_ms: u32,
    /// After a silence longer than this nothing is known of the time between, ms.
    pub gap_ms: u32,
}

impl MeterLimits {
    /// Of the meter of a point.
    #[must_use]
    pub fn new(point: &Point, meter: &Meter, settings: &Settings, times: Times) -> MeterLimits {
        let max_w = point.rated_w * settings.get(Param::CounterRated);
        let ratio = meter.ct * meter.pt;
        MeterLimits {
            meter: BuildHasherDefault::<DefaultHasher>::default().hash_one(&meter.id),
            unit: Unit { rated_w: point.rated_w, is_total: point.kind == PointKind::Total },
            register: Register::new(
                meter.counting.as_deref(),
                ratio,
                max_w,
                settings.get(Param::CounterMargin),
            ),
            running_w: point.thresholds.running_above_w,
            times,
        }
    }

    /// How often it speaks, ms.
    #[must_use]
    pub fn period_ms(&self) -> i64 {
        i64::from(self.times.period_ms)
    }

    /// How long it may be silent while nothing changes, ms: the period, or more.
    #[must_use]
    pub fn heartbeat_ms(&self) -> i64 {
        i64::from(self.times.heartbeat_ms)
    }

    /// After a silence longer than this nothing is known of the time between, ms.
    #[must_use]
    pub fn gap_ms(&self) -> i64 {
        i64::from(self.times.gap_ms)
    }

    /// Whether it is the same meter, counting in the same way; if not, its register has nothing to do with what it was.
    #[must_use]
    pub fn is_same_meter(&self, other: &MeterLimits) -> bool {
        self.meter == other.meter && self.register.counts_like(&other.register)
    }
}

/// Shares that signs of the wiring are told by.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is a row of the table of parameters")]
pub struct Shares {
    pub reverse: f64,
    pub nominal_v: f64,
    pub lost: f64,
    pub broken: f64,
    pub recovered: f64,
    pub current_min: f64,
    pub imbalance: f64,
    pub load_min: f64,
    pub low: f64,
}

impl Shares {
    /// As set.
    #[must_use]
    pub fn of(settings: &Settings) -> Shares {
        Shares {
            reverse: settings.get(Param::ReverseShare),
            nominal_v: settings.get(Param::VoltageNominal),
            lost: settings.get(Param::VoltageLost),
            broken: settings.get(Param::VoltageBroken),
            recovered: settings.get(Param::VoltageRecovered),
            current_min: settings.get(Param::VoltageCurrent),
            imbalance: settings.get(Param::ImbalanceShare),
            load_min: settings.get(Param::ImbalanceLoad),
            low: settings.get(Param::UndervoltageShare),
        }
    }
}

/// Of all meters of a site.
#[derive(Clone, Debug)]
pub struct SiteLimits {
    /// By point.
    pub points: Vec<MeterLimits>,
    /// By point: its gateway.
    pub gateways: Vec<u16>,
    /// Shares for the wiring.
    pub shares: Shares,
    /// R9: so many readings are needed; asked for with every reading.
    pub frozen_samples: f64,
    /// R17: a shorter cut says nothing, ms; asked for with every reading.
    pub cut_raise_ms: i64,
    /// What is set about rules.
    pub settings: Settings,
}

impl SiteLimits {
    /// Of a site without points yet, with room for so many.
    #[must_use]
    pub fn new(settings: &Settings, n_points: usize) -> SiteLimits {
        SiteLimits {
            points: Vec::with_capacity(n_points),
            gateways: Vec::with_capacity(n_points),
            shares: Shares::of(settings),
            frozen_samples: settings.get(Param::FrozenSamples),
            cut_raise_ms: settings.ms(Param::CutRaise),
            settings: settings.clone(),
        }
    }

    /// Adds the next point, and its gateway.
    pub fn push(&mut self, point: MeterLimits, gateway: u16) {
        self.points.push(point);
        self.gateways.push(gateway);
    }

    /// Whether a rule speaks.
    #[must_use]
    pub fn is_on(&self, rule: Rule) -> bool {
        self.settings.is_on(rule)
    }
}
