//! A column map as typed: how the rows of a CSV become readings.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// Where the measuring time is.
    pub time: Option<Time>,
    /// Where the meter's name is, if each row is of one meter.
    pub meter: Option<Meter>,
    /// `[[column]]`: columns with a value each.
    pub column: Vec<Column>,
    /// The one column with values, if each row is one value.
    pub value: Option<Value>,
    /// What stands for a missing value, beside nothing.
    pub missing: Vec<String>,
}

/// `[time]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Time {
    /// Name of the column.
    pub column: Option<String>,
    /// What a time looks like.
    pub form: Option<TimeForm>,
    /// What a time looks like, in the letters of strptime.
    pub format: Option<String>,
    /// IANA name, for times without a zone.
    pub zone: Option<String>,
}

/// What a time looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeForm {
    /// ISO 8601, with or without zone.
    Iso,
    /// Seconds since 1970.
    UnixS,
    /// Milliseconds since 1970.
    UnixMs,
}

/// `[meter]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Meter {
    /// Name of the column.
    pub column: Option<String>,
    /// The site of names without a slash.
    pub site: Option<String>,
    /// Meters whose names in the file are others than their ids.
    pub names: BTreeMap<String, String>,
}

/// `[[column]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Column {
    /// Name of the column.
    pub name: Option<String>,
    /// The meter, as `site/meter`.
    pub meter: Option<String>,
    /// Name of the channel: `power_w`.
    pub quantity: Option<String>,
    /// Unit of the number in the file.
    pub unit: Option<String>,
    /// The number is multiplied by this.
    pub scale: Option<f64>,
}

/// `[value]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Value {
    /// Name of the column.
    pub column: Option<String>,
    /// Name of the column that says what was measured.
    pub quantity_column: Option<String>,
    /// Name of the channel, where all values are of one.
    pub quantity: Option<String>,
    /// Unit of the number in the file.
    pub unit: Option<String>,
    /// The number is multiplied by this.
    pub scale: Option<f64>,
    /// What the quantity column says, where it does not name channels.
    pub quantities: BTreeMap<String, Named>,
}

/// `P = { quantity = "power_w", unit = "kW" }`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Named {
    /// Name of the channel.
    pub quantity: Option<String>,
    /// Unit of the number in the file.
    pub unit: Option<String>,
    /// The number is multiplied by this.
    pub scale: Option<f64>,
}
