//! What can be set about a rule: one table with every default, its bounds and a sentence. Durations of R1, R8 and R16 are
//! older and stand in [`RuleLimits`](super::site::RuleLimits).
//!
//! Defaults are those the rule catalogue recommends, unless the sentence says otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rule::Rule;
use super::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};

/// What a parameter is measured in, and so how it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// ms; typed as `"10min"`.
    Span,
    /// A share of something, 0.05; typed as `"5%"` or `0.05`.
    Share,
    /// A plain number.
    Number,
    /// Time of the local day, ms since midnight; typed as `"22:00"`.
    Clock,
    /// V.
    Volt,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Of which rule.
    pub rule: Rule,
    /// The key under `[rules.RULE]`.
    pub key: &'static str,
    /// How it is typed.
    pub unit: Unit,
    /// Where nothing is typed.
    pub default: f64,
    /// Least and most.
    pub bounds: (f64, f64),
    /// What it does.
    pub says: &'static str,
}

macro_rules! params {
    ($($variant:ident: $rule:ident $key:literal $unit:ident $default:expr, $min:expr => $max:expr; $says:literal)*) => {
        /// Something that can be set about a rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Param {
            $(#[doc = $says] $variant,)*
        }

        impl Param {
            /// Every parameter.
            pub const ALL: &[Param] = &[$(Param::$variant,)*];

            /// Its row.
            #[must_use]
            #[expect(clippy::cast_precision_loss, reason = "durations of days in ms, far below 2^52")]
            pub const fn about(self) -> About {
                match self {
                    $(Param::$variant => About {
                        rule: Rule::$rule, key: $key, unit: Unit::$unit, default: $default as f64,
                        bounds: ($min as f64, $max as f64), says: $says,
                    },)*
                }
            }
        }
    };
}

params! {
    NightFrom: TreatmentOff "night_from" Clock 22 * HOUR_MS, 0 => DAY_MS; "Night begins, local time. At night R1 speaks sooner and a level higher."
    NightTo: TreatmentOff "night_to" Clock 6 * HOUR_MS, 0 => DAY_MS; "Night ends, local time."
    NightRaise: TreatmentOff "night_raise" Span 5 * MINUTE_MS, SECOND_MS => DAY_MS; "R15 a: at night a warning after so long, where that is sooner."
    LateTolerance: LateStart "tolerance" Span 2 * MINUTE_MS, 0 => HOUR_MS; "So much later is no violation."
    LateRepeats: LateStart "alarm_from" Number 3, 1 => 100; "From this many within `within` on it is an alarm."
    LateWithin: LateStart "within" Span 7 * DAY_MS, HOUR_MS => 90 * DAY_MS; "Time in which repetitions are counted."
    EarlyTolerance: EarlyStop "tolerance" Span 2 * MINUTE_MS, 0 => HOUR_MS; "So much earlier is no violation."
    EarlyRepeats: EarlyStop "alarm_from" Number 3, 1 => 100; "From this many within `within` on it is an alarm."
    EarlyWithin: EarlyStop "within" Span 7 * DAY_MS, HOUR_MS => 90 * DAY_MS; "Time in which repetitions are counted."
    UnderloadShare: TreatmentUnderload "share" Share 0.45, 0.05 => 0.95; "Below this share of its usual power at the same production level."
    UnderloadFactorDrop: TreatmentUnderload "power_factor_drop" Number 0.2, 0.05 => 1; "Or with a power factor so much below its usual one."
    UnderloadRaise: TreatmentUnderload "raise" Span 30 * MINUTE_MS, MINUTE_MS => DAY_MS; "Warning after."
    UnderloadAlarm: TreatmentUnderload "alarm" Span 2 * HOUR_MS, MINUTE_MS => 7 * DAY_MS; "Alarm after."
    RatioZ: EnergyRatio "z" Number 3.5, 1 => 100; "So many robust standard deviations below the median of the logarithms."
    RatioShare: EnergyRatio "share" Share 0.6, 0.05 => 1; "And below this share of the median."
    RatioDays: EnergyRatio "days_min" Number 14, 5 => 60; "Valid days before it speaks."
    RatioProduction: EnergyRatio "production_min" Span 2 * HOUR_MS, MINUTE_MS => DAY_MS; "A day with less production says nothing."
    FrozenRaise: Frozen "raise" Span 10 * MINUTE_MS, MINUTE_MS => DAY_MS; "All values bit for bit the same for so long while the unit runs."
    FrozenSamples: Frozen "samples_min" Number 10, 3 => 1_000; "And in so many readings."
    FrozenOffRaise: Frozen "off_raise" Span HOUR_MS, MINUTE_MS => 7 * DAY_MS; "Voltages the same for so long while it does not run."
    FrozenSteps: Frozen "steps_min" Number 5, 2 => 1_000; "A register stands still though power makes so many of its steps."
    ClockWarn: ClockDrift "warn" Span MINUTE_MS, SECOND_MS => DAY_MS; "Off by so much: notice."
    ClockAlarm: ClockDrift "alarm" Span 5 * MINUTE_MS, SECOND_MS => DAY_MS; "Off by so much: warning."
    CounterRated: Counter "power_max" Number 1.5, 1 => 10; "Most a unit can draw, in rated powers."
    CounterMargin: Counter "margin" Number 1.2, 1 => 10; "Times this is too much between two readings."
    MismatchShare: PowerEnergyMismatch "share" Share 0.05, 0.005 => 1; "Register and power differ by more than this share."
    MismatchSteps: PowerEnergyMismatch "steps_min" Number 3, 1 => 1_000; "And by more than so many steps of the register."
    MismatchRaise: PowerEnergyMismatch "raise" Span 2 * HOUR_MS, HOUR_MS => 7 * DAY_MS; "For so long."
    ReverseShare: ReverseCt "share" Share 0.05, 0.005 => 1; "A phase counts from this share of a third of rated power up."
    ReverseRaise: ReverseCt "raise" Span 5 * MINUTE_MS, SECOND_MS => DAY_MS; "For so long."
    VoltageNominal: VoltageLoss "nominal" Volt 220, 50 => 500_000; "Nominal phase voltage (for R13 b and d)."
    VoltageLost: VoltageLoss "lost_below" Share 0.78, 0.1 => 0.99; "Lost below this share of nominal while current flows."
    VoltageBroken: VoltageLoss "broken_below" Share 0.60, 0.1 => 0.99; "Broken below this share while none flows."
    VoltageRecovered: VoltageLoss "recovered_above" Share 0.85, 0.1 => 1; "Recovered from this share up."
    VoltageCurrent: VoltageLoss "current_min" Share 0.005, 0.0001 => 0.5; "Current flows from this share of rated current up."
    VoltageRaise: VoltageLoss "raise" Span MINUTE_MS, SECOND_MS => DAY_MS; "For so long."
    ImbalanceShare: Imbalance "share" Share 0.30, 0.05 => 1; "Currents differ by more than this share of the largest."
    ImbalanceLoad: Imbalance "load_min" Share 0.20, 0.01 => 1; "Only above this share of rated power."
    ImbalanceRaise: Imbalance "raise" Span 10 * MINUTE_MS, SECOND_MS => DAY_MS; "For so long."
    UndervoltageShare: Undervoltage "below" Share 0.90, 0.1 => 1; "All phases of one meter below this share of nominal while the site's others are not."
    UndervoltageRaise: Undervoltage "raise" Span 10 * MINUTE_MS, SECOND_MS => DAY_MS; "For so long."
    BypassShare: Bypass "share" Share 0.20, 0.01 => 1; "Unmetered share of the total above this."
    BypassDeviations: Bypass "deviations" Number 4, 1 => 100; "And above its own median by so many median deviations."
    BypassRaise: Bypass "raise" Span 4 * HOUR_MS, HOUR_MS => 7 * DAY_MS; "For so long."
    BypassHours: Bypass "hours_min" Number 168, 24 => 1_000; "Hours known before it speaks; a week, which is ours."
    NightNights: Night "nights_min" Number 5, 2 => 60; "Nights of production before it speaks."
    NightDayShare: Night "day_share" Share 0.90, 0.1 => 1; "By day treatment runs in this share of production time or more."
    NightNightShare: Night "night_share" Share 0.50, 0.01 => 0.99; "By night in this share or less."
    OutsideRaise: OutsideHours "raise" Span 10 * MINUTE_MS, SECOND_MS => DAY_MS; "For so long; as R1, since the catalogue sets none."
    RestartsPerDay: Restart "per_day" Number 3, 1 => 1_000; "More often than this in a day."
    CutWithin: PowerCut "within" Span 2 * MINUTE_MS, SECOND_MS => HOUR_MS; "All meters of the site fall silent within so long; ours."
    CutRaise: PowerCut "raise" Span 5 * MINUTE_MS, SECOND_MS => DAY_MS; "A shorter cut says nothing; ours."
}

impl Param {
    /// The parameter of a rule with that key.
    #[must_use]
    pub fn find(rule: Rule, key: &str) -> Option<Param> {
        Param::of(rule).find(|p| p.about().key == key)
    }

    /// All parameters of a rule.
    pub fn of(rule: Rule) -> impl Iterator<Item = Param> + Clone {
        Param::ALL.iter().copied().filter(move |p| p.about().rule == rule)
    }

    /// `late_start.tolerance`
    fn path(self) -> String {
        let about = self.about();
        format!("{}.{}", about.rule.name(), about.key)
    }
}

/// What was set otherwise than the table has it, and which rules were turned off.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Settings(Option<Box<Set>>);

/// What was set. Most of the time nothing is, and every site and process has its own.
#[derive(Clone, Debug, PartialEq, Default)]
struct Set {
    values: Vec<(Param, f64)>,
    off: Vec<Rule>,
}

impl Settings {
    /// All as the table has it.
    pub const DEFAULT: Settings = Settings(None);

    /// The value in force, in the unit of the table.
    #[must_use]
    pub fn get(&self, param: Param) -> f64 {
        let set = self.0.iter().flat_map(|set| &set.values).find(|(p, _)| *p == param);
        set.map_or_else(|| param.about().default, |(_, v)| *v)
    }

    /// A duration, ms.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the table")]
    pub fn ms(&self, param: Param) -> i64 {
        self.get(param) as i64
    }

    /// Whether the rule speaks at all.
    #[must_use]
    pub fn is_on(&self, rule: Rule) -> bool {
        self.0.as_ref().is_none_or(|set| !set.off.contains(&rule))
    }

    /// Sets a value.
    pub fn set(&mut self, param: Param, value: f64) {
        let values = &mut self.0.get_or_insert_default().values;
        values.retain(|(p, _)| *p != param);
        values.push((param, value));
    }

    /// Turns a rule off, or on again.
    pub fn turn(&mut self, rule: Rule, on: bool) {
        let off = self.0.iter_mut().map(|set| &mut set.off);
        off.for_each(|off| off.retain(|r| *r != rule));
        if !on {
            self.0.get_or_insert_default().off.push(rule);
        }
        // Turned off and on again is nothing set.
        self.0.take_if(|set| **set == Set::default());
    }
}

/// As it lies in the journal: by name, so that the table may grow.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    values: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    off: Vec<String>,
}

impl From<Written> for Settings {
    fn from(written: Written) -> Settings {
        let value = |(path, value): (&String, &f64)| {
            let (rule, key) = path.split_once('.')?;
            Some((Param::find(Rule::from_name(rule)?, key)?, *value))
        };
        let set = Set {
            values: written.values.iter().filter_map(value).collect(),
            off: written.off.iter().filter_map(|name| Rule::from_name(name)).collect(),
        };
        Settings((set != Set::default()).then(|| Box::new(set)))
    }
}

impl From<Settings> for Written {
    fn from(settings: Settings) -> Written {
        let Set { values, off } = settings.0.map_or_else(Set::default, |set| *set);
        Written {
            values: values.iter().map(|(p, v)| (p.path(), *v)).collect(),
            off: off.iter().map(|r| r.name().to_owned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_lies_within_its_bounds_and_every_path_is_there_once() {
        let mut paths: Vec<_> = Param::ALL.iter().map(|p| p.path()).collect();
        for about in Param::ALL.iter().map(|p| p.about()) {
            assert!((about.bounds.0..=about.bounds.1).contains(&about.default), "{}", about.key);
        }
        paths.sort();
        let n = paths.len();
        paths.dedup();
        assert_eq!(paths.len(), n);
    }

    #[test]
    fn what_was_set_survives_the_journal() {
        let mut settings = Settings::default();
        settings.set(Param::UnderloadShare, 0.3);
        settings.turn(Rule::Imbalance, false);
        let json = serde_json::to_string(&settings).unwrap();
        let back: Settings = serde_json::from_str(&json).unwrap();
        assert_eq!(back, settings);
        assert!(!back.is_on(Rule::Imbalance) && back.is_on(Rule::Frozen));
        assert_eq!((back.get(Param::UnderloadShare), back.ms(Param::LateTolerance)), (0.3, 120_000));
        assert_eq!(serde_json::from_str::<Settings>("{}").unwrap(), Settings::DEFAULT);
    }
}
