//! Meter profiles: a meter model is data.

use std::collections::BTreeMap;

use super::must;
use super::unit;
use crate::config::problem::{Report, Spot};
use crate::config::typed::profile::{self as typed, Side};
use crate::config::typed::quantity::Span;
use crate::model::meter::{Coding, Profile, Register, Table, WordOrder};
use crate::model::quantity::{Channel, Phase, Quantity};

/// Profiles by name.
pub type Profiles = BTreeMap<Box<str>, Profile>;

/// The most registers Modbus allows in one request.
pub const REGISTERS_MAX: u16 = 125;

/// Longest rest between two requests that makes sense.
const PAUSE_MAX: must::Bounds = must::Bounds::ms(0, 10_000);

/// Checks a profile.
pub fn check(typed: &typed::Profile, file: &Spot, report: &mut Report) -> Profile {
    let name = must::id(typed.name.as_ref(), &file.key("name"), "name = \"eastron-sdm630\"", report);
    let mut registers = Vec::with_capacity(typed.registers.len());
    for (i, register) in typed.registers.iter().enumerate() {
        registers.extend(one(register, &file.item("registers", i), report));
    }
    registers.sort_by_key(|r: &Register| r.address);
    overlaps(&registers, file, report);
    judged_by(&registers, file, report);
    let longest = registers.iter().map(|r| r.kind.words()).max().unwrap_or(1);
    let default_order = WordOrder::Big;
    if typed.word_order.is_none() && longest > 1 {
        report.error(
            &file.key("word_order"),
            "this key is missing",
            "\"big\" (high word first) or \"little\"",
        );
    }
    if typed.table.is_none() {
        let hint = "\"holding\" (function code 3) or \"input\" (function code 4)";
        report.error(&file.key("table"), "this key is missing", hint);
    }
    Profile {
        name: name.into(),
        table: typed.table.unwrap_or(Table::Holding),
        word_order: typed.word_order.unwrap_or(default_order),
        max_registers: max_registers(typed.max_registers, longest, file, report).unwrap_or(REGISTERS_MAX),
        even_counts: typed.even_counts.unwrap_or(false),
        max_gap: max_gap(typed.max_gap, file, report).unwrap_or(0),
        pause_ms: pause_ms(typed.pause, file, report).unwrap_or(0),
        secondary_side: typed.values == Some(Side::Secondary),
        registers,
    }
}

/// Most registers in a request: enough for the longest value, no more than Modbus allows.
pub fn max_registers(given: Option<u16>, longest: u16, at: &Spot, report: &mut Report) -> Option<u16> {
    let spot = at.key("max_registers");
    given.map(|n| must::number(Some(n), REGISTERS_MAX, (longest, REGISTERS_MAX), &spot, report))
}

/// Registers that may be read over.
pub fn max_gap(given: Option<u16>, at: &Spot, report: &mut Report) -> Option<u16> {
    given.map(|n| must::number(Some(n), 0, (0, REGISTERS_MAX), &at.key("max_gap"), report))
}

/// Rest between two requests.
pub fn pause_ms(given: Option<Span>, at: &Spot, report: &mut Report) -> Option<u16> {
    given?;
    u16::try_from(must::ms(given, 0, PAUSE_MAX, &at.key("pause"), report)).ok()
}

fn one(typed: &typed::Register, spot: &Spot, report: &mut Report) -> Option<Register> {
    if typed.address.is_none() {
        report.error(&spot.key("address"), "this key is missing", "as on the wire, counted from 0");
    }
    if typed.kind.is_none() {
        let hint = "one of u16, i16, u32, i32, u64, i64, f32, f64";
        report.error(&spot.key("type"), "this key is missing", hint);
    }
    let channel = unit::channel(typed.channel.as_ref(), &spot.key("channel"), report)?;
    let scale = unit::scale(channel, typed.unit.as_deref(), typed.scale, spot, report);
    let coding = typed.coding.unwrap_or_default();
    if coding != Coding::Plain && channel.quantity() != Quantity::PowerFactor {
        report.error(&spot.key("coding"), "only a power factor is coded so", "leave it away");
    }
    let (address, kind) = (typed.address?, typed.kind?);
    if address.checked_add(kind.words() - 1).is_none() {
        report.error(&spot.key("address"), "the value would reach beyond register 65535", "");
    }
    Some(Register { channel, address, kind, scale, coding })
}

fn overlaps(registers: &[Register], file: &Spot, report: &mut Report) {
    let spot = file.key("registers");
    if registers.is_empty() {
        report.error(&spot, "the profile reads nothing", "at least the register of power_w");
    }
    for pair in registers.windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        if u32::from(a.address) + u32::from(a.kind.words()) > u32::from(b.address) {
            let what = format!(
                "{} at {} reaches into {} at {}",
                a.channel.name(),
                a.address,
                b.channel.name(),
                b.address
            );
            report.error(&spot, what, "check the addresses and the types");
        }
    }
    let mut seen = [false; crate::model::quantity::N_CHANNELS];
    for register in registers {
        if std::mem::replace(&mut seen[register.channel.index()], true) {
            let what = format!("{} is read from two registers", register.channel.name());
            report.error(&spot, what, "a meter says each channel once");
        }
    }
}

/// Without power nothing can be told running or off.
fn judged_by(registers: &[Register], file: &Spot, report: &mut Report) {
    let has = |channel| registers.iter().any(|r| r.channel == channel);
    let phase = |p| has(Channel::of(Quantity::ActivePower, p));
    let all_phases = phase(Phase::L1) && phase(Phase::L2) && phase(Phase::L3);
    if !registers.is_empty() && !has(Channel::POWER) && !all_phases {
        let what = "there is neither power_w nor the power of all three phases";
        report.warn(&file.key("registers"), what, "a point with such a meter stays unknown for ever");
    }
}
