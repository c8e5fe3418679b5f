//! A site file, as typed: `sites/NAME.toml`.

use serde::Deserialize;

use super::profile::Side;
use super::quantity::{Energy, Power, Span};
use super::rules::Rules;
use crate::model::meter::WordOrder;
use crate::model::site::{Category, Grade, PointKind};

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// Unique id.
    pub id: Option<String>,
    /// As people call it. The id.
    pub name: Option<String>,
    /// District.
    pub region: Option<String>,
    /// Industry.
    pub industry: Option<String>,
    /// general, key or special. general.
    pub category: Option<Category>,
    /// On the positive list. false.
    pub positive_list: Option<bool>,
    /// leading, A, B, C, D or ungraded. ungraded.
    pub grade: Option<Grade>,
    /// IANA name. Asia/Shanghai.
    pub time_zone: Option<String>,
    /// How long readings are waited for. 2 min.
    pub reorder: Option<Span>,
    /// Readings of one step are averaged. 1 min.
    pub step: Option<Span>,
    /// Silence after which a point is unknown. 5 min.
    pub gap: Option<Span>,
    /// Working time as declared: `"Mon-Fri 08:00-18:00"`. None.
    pub working_time: Option<Vec<String>>,
    /// Devices.
    pub meters: Vec<Meter>,
    /// Metered units.
    pub points: Vec<Point>,
    /// Which treatment must run while which production runs.
    pub processes: Vec<Process>,
    /// What is set about rules, for this site.
    pub rules: Rules,
}

/// `[[meters]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Meter {
    /// Unique within the site.
    pub id: Option<String>,
    /// What falls silent together. The link, or the site.
    pub gateway: Option<String>,
    /// How often a reading is expected. 1 min.
    pub period: Option<Span>,
    /// How long it may be silent while nothing changes, where it speaks irregularly. Its period.
    pub heartbeat: Option<Span>,
    /// Ratio of the current transformers. 1.
    pub ct: Option<f64>,
    /// Ratio of the voltage transformers. 1.
    pub pt: Option<f64>,
    /// Step of its energy register, as its display has it; its ratios are applied. What its values show, 0.01 kWh.
    pub energy_step: Option<Energy>,
    /// Where its energy register begins at zero again, as its display has it. Powers of ten.
    pub energy_modulus: Option<Energy>,
    /// Comes over MQTT; so it does when neither table is there.
    pub mqtt: Option<MqttInput>,
    /// Is read over Modbus.
    pub modbus: Option<ModbusInput>,
}

/// `mqtt = { device = "fan-7" }`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MqttInput {
    /// The device's own name. The meter's id.
    pub device: Option<String>,
}

/// `modbus = { link = "bus-1", unit = 3, profile = "eastron-sdm630" }`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModbusInput {
    /// Name of the link.
    pub link: Option<String>,
    /// Slave address.
    pub unit: Option<u8>,
    /// Name of the profile.
    pub profile: Option<String>,
    /// Where this meter differs from its profile: word order.
    pub word_order: Option<WordOrder>,
    /// Where this meter differs from its profile: most registers in one request.
    pub max_registers: Option<u16>,
    /// Where this meter differs from its profile: registers that may be read over.
    pub max_gap: Option<u16>,
    /// Where this meter differs from its profile: rest between two requests.
    pub pause: Option<Span>,
    /// Where this meter differs from its profile: side of the transformers its values are on.
    pub values: Option<Side>,
}

/// `[[points]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Point {
    /// Unique within the site.
    pub id: Option<String>,
    /// As people call it. The id.
    pub name: Option<String>,
    /// production, treatment, total or auxiliary.
    pub kind: Option<PointKind>,
    /// Rated power, kW.
    pub rated_kw: Option<f64>,
    /// Id of the meter that measures it.
    pub meter: Option<String>,
    /// Running from here up.
    pub running_above: Option<Power>,
    /// Not running any more from here down.
    pub running_below: Option<Power>,
    /// Idle from here up.
    pub idle_above: Option<Power>,
    /// Off from here down.
    pub off_below: Option<Power>,
    /// How long running must be seen. 2 min.
    pub on_for: Option<Span>,
    /// How long not running must be seen. 3 min.
    pub off_for: Option<Span>,
    /// It is being put into service. false.
    pub in_commissioning: Option<bool>,
    /// It is being put into service up to the begin of that day, in the site's zone: `"2026-12-01"`. None.
    pub commissioning_until: Option<String>,
}

/// `[[processes]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Process {
    /// Unique within the site.
    pub id: Option<String>,
    /// As people call it. The id.
    pub name: Option<String>,
    /// Ids of production points.
    pub production: Vec<String>,
    /// Groups of treatment points.
    pub treatment: Vec<Group>,
    /// Treatment runs this long before production. 0 s.
    pub lead: Option<Span>,
    /// Treatment runs on this long after production. 5 min.
    pub lag: Option<Span>,
    /// Treatment off: warning after. 10 min.
    pub raise: Option<Span>,
    /// Treatment on again: cleared after. 5 min.
    pub clear: Option<Span>,
    /// Treatment off: alarm after. 30 min.
    pub alarm: Option<Span>,
    /// Treatment off: critical after. 4 h.
    pub critical: Option<Span>,
    /// Silent: stale after. 10 min.
    pub stale: Option<Span>,
    /// Silent: offline after. 30 min.
    pub offline: Option<Span>,
    /// Offline: alarm after. 24 h.
    pub offline_alarm: Option<Span>,
    /// Many short gaps: warning from this sum in 24 h. 30 min.
    pub fragmented: Option<Span>,
    /// Working time as declared, where it is not the site's. The site's.
    pub working_time: Option<Vec<String>>,
    /// What is set about rules, for this process.
    pub rules: Rules,
}

/// `{ points = ["fan-1", "fan-2"], need = 1 }`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    /// Ids of treatment points.
    pub points: Vec<String>,
    /// How many of them must run. All.
    pub need: Option<u16>,
}
