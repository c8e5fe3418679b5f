//! Sites, their points and the processes that tie treatment to production.

use serde::{Deserialize, Deserializer, Serialize};

use super::baseline::Baseline;
use super::param::Settings;
use super::reading::MeterIdx;
use super::time::UtcMs;
use super::working_time::WorkingTime;

/// Thresholds and baselines both carry it.
pub use super::basis::Basis;

/// Supervision category: 一般 / 重点 / 特殊.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Category {
    #[default]
    General,
    Key,
    Special,
}

/// Performance grade in heavy-pollution response: 引领性, A, B, C, D or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Grade {
    #[serde(rename = "leading")]
    Leading,
    A,
    B,
    C,
    D,
    #[default]
    #[serde(rename = "ungraded")]
    Ungraded,
}

/// A plant under supervision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// Unique; letters, digits, `-`, `_`, `.`.
    pub id: Box<str>,
    /// As people call it.
    pub name: Box<str>,
    /// District.
    pub region: Box<str>,
    /// Industry.
    pub industry: Box<str>,
    /// Supervision category.
    pub category: Category,
    /// On the positive list (fewer visits).
    pub positive_list: bool,
    /// Grade in heavy-pollution response.
    pub grade: Grade,
    /// IANA name of its time zone.
    pub time_zone: Box<str>,
    /// How long a reading is waited for before the site is judged past its time, ms.
    pub reorder_ms: u32,
    /// Readings of one step are averaged into one sample before they are judged, ms. 1 min.
    pub step_ms: u32,
    /// A point not heard for this long, and for three of its periods, is unknown, ms. 5 min.
    pub gap_ms: u32,
    /// Metered units.
    #[serde(deserialize_with = "exact")]
    pub points: Vec<Point>,
    /// Which treatment must run while which production runs.
    #[serde(deserialize_with = "exact")]
    pub processes: Vec<Process>,
    /// What is set about the rules of its meters and of the site as a whole.
    #[serde(default)]
    pub rules: Settings,
    /// When it says that it works; a process may say otherwise.
    #[serde(default)]
    pub working_time: Option<WorkingTime>,
}

/// A list as it is read, in as much memory as it needs: lists are given room for four or eight while they are read, and there
/// are as many of these as there are sites.
fn exact<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let mut list = Vec::deserialize(from)?;
    list.shrink_to_fit();
    Ok(list)
}

/// What a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum PointKind {
    Production,
    Treatment,
    Total,
    Auxiliary,
}

impl PointKind {
    /// The word in config, API and tags.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            PointKind::Production => "production",
            PointKind::Treatment => "treatment",
            PointKind::Total => "total",
            PointKind::Auxiliary => "auxiliary",
        }
    }
}

/// One metered unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Unique within the site.
    pub id: Box<str>,
    /// As people call it.
    pub name: Box<str>,
    /// What it is.
    pub kind: PointKind,
    /// Rated power, W.
    pub rated_w: f64,
    /// The meter that measures it.
    pub meter: MeterIdx,
    /// When it counts as running, idle or off.
    pub thresholds: Thresholds,
    /// Whether it is still being put into service, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commissioning: Option<Commissioning>,
}

/// A unit is being put into service: what is said of it is kept and told to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commissioning {
    /// Up to, not with; `None` for until it is taken out of the configuration.
    pub until: Option<UtcMs>,
}

/// Hysteresis and durations of a point's state. Powers in W on the primary side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Thresholds {
    /// Running from this power up.
    pub running_above_w: f64,
    /// No longer running from this power down.
    pub running_below_w: f64,
    /// Idle (powered, not loaded) from this power up, if not running.
    pub idle_above_w: f64,
    /// Off from this power down.
    pub off_below_w: f64,
    /// How long running must be seen before it counts, ms.
    pub on_for_ms: u32,
    /// How long not running must be seen before it counts, ms.
    pub off_for_ms: u32,
    /// Where the powers come from.
    pub basis: Basis,
    /// Changes with every change of the numbers above; alerts quote it.
    pub version: u32,
}

/// Treatment units of which some must run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreatmentGroup {
    /// Indices into [`Site::points`].
    #[serde(deserialize_with = "exact")]
    pub points: Vec<u16>,
    /// How many of them must run; the others are standby.
    pub need: u16,
}

/// Which treatment must run while which production runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Unique within the site.
    pub id: Box<str>,
    /// As people call it.
    pub name: Box<str>,
    /// Production points, indices into [`Site::points`]; production runs if any of them runs.
    #[serde(deserialize_with = "exact")]
    pub production: Vec<u16>,
    /// Every group must have its number of units running.
    #[serde(deserialize_with = "exact")]
    pub treatment: Vec<TreatmentGroup>,
    /// Treatment must run this long before production starts, ms.
    pub lead_ms: u32,
    /// Treatment must run on this long after production stops, ms.
    pub lag_ms: u32,
    /// Limits of its rules.
    pub rules: RuleLimits,
    /// What its treatment points usually draw, as far as it is known.
    #[serde(default)]
    pub baselines: Vec<Baseline>,
    /// When it says that it works, where that is not what the site says.
    #[serde(default)]
    pub working_time: Option<WorkingTime>,
}

impl Site {
    /// When a process says that it works, or its site says so for it.
    #[must_use]
    pub fn working_time<'a>(&'a self, process: &'a Process) -> Option<&'a WorkingTime> {
        process.working_time.as_ref().or(self.working_time.as_ref())
    }
}

/// Durations after which the rules of a process speak (domain.md 2.2; all are recommended defaults). In ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleLimits {
    /// R1: certain minutes of "treatment off" before a warning. 10 min.
    pub raise_ms: u32,
    /// R1: certain minutes of "not so" before it clears. 5 min.
    pub clear_ms: u32,
    /// R1: from here on it is an alarm. 30 min.
    pub alarm_ms: u32,
    /// R1: from here on it is critical. 4 h.
    pub critical_ms: u32,
    /// R8: silence after which a point is stale, at least three periods. 10 min.
    pub stale_ms: u32,
    /// R8: silence after which it is offline, and the gap while producing. 30 min.
    pub offline_ms: u32,
    /// R8: from here on it is an alarm. 24 h.
    pub offline_alarm_ms: u32,
    /// R16: off minutes in 24 h without a single R1 alert. 30 min.
    pub fragmented_ms: u32,
    /// What is set about the other rules, and which are off.
    #[serde(default)]
    pub settings: Settings,
}

impl RuleLimits {
    /// The recommended defaults.
    pub const DEFAULT: RuleLimits = RuleLimits {
        raise_ms: 10 * 60_000,
        clear_ms: 5 * 60_000,
        alarm_ms: 30 * 60_000,
        critical_ms: 4 * 3_600_000,
        stale_ms: 10 * 60_000,
        offline_ms: 30 * 60_000,
        offline_alarm_ms: 24 * 3_600_000,
        fragmented_ms: 30 * 60_000,
        settings: Settings::DEFAULT,
    };
}
