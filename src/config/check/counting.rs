//! How an energy register counts: its step and where it begins anew, from its profile or as typed.

use super::must;
use crate::config::problem::{Report, Spot};
use crate::config::typed::quantity::Energy;
use crate::config::typed::site as typed;
use crate::model::meter::{Counting, Profile, Register, RegisterType};
use crate::model::quantity::{Channel, Phase, Quantity};
use crate::model::site::Point;
use crate::model::time::{HOUR_MS, MINUTE_MS};

/// A register that needs longer than this to tell running from not is told of, ms.
const SLOW_MS: f64 = 15.0 * MINUTE_MS as f64;

/// Coarser than this no display counts, finer none either, kWh.
const STEP_BOUNDS_KWH: (f64, f64) = (1e-6, 1_000.0);

/// Checks what was typed of a register; `ratio` is what its own side is times on the primary side.
pub fn check(
    typed: &typed::Meter,
    profile: Option<&Profile>,
    ratio: f64,
    at: &Spot,
    report: &mut Report,
) -> Counting {
    let register = profile.and_then(energy);
    let whole = register.filter(|r| !matches!(r.kind, RegisterType::F32 | RegisterType::F64));
    let step = step(typed.energy_step, &at.key("energy_step"), report).or_else(|| whole.map(|r| r.scale));
    let modulus = typed.energy_modulus.map(|Energy(kwh)| kwh);
    if let Some(kwh) = modulus
        && kwh < 1_000.0 * step.unwrap_or(1e-3)
    {
        let hint = "the first energy its display cannot show any more: \"1000000 kWh\" for six digits";
        report.error(&at.key("energy_modulus"), format!("it would begin anew every {kwh} kWh"), hint);
    }
    Counting {
        step_kwh: step.map(|kwh| kwh * ratio),
        is_single: register.is_some_and(|r| r.kind == RegisterType::F32),
        modulus_kwh: modulus.map(|kwh| kwh * ratio),
    }
}

fn step(typed: Option<Energy>, spot: &Spot, report: &mut Report) -> Option<f64> {
    let Energy(kwh) = typed?;
    if (STEP_BOUNDS_KWH.0..=STEP_BOUNDS_KWH.1).contains(&kwh) {
        return Some(kwh);
    }
    let hint = "the last digit of its display: \"0.01 kWh\"";
    report.error(spot, format!("{kwh} kWh is no step of a register"), hint);
    None
}

fn energy(profile: &Profile) -> Option<&Register> {
    profile.registers.iter().find(|r| r.channel == Channel::ENERGY)
}

/// Whether a meter read by that profile says its power.
fn says_power(profile: &Profile) -> bool {
    let has = |channel| profile.registers.iter().any(|r| r.channel == channel);
    let phases = [Phase::L1, Phase::L2, Phase::L3];
    has(Channel::POWER) || phases.iter().all(|p| has(Channel::of(Quantity::ActivePower, *p)))
}

/// A register that must tell by itself whether its point runs, and needs long for it: said, not refused. Over MQTT it is
/// not known what a meter will send; there it is said where a step was typed.
pub fn tells_slowly(
    point: &Point,
    counting: &Counting,
    profile: Option<&Profile>,
    at: &Spot,
    report: &mut Report,
) {
    let Some(step_kwh) = counting.step_kwh else { return };
    if profile.is_some_and(|p| says_power(p) || energy(p).is_none()) {
        return;
    }
    let below_kw = point.thresholds.running_below_w / 1_000.0;
    let needs_ms = step_kwh / below_kw * HOUR_MS as f64;
    if needs_ms <= SLOW_MS {
        return;
    }
    let long = must::words(std::time::Duration::from_secs((needs_ms / MINUTE_MS as f64).ceil() as u64 * 60));
    let only = if profile.is_some() { "it says no power" } else { "where it says no power" };
    let what = format!(
        "{only}, a step of {step_kwh} kWh needs {long} to tell whether {} runs; silence counts after three times that",
        point.id
    );
    report.warn(&at.key("energy_step"), what, "a finer register, or one of power");
}
