//! Meters and their register profiles.

use serde::{Deserialize, Deserializer, Serialize};

use super::quantity::Channel;

/// A device that measures one point. Checked: every reference in it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meter {
    /// Unique in the whole registry: `site/meter`.
    pub id: Box<str>,
    /// Index of its site.
    pub site: u32,
    /// What falls silent together: the Modbus link, or the gateway named in the config, or the site itself.
    pub gateway: Box<str>,
    /// How often a reading is expected, ms.
    pub period_ms: u32,
    /// How long it may be silent while nothing changes, ms: where it speaks irregularly, more than its period; else 0.
    #[serde(default)]
    pub heartbeat_ms: u32,
    /// Current transformer ratio to apply (1 if the meter already reports the primary side).
    pub ct: f64,
    /// Voltage transformer ratio to apply.
    pub pt: f64,
    /// Where its readings come from.
    pub input: Input,
    /// How its energy register counts; `None` where nothing is known of it, as of most.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub counting: Option<Box<Counting>>,
}

/// How an energy register counts. All on the primary side.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counting {
    /// Its step, kWh; `None`: not known, then what its values show, and 0.01 kWh of the meter's own side at least.
    pub step_kwh: Option<f64>,
    /// It is kept as a float of 32 bits, whose steps grow with its value.
    pub is_single: bool,
    /// Where it begins at zero again, kWh; `None`: powers of ten and 2^31 and 2^32 steps are recognised.
    pub modulus_kwh: Option<f64>,
}

impl Counting {
    /// As a meter has it.
    #[must_use]
    pub fn boxed(self) -> Option<Box<Counting>> {
        (self != Counting::default()).then(|| Box::new(self))
    }
}

/// Earlier releases wrote down how a register counts where nothing was known of it, too.
fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<Counting>>, D::Error> {
    Ok(Option::<Counting>::deserialize(from)?.and_then(Counting::boxed))
}

/// Where a meter's readings come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Over MQTT: found by `{site}/{meter}` of the topic, or by `device` under a subscription with `{device}`.
    Mqtt {
        /// Device name captured from topic or payload, where it is not the meter's own name.
        device: Option<Box<str>>,
    },
    /// Over Modbus.
    Modbus {
        /// Name of the link.
        link: Box<str>,
        /// Slave address, 1 to 247 (0 and 248 to 255 only over TCP).
        unit: u8,
        /// Index in [`Registry::profiles`](super::registry::Registry::profiles).
        profile: u32,
    },
}

/// Modbus table a register is read from, by function code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Function code 3.
    Holding,
    /// Function code 4.
    Input,
}

/// Order of the 16-bit words of a longer value; bytes within a word are always big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordOrder {
    /// High word first.
    Big,
    /// Low word first.
    Little,
}

/// How a register's words are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum RegisterType {
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl RegisterType {
    /// Length in 16-bit words.
    #[must_use]
    pub const fn words(self) -> u16 {
        match self {
            RegisterType::U16 | RegisterType::I16 => 1,
            RegisterType::U32 | RegisterType::I32 | RegisterType::F32 => 2,
            RegisterType::U64 | RegisterType::I64 | RegisterType::F64 => 4,
        }
    }
}

/// How a raw number becomes a power factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// Number times scale.
    #[default]
    Plain,
    /// Schneider's four-quadrant power factor: beyond ±1 the sign and the distance to ±2 carry the quadrant.
    FourQuadrant,
    /// The sign tells leading from lagging, not the direction: the size alone is the power factor.
    SignIsLeading,
}

/// One value of a meter: where it lies and how to read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// What it is, in the channel's unit after scaling.
    pub channel: Channel,
    /// Address on the wire, 0-based.
    pub address: u16,
    /// Type.
    pub kind: RegisterType,
    /// Raw number times this gives the channel's unit.
    pub scale: f64,
    /// Special codings.
    pub coding: Coding,
}

/// A meter model: its registers and what its firmware can take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Short name used in config: `eastron-sdm630`.
    pub name: Box<str>,
    /// Which table all registers are read from.
    pub table: Table,
    /// Word order of 32- and 64-bit values.
    pub word_order: WordOrder,
    /// Most registers in one request.
    pub max_registers: u16,
    /// Whether blocks must start and end at even addresses relative to the first register (SDM: odd counts are refused).
    pub even_counts: bool,
    /// Registers that lie between two wanted ones and may be read over, at most; 0 = never read a gap.
    pub max_gap: u16,
    /// Rest between two requests, ms.
    pub pause_ms: u16,
    /// Whether values are on the secondary side, so that CT and PT must be applied.
    pub secondary_side: bool,
    /// The registers, by address.
    pub registers: Vec<Register>,
}
