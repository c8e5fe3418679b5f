//! The rules by name, and how grave what they say is. The catalogue's numbers are kept for good.

use serde::{Deserialize, Serialize};

/// How grave an alert is; it only ever rises while the alert is open.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Kept, told to nobody.
    Notice,
    /// The enterprise is to act.
    Warning,
    /// The agency is to know.
    Alarm,
    /// The agency is to act now.
    Critical,
}

impl Level {
    /// All of them, the least grave first.
    pub const ALL: [Level; 4] = [Level::Notice, Level::Warning, Level::Alarm, Level::Critical];

    /// The word in API, tags and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Alarm => "alarm",
            Level::Critical => "critical",
        }
    }

    /// One level higher, at night and in an emergency.
    #[must_use]
    pub const fn up(self) -> Level {
        match self {
            Level::Notice => Level::Warning,
            Level::Warning => Level::Alarm,
            Level::Alarm | Level::Critical => Level::Critical,
        }
    }
}

/// What a rule is about, and so what it needs of the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Production and treatment of a process.
    Process,
    /// One meter, or its gateway.
    Meter,
    /// The whole site.
    Site,
}

macro_rules! rules {
    ($($variant:ident $id:literal $name:literal $scope:ident v $version:literal $says:literal)*) => {
        /// Which rule speaks. Names and numbers are those of the rule catalogue and are kept for good.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $(#[doc = concat!($id, ": ", $says)] $variant,)*
        }

        impl Rule {
            /// Every rule there is, in the order of the catalogue.
            pub const ALL: &[Rule] = &[$(Rule::$variant,)*];

            /// Number in the catalogue.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Rule::$variant => $id,)* }
            }

            /// The word in config, API and tags.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Rule::$variant => $name,)* }
            }

            /// What it is about.
            #[must_use]
            pub const fn scope(self) -> Scope {
                match self { $(Rule::$variant => Scope::$scope,)* }
            }

            /// Raised with every change that could change an outcome; alerts quote it.
            #[must_use]
            pub const fn version(self) -> u32 {
                match self { $(Rule::$variant => $version,)* }
            }
        }
    };
}

rules! {
    TreatmentOff "R1" "treatment_off" Process v 2 "treatment off while production runs."
    LateStart "R2" "late_start" Process v 1 "treatment started after production."
    EarlyStop "R3" "early_stop" Process v 1 "treatment stopped before production had ended and aired out."
    TreatmentUnderload "R4" "treatment_underload" Process v 1 "treatment runs far below its own usual power."
    EnergyRatio "R5" "energy_ratio" Process v 1 "a day's treatment energy is small beside its production energy."
    DataMissing "R8" "data_missing" Meter v 1 "a point or a whole gateway is silent."
    GapWhileProducing "R8" "gap_while_producing" Process v 1 "treatment cannot be seen while production runs."
    IncompleteDay "R8" "incomplete_day" Meter v 1 "a unit's state could not be told for too much of a day."
    Frozen "R9" "frozen" Meter v 1 "values do not move, or a register stands still under load."
    ClockDrift "R10" "clock_drift" Meter v 1 "the device's clock is off."
    Counter "R11" "counter" Meter v 1 "an energy register went back or jumped."
    PowerEnergyMismatch "R12" "power_energy_mismatch" Meter v 1 "register and power contradict each other."
    ReverseCt "R13" "reverse_ct" Meter v 2 "a current transformer is the wrong way round."
    VoltageLoss "R13" "voltage_loss" Meter v 1 "a phase has lost its voltage."
    Imbalance "R13" "imbalance" Meter v 1 "the phases carry unlike currents."
    Undervoltage "R13" "undervoltage" Meter v 1 "one meter alone sees low voltage."
    Bypass "R14" "bypass" Site v 1 "the site draws what no sub-meter shows."
    Night "R15" "night" Process v 1 "treatment rests at night while production goes on."
    OutsideHours "R15" "outside_hours" Process v 1 "production outside the declared working time."
    Fragmented "R16" "fragmented" Process v 1 "many gaps, each too short for R1."
    Restart "R17" "restart" Meter v 1 "a gateway starts again and again."
    PowerCut "R17" "power_cut" Site v 1 "the whole site was without power."
    ConfigChange "R18" "config_change" Site v 1 "what is judged by was changed."
}

impl Rule {
    /// The rule of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|r| r.name() == name)
    }
}
