//! A field mapping, as typed: `config/mappings/NAME.toml`, or `[mappings.NAME]` in the main file.

use serde::Deserialize;

use super::quantity::Span;
use crate::model::mapping::TimeForm;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// What subscriptions call it by.
    pub name: Option<String>,
    /// JSON pointer to an array of readings.
    pub items: Option<String>,
    /// JSON pointer to the device's name.
    pub device: Option<String>,
    /// Where the measuring time is.
    pub time: Option<Time>,
    /// Messages carry only what changed.
    pub partial: Option<bool>,
    /// In a partial mapping: older values are not filled in.
    pub max_age: Option<Span>,
    /// The values.
    pub fields: Vec<Field>,
}

/// `time = { pointer = "/Time", form = "iso", zone = "Asia/Shanghai" }`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Time {
    /// JSON pointer.
    pub pointer: Option<String>,
    /// `ms`, `s` or `iso`.
    pub form: Option<TimeForm>,
    /// IANA name, or `site`.
    pub zone: Option<String>,
}

/// `[[fields]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Field {
    /// JSON pointer inside the reading.
    pub pointer: Option<String>,
    /// Name of the channel: `power_w`.
    pub channel: Option<String>,
    /// Unit of the number in the payload.
    pub unit: Option<String>,
    /// The number is multiplied by this.
    pub scale: Option<f64>,
}
