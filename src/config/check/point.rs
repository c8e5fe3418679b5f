//! Points, and the powers at which they count as running, idle or off.

use super::must::{self, Bounds};
use crate::config::problem::{Report, Spot};
use crate::config::typed::quantity::Power;
use crate::config::typed::site as typed;
use crate::model::site::{Basis, Point, PointKind, Thresholds};
use crate::model::thresholds::{fallback, in_proportion};

/// Running must be seen for two samples of a minute.
pub const ON_FOR_MS: u32 = 2 * 60_000;
/// Not running must be seen for three.
pub const OFF_FOR_MS: u32 = 3 * 60_000;

/// A larger unit has more likely been typed in W, kW.
const RATED_KW_ODD: f64 = 20_000.0;

/// Checks a point; which meter it is, and whether it is in commissioning, is set by the caller.
pub fn check(typed: &typed::Point, at: &Spot, report: &mut Report) -> Point {
    let id = must::id(typed.id.as_ref(), &at.key("id"), "id = \"line-1\"", report);
    if typed.kind.is_none() {
        let hint = "production, treatment, total or auxiliary";
        report.error(&at.key("kind"), "this key is missing", hint);
    }
    let kind = typed.kind.unwrap_or(PointKind::Auxiliary);
    let rated_w = rated(typed.rated_kw, &at.key("rated_kw"), report);
    Point {
        id: id.into(),
        name: typed.name.as_deref().unwrap_or(id).into(),
        kind,
        rated_w,
        meter: 0,
        thresholds: thresholds(typed, kind, rated_w, at, report),
        commissioning: None,
    }
}

fn rated(kw: Option<f64>, spot: &Spot, report: &mut Report) -> f64 {
    match kw {
        Some(kw) if kw > 0.0 && kw.is_finite() => {
            if kw > RATED_KW_ODD {
                report.warn(
                    spot,
                    format!("{kw} kW is a very large unit"),
                    "the rated power is in kW, not in W",
                );
            }
            kw * 1e3
        }
        Some(kw) => {
            report.error(spot, format!("{kw} kW is no rated power"), "as on the nameplate, above 0");
            1.0
        }
        None => {
            report.error(spot, "this key is missing", "as on the nameplate, in kW: rated_kw = 75");
            1.0
        }
    }
}

fn thresholds(
    typed: &typed::Point,
    kind: PointKind,
    rated_w: f64,
    at: &Spot,
    report: &mut Report,
) -> Thresholds {
    const KEYS: [&str; 4] = ["running_above", "running_below", "idle_above", "off_below"];
    let given = [typed.running_above, typed.running_below, typed.idle_above, typed.off_below];
    let watts = |power| match power {
        Power::Watts(w) => w,
        Power::Share(share) => share * rated_w,
    };
    let powers = in_proportion(given.map(|p| p.map(watts)), fallback(kind), rated_w);
    let mut sound = true;
    for (i, power) in powers.iter().enumerate() {
        if given[i].is_some() && *power <= 0.0 {
            report.error(
                &at.key(KEYS[i]),
                "a threshold of 0 is always passed",
                "a power above the noise of the meter",
            );
            sound = false;
        }
    }
    for (i, pair) in powers.windows(2).enumerate() {
        let strictly = i == 0;
        let inverted = if strictly { pair[1] >= pair[0] } else { pair[1] > pair[0] };
        if inverted && sound {
            let culprit = if given[i + 1].is_some() { i + 1 } else { i };
            let what = format!("{} is {:.0} W and {} is {:.0} W", KEYS[i + 1], pair[1], KEYS[i], pair[0]);
            let hint = "downwards in this order: running_above, running_below, idle_above, off_below";
            report.error(&at.key(KEYS[culprit]), what, hint);
            sound = false;
        }
    }
    if sound && powers[0] > rated_w && typed.rated_kw.is_some_and(|kw| kw > 0.0) {
        let what = format!(
            "running begins at {:.0} W, above the rated {rated_w:.0} W: it would hardly ever run",
            powers[0]
        );
        report.warn(&at.key(KEYS[0]), what, "a share of rated power such as \"15%\", or check rated_kw");
    }
    let bounds = Bounds::ms(0, 3_600_000);
    let on_for_ms = must::ms(typed.on_for, ON_FOR_MS, bounds, &at.key("on_for"), report);
    let off_for_ms = must::ms(typed.off_for, OFF_FOR_MS, bounds, &at.key("off_for"), report);
    let basis = if given.iter().any(Option::is_some) { Basis::Configured } else { Basis::Fallback };
    Thresholds::new(powers, on_for_ms, off_for_ms, basis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(typed: typed::Point) -> (Thresholds, usize) {
        let mut report = Report::default();
        let typed = typed::Point {
            id: Some("p".into()),
            kind: typed.kind.or(Some(PointKind::Production)),
            rated_kw: Some(100.0),
            ..typed
        };
        let point = check(&typed, &Spot::file("x"), &mut report);
        (point.thresholds, report.n_errors())
    }

    fn powers_w(t: &Thresholds) -> [f64; 4] {
        [t.running_above_w, t.running_below_w, t.idle_above_w, t.off_below_w].map(f64::round)
    }

    #[test]
    fn without_a_word_thresholds_are_shares_of_rated_power_by_kind() {
        let (production, _) = of(typed::Point::default());
        assert_eq!(powers_w(&production), [15_000.0, 10_000.0, 3_000.0, 2_000.0]);
        assert_eq!(production.basis, Basis::Fallback);
        let (fan, _) = of(typed::Point { kind: Some(PointKind::Treatment), ..Default::default() });
        assert_eq!(powers_w(&fan), [8_000.0, 5_000.0, 3_000.0, 2_000.0]);
        assert_ne!(fan.version, production.version);
    }

    #[test]
    fn one_typed_threshold_draws_those_below_it_along() {
        let typed = typed::Point { running_above: Some(Power::Watts(3_000.0)), ..Default::default() };
        let (t, errors) = of(typed);
        assert_eq!((powers_w(&t), errors), ([3_000.0, 2_000.0, 600.0, 400.0], 0));
        assert_eq!(t.basis, Basis::Configured);
        let typed = typed::Point { running_below: Some(Power::Share(0.01)), ..Default::default() };
        let (t, errors) = of(typed);
        assert_eq!((powers_w(&t), errors), ([15_000.0, 1_000.0, 300.0, 200.0], 0));
    }

    #[test]
    fn inverted_thresholds_are_refused() {
        let typed = typed::Point {
            running_above: Some(Power::Watts(3_000.0)),
            running_below: Some(Power::Watts(4_000.0)),
            ..Default::default()
        };
        assert_eq!(of(typed).1, 1);
        let typed = typed::Point { off_below: Some(Power::Share(0.05)), ..Default::default() };
        assert_eq!(of(typed).1, 1);
    }
}
