//! How a foreign JSON payload becomes readings: pointers, scales, units and the form of its time.

use serde::{Deserialize, Serialize};

use super::quantity::Channel;

/// A subscription: which topics are read, and how their payloads are decoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Name of the broker it belongs to.
    pub broker: Box<str>,
    /// Topic pattern with captures: `submeter/v1/{site}/{meter}/reading`, `tele/{device}/SENSOR`; `+` and `#` as usual.
    pub pattern: Box<str>,
    /// 0 or 1.
    pub qos: u8,
    /// How the payload is decoded.
    pub decoder: Decoder,
}

/// How a payload is decoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decoder {
    /// The native JSON.
    Native,
    /// By index into [`Registry::mappings`](super::registry::Registry::mappings).
    Mapping(u32),
    /// Readings as history keeps them, to the last bit. Only a replay has them; no configuration can ask for it.
    Kept,
}

/// A field mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// Short name used in config: `tasmota`.
    pub name: Box<str>,
    /// JSON pointer to an array of readings, where one message carries several; empty = the document is one reading
    /// or an array of them.
    pub items: Box<str>,
    /// JSON pointer to the device name inside the item, where the topic does not carry it.
    pub device: Option<Box<str>>,
    /// Where the measuring time is, if anywhere. Tried inside the item first, then in the document.
    pub time: Option<TimeField>,
    /// The values.
    pub fields: Vec<Field>,
    /// Whether messages carry only what changed, to be merged per device.
    pub partial: bool,
    /// In a partial mapping: a value older than this is not filled in, ms.
    pub max_age_ms: u32,
}

/// Where a time is and what it looks like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeField {
    /// JSON pointer.
    pub pointer: Box<str>,
    /// Its form.
    pub form: TimeForm,
    /// IANA zone for ISO times that carry none.
    pub zone: Option<Box<str>>,
}

/// The form of a time in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeForm {
    /// Milliseconds since 1970, number or digits.
    Ms,
    /// Seconds since 1970, possibly with a fraction.
    S,
    /// ISO 8601, with or without zone.
    Iso,
}

/// One value of a mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// JSON pointer inside the item: `/ENERGY/Power`, `/ENERGY/Power/1`.
    pub pointer: Box<str>,
    /// What it is.
    pub channel: Channel,
    /// Raw number times this gives the channel's unit (config turns `unit = "kW"` into 1000).
    pub scale: f64,
}
