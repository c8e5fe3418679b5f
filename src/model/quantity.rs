//! What a meter can say: a quantity of a phase is a *channel*, with one unit for the whole house.

use serde::{Deserialize, Serialize};

/// Physical quantity; the unit is fixed, sources scale to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// V
    Voltage,
    /// A
    Current,
    /// W, positive = consumed
    ActivePower,
    /// var
    ReactivePower,
    /// VA
    ApparentPower,
    /// 1
    PowerFactor,
    /// Hz
    Frequency,
    /// kWh, consumed
    EnergyImport,
    /// kWh, fed back
    EnergyExport,
    /// kWh, import and export together
    EnergyTotal,
}

/// Which conductor a quantity belongs to; `Total` is the meter as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Phase {
    #[serde(rename = "total")]
    Total,
    L1,
    L2,
    L3,
}

impl Quantity {
    /// Every quantity, in channel order.
    pub const ALL: [Quantity; 10] = [
        Quantity::Voltage,
        Quantity::Current,
        Quantity::ActivePower,
        Quantity::ReactivePower,
        Quantity::ApparentPower,
        Quantity::PowerFactor,
        Quantity::Frequency,
        Quantity::EnergyImport,
        Quantity::EnergyExport,
        Quantity::EnergyTotal,
    ];

    /// The unit readings are kept in.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Quantity::Voltage => "V",
            Quantity::Current => "A",
            Quantity::ActivePower => "W",
            Quantity::ReactivePower => "var",
            Quantity::ApparentPower => "VA",
            Quantity::PowerFactor => "1",
            Quantity::Frequency => "Hz",
            Quantity::EnergyImport | Quantity::EnergyExport | Quantity::EnergyTotal => "kWh",
        }
    }

    /// Stem of the field name: quantity, then unit.
    #[must_use]
    pub const fn stem(self) -> &'static str {
        match self {
            Quantity::Voltage => "voltage",
            Quantity::Current => "current",
            Quantity::ActivePower => "power",
            Quantity::ReactivePower => "reactive_power",
            Quantity::ApparentPower => "apparent_power",
            Quantity::PowerFactor => "power_factor",
            Quantity::Frequency => "frequency",
            Quantity::EnergyImport => "energy_import",
            Quantity::EnergyExport => "energy_export",
            Quantity::EnergyTotal => "energy_total",
        }
    }
}

/// Number of channels: ten quantities times total and three phases.
pub const N_CHANNELS: usize = 40;

/// One quantity of one phase, as a small number: `quantity * 4 + phase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Channel(pub u8);

impl Channel {
    /// Total active power, W: what on/off is decided on.
    pub const POWER: Channel = Channel::of(Quantity::ActivePower, Phase::Total);
    /// Total imported energy, kWh: what evidence quotes.
    pub const ENERGY: Channel = Channel::of(Quantity::EnergyImport, Phase::Total);

    /// The channel of that quantity and phase.
    #[must_use]
    pub const fn of(quantity: Quantity, phase: Phase) -> Channel {
        Channel(quantity as u8 * 4 + phase as u8)
    }

    /// A channel from its number, if there is one with it.
    #[must_use]
    pub const fn from_index(index: u8) -> Option<Channel> {
        if (index as usize) < N_CHANNELS { Some(Channel(index)) } else { None }
    }

    /// As an array index, below [`N_CHANNELS`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// What is measured.
    #[must_use]
    pub const fn quantity(self) -> Quantity {
        Quantity::ALL[(self.0 / 4) as usize]
    }

    /// On which conductor.
    #[must_use]
    pub const fn phase(self) -> Phase {
        match self.0 % 4 {
            0 => Phase::Total,
            1 => Phase::L1,
            2 => Phase::L2,
            _ => Phase::L3,
        }
    }

    /// The name in config, API, line protocol and tables: `power_w`, `voltage_l1_v`, `energy_import_kwh`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES[self.index()]
    }

    /// The channel of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Channel> {
        NAMES.iter().position(|n| *n == name).map(|i| Channel(u8::try_from(i).unwrap_or(u8::MAX)))
    }

    /// Every channel.
    pub fn all() -> impl Iterator<Item = Channel> {
        (0..N_CHANNELS).map(|i| Channel(u8::try_from(i).unwrap_or(u8::MAX)))
    }
}

const NAMES: [&str; N_CHANNELS] = [
    "voltage_v",
    "voltage_l1_v",
    "voltage_l2_v",
    "voltage_l3_v",
    "current_a",
    "current_l1_a",
    "current_l2_a",
    "current_l3_a",
    "power_w",
    "power_l1_w",
    "power_l2_w",
    "power_l3_w",
    "reactive_power_var",
    "reactive_power_l1_var",
    "reactive_power_l2_var",
    "reactive_power_l3_var",
    "apparent_power_va",
    "apparent_power_l1_va",
    "apparent_power_l2_va",
    "apparent_power_l3_va",
    "power_factor",
    "power_factor_l1",
    "power_factor_l2",
    "power_factor_l3",
    "frequency_hz",
    "frequency_l1_hz",
    "frequency_l2_hz",
    "frequency_l3_hz",
    "energy_import_kwh",
    "energy_import_l1_kwh",
    "energy_import_l2_kwh",
    "energy_import_l3_kwh",
    "energy_export_kwh",
    "energy_export_l1_kwh",
    "energy_export_l2_kwh",
    "energy_export_l3_kwh",
    "energy_total_kwh",
    "energy_total_l1_kwh",
    "energy_total_l2_kwh",
    "energy_total_l3_kwh",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_is_found_by_its_name_and_says_its_parts() {
        for channel in Channel::all() {
            assert_eq!(Channel::from_name(channel.name()), Some(channel));
            assert_eq!(Channel::of(channel.quantity(), channel.phase()), channel);
            assert!(channel.name().starts_with(channel.quantity().stem()));
        }
        assert_eq!(Channel::POWER.name(), "power_w");
        assert_eq!(Channel::ENERGY.name(), "energy_import_kwh");
        assert_eq!(Channel::from_index(40), None);
    }
}
