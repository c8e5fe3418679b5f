//! A meter profile, as typed: `config/meters/NAME.toml`.

use serde::Deserialize;

use super::quantity::Span;
use crate::model::meter::{Coding, RegisterType, Table, WordOrder};

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// What meters call it by.
    pub name: Option<String>,
    /// Maker.
    pub brand: Option<String>,
    /// Models it fits.
    pub model: Option<String>,
    /// Function code 3 or 4.
    pub table: Option<Table>,
    /// Order of the words of a longer value.
    pub word_order: Option<WordOrder>,
    /// Most registers in one request. 125.
    pub max_registers: Option<u16>,
    /// Whether only even counts are answered. false.
    pub even_counts: Option<bool>,
    /// Unwanted registers that may be read over. 0.
    pub max_gap: Option<u16>,
    /// Rest between two requests. 0.
    pub pause: Option<Span>,
    /// Side of the transformers the values are on. primary.
    pub values: Option<Side>,
    /// The registers.
    pub registers: Vec<Register>,
}

/// Side of the current and voltage transformers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The meter has applied its ratios.
    Primary,
    /// They must be applied here.
    Secondary,
}

/// One line of `registers`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Register {
    /// Address on the wire, from 0.
    pub address: Option<u16>,
    /// Type.
    #[serde(rename = "type")]
    pub kind: Option<RegisterType>,
    /// Name of the channel: `power_w`.
    pub channel: Option<String>,
    /// Unit of the raw number. The channel's own.
    pub unit: Option<String>,
    /// The raw number is multiplied by this. 1.
    pub scale: Option<f64>,
    /// Special codings of a power factor.
    pub coding: Option<Coding>,
}
