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
    counting: Option<&Counting>,
    profile: Option<&Profile>,
    at: &Spot,
    report: &mut Report,
) {
    let Some(step_kwh) = counting.and_then(|own| own.step_kwh) else { return };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::meter::{Coding, Table, WordOrder};

    fn profile(channels: &[(Channel, RegisterType, f64)]) -> Profile {
        let register = |(channel, kind, scale): &(Channel, RegisterType, f64)| Register {
            channel: *channel,
            address: 0,
            kind: *kind,
            scale: *scale,
            coding: Coding::Plain,
        };
        Profile {
            name: "own".into(),
            table: Table::Holding,
            word_order: WordOrder::Big,
            max_registers: 80,
            even_counts: false,
            max_gap: 0,
            pause_ms: 0,
            secondary_side: true,
            registers: channels.iter().map(register).collect(),
        }
    }

    fn checked(typed: &typed::Meter, profile: Option<&Profile>, ratio: f64) -> (Counting, Vec<String>) {
        let mut report = Report::default();
        let counting = check(typed, profile, ratio, &Spot::file("s1.toml"), &mut report);
        let errors = report.finish(|_, _| None).errors.iter().map(ToString::to_string).collect();
        (counting, errors)
    }

    #[test]
    fn a_step_is_that_of_the_profile_or_as_typed_on_the_primary_side() {
        let whole = profile(&[(Channel::ENERGY, RegisterType::U32, 0.01)]);
        let single = profile(&[(Channel::ENERGY, RegisterType::F32, 1.0)]);
        let plain = typed::Meter::default();
        let typed = typed::Meter {
            energy_step: Some(Energy(0.1)),
            energy_modulus: Some(Energy(1e6)),
            ..plain.clone()
        };
        assert_eq!(checked(&plain, Some(&whole), 40.0).0.step_kwh, Some(0.4));
        let float = checked(&plain, Some(&single), 1.0).0;
        assert_eq!((float.step_kwh, float.is_single), (None, true));
        assert_eq!(checked(&plain, None, 1.0).0, Counting::default());
        let own = checked(&typed, Some(&whole), 10.0).0;
        assert_eq!((own.step_kwh, own.modulus_kwh), (Some(1.0), Some(1e7)));
    }

    #[test]
    fn a_step_or_an_end_that_cannot_be_is_told_with_its_key() {
        let wrong = typed::Meter {
            energy_step: Some(Energy(5_000.0)),
            energy_modulus: Some(Energy(0.5)),
            ..typed::Meter::default()
        };
        let (_, errors) = checked(&wrong, None, 1.0);
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors.iter().any(|e| e.contains("energy_step: 5000 kWh is no step")), "{errors:?}");
        assert!(errors.iter().any(|e| e.contains("energy_modulus: it would begin anew")), "{errors:?}");
    }
}
