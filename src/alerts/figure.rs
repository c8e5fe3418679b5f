//! Figures a rule worked out and rests on, beside powers and registers: each with a name and a unit.

use serde::{Deserialize, Serialize};

/// How a figure is measured, and so how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A moment, UTC ms.
    Moment,
    /// ms.
    Span,
    /// W.
    Power,
    /// kWh.
    Energy,
    /// 1, shown in %.
    Share,
    /// A plain number.
    Number,
    /// V.
    Voltage,
    /// A.
    Current,
}

macro_rules! facts {
    ($($variant:ident $name:literal $measure:ident $says:literal)*) => {
        /// What a figure says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Fact {
            $(#[doc = $says] $variant,)*
        }

        impl Fact {
            /// Every fact there is.
            pub const ALL: &[Fact] = &[$(Fact::$variant,)*];

            /// The word in JSON; its unit stands last.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Fact::$variant => $name,)* }
            }

            /// How it is measured.
            #[must_use]
            pub const fn measure(self) -> Measure {
                match self { $(Fact::$variant => Measure::$measure,)* }
            }
        }
    };
}

facts! {
    ProductionEdge "production_edge" Moment "when production changed"
    TreatmentEdge "treatment_edge" Moment "when treatment changed"
    EdgeUncertainty "edge_uncertainty" Span "edges cannot be surer than this"
    Lateness "lateness" Span "so much later than due"
    Earliness "earliness" Span "so much sooner than allowed"
    Repeats "repeats" Number "violations of the kind within the window, this one included"
    Night "night" Share "share of it that lies in the night"
    Lead "lead" Span "treatment must run so long before production"
    Lag "lag" Span "treatment must run on so long after production"
    ProductionLevel "production_level" Share "production's power as a share of its rated power"
    UsualPower "usual_power" Power "what the unit usually draws at this level of production"
    UsualShare "usual_share" Share "what it drew, as a share of what it usually draws"
    BaselineVersion "baseline_version" Number "version of the usual powers that were judged by"
    Ratio "ratio" Number "treatment energy over production energy of the day"
    RatioMedian "ratio_median" Number "median of the days before"
    RatioZ "ratio_z" Number "robust standard deviations from the median of the logarithms"
    RatioDeviation "ratio_deviation" Number "robust standard deviation of the logarithms"
    RatioDays "ratio_days" Number "days the median is of"
    ProductionEnergy "production_energy" Energy "production energy of the day while all was known"
    TreatmentEnergy "treatment_energy" Energy "treatment energy of the day while all was known"
    DayBegin "day_begin" Moment "a day that was compared; its ratio stands next"
    DayRatio "day_ratio" Number "ratio of that day"
    DayShare "day_share" Share "share of production time in which treatment ran, by day"
    NightShare "night_share" Share "share of production time in which treatment ran, by night"
    Nights "nights" Number "nights with production that were counted"
    NightProduction "night_production" Span "production time of those nights in which treatment could be told"
    SameReadings "same_readings" Number "readings that were the same bit for bit"
    StuckEnergy "stuck_energy" Energy "energy that power made while the register stood still"
    RegisterStep "register_step" Energy "step of the register"
    RegisterBefore "register_before" Energy "register before"
    RegisterAfter "register_after" Energy "register after"
    RegisterMost "register_most" Energy "most that can have come to it meanwhile"
    RegisterModulus "register_modulus" Energy "where the register begins anew"
    PrefixFactor "prefix_factor" Number "the register says so many times what it said: another unit prefix"
    EnergyCame "energy_came" Energy "what came to the register"
    PowerMade "power_made" Energy "what power made in the same time"
    RegisterRatio "register_ratio" Number "register against power"
    MeanVoltage "mean_voltage" Voltage "mean voltage of the phases"
    UnmeteredShare "unmetered_share" Share "share of the total that no sub-meter shows"
    UnmeteredUsual "unmetered_usual" Share "median of that share"
    UnmeteredEnergy "unmetered_energy" Energy "energy that no sub-meter shows, of the hour"
    TotalEnergy "total_energy" Energy "energy of the total, of the hour"
    Restarts "restarts" Number "times it began to count anew within a day"
    Silence "silence" Span "so long nothing was heard of any meter"
    ClockBehind "clock_behind" Span "so much later received than measured, in the median; negative where it is ahead"
    ZoneHours "zone_hours" Number "ahead by whole hours: a time zone"
}

/// A figure, as detection gives it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it says.
    pub what: Fact,
    /// Of which point, if of one: index into the site's points.
    pub point: Option<u16>,
    /// In the fact's unit.
    pub value: f64,
}

impl Figure {
    /// A figure of the alert as a whole.
    #[must_use]
    pub const fn new(what: Fact, value: f64) -> Figure {
        Figure { what, point: None, value }
    }

    /// A figure of one point.
    #[must_use]
    pub const fn of(point: u16, what: Fact, value: f64) -> Figure {
        Figure { what, point: Some(point), value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_is_written_by_its_name() {
        for fact in Fact::ALL {
            assert_eq!(serde_json::to_string(fact).unwrap(), format!("\"{}\"", fact.name()));
        }
    }
}
