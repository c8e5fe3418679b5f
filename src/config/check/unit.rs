//! Units of foreign numbers, and channels by their names.

use crate::config::problem::{Report, Spot};
use crate::config::suggest;
use crate::model::quantity::{Channel, Quantity};

/// Units a quantity may come in, with what makes the house's unit of them.
#[must_use]
pub const fn units(quantity: Quantity) -> &'static [(&'static str, f64)] {
    match quantity {
        Quantity::Voltage => &[("V", 1.0), ("mV", 1e-3), ("kV", 1e3)],
        Quantity::Current => &[("A", 1.0), ("mA", 1e-3), ("kA", 1e3)],
        Quantity::ActivePower => &[("W", 1.0), ("kW", 1e3), ("MW", 1e6)],
        Quantity::ReactivePower => &[("var", 1.0), ("kvar", 1e3), ("Mvar", 1e6)],
        Quantity::ApparentPower => &[("VA", 1.0), ("kVA", 1e3), ("MVA", 1e6)],
        Quantity::PowerFactor => &[("1", 1.0), ("%", 0.01)],
        Quantity::Frequency => &[("Hz", 1.0), ("mHz", 1e-3)],
        Quantity::EnergyImport | Quantity::EnergyExport | Quantity::EnergyTotal => {
            &[("kWh", 1.0), ("Wh", 1e-3), ("MWh", 1e3), ("GWh", 1e6)]
        }
    }
}

/// What a raw number is multiplied by: its scale, times what its unit makes of it.
pub fn scale(
    channel: Channel,
    unit: Option<&str>,
    scale: Option<f64>,
    spot: &Spot,
    report: &mut Report,
) -> f64 {
    let known = units(channel.quantity());
    let by_unit = unit.map_or(Some(1.0), |u| known.iter().find(|(name, _)| *name == u).map(|(_, f)| *f));
    let Some(by_unit) = by_unit else {
        let typed = unit.unwrap_or_default();
        let hint = suggest::hint(typed, known.iter().map(|(name, _)| *name));
        report.error(&spot.key("unit"), format!("{typed:?} is no unit of {}", channel.name()), hint);
        return 1.0;
    };
    match scale {
        Some(s) if !s.is_finite() || s == 0.0 => {
            report.error(&spot.key("scale"), format!("a scale of {s} leaves nothing of the value"), "");
            1.0
        }
        Some(s) => s * by_unit,
        None => by_unit,
    }
}

/// The channel of that name.
pub fn channel(name: Option<&String>, spot: &Spot, report: &mut Report) -> Option<Channel> {
    let Some(name) = name else {
        report.error(spot, "this key is missing", "the name of a channel, such as \"power_w\"");
        return None;
    };
    let found = Channel::from_name(name);
    if found.is_none() {
        let hint = match suggest::nearest(name, Channel::all().map(Channel::name)) {
            Some(near) => format!("did you mean {near:?}?"),
            None => {
                "quantity, phase and unit, such as \"power_w\", \"voltage_l1_v\" or \"energy_import_kwh\""
                    .into()
            }
        };
        report.error(spot, format!("{name:?} is no channel"), hint);
    }
    found
}
