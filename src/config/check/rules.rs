//! What is set about rules, layer over layer: all sites, one site, one process.

use super::must;
use crate::config::problem::{Report, Spot};
use crate::config::suggest;
use crate::config::typed::quantity::{Power, Span};
use crate::config::typed::rules::{Rules, Value};
use crate::model::param::{Param, Settings, Unit};
use crate::model::rule::{Rule, Scope};

/// The key that turns a rule off.
const ON: &str = "on";

/// Lays what was typed at `at` over what holds there already. At a process only rules of processes can be set.
pub fn lay(base: &Settings, typed: &Rules, at: &Spot, at_process: bool, report: &mut Report) -> Settings {
    let mut settings = base.clone();
    for (name, keys) in typed {
        let spot = at.key("rules").key(name);
        let Some(rule) = Rule::from_name(name) else {
            let known = Rule::ALL.iter().map(|r| r.name());
            report.error(&spot, format!("there is no rule {name:?}"), suggest::hint(name, known));
            continue;
        };
        if at_process && rule.scope() != Scope::Process {
            let hint = format!("[rules.{name}] in the site file or in submeterd.toml");
            report.error(&spot, "the rule is not about a process", hint);
            continue;
        }
        for (key, value) in keys {
            set(&mut settings, rule, (key, value), &spot.key(key), report);
        }
    }
    settings
}

fn set(settings: &mut Settings, rule: Rule, (key, value): (&str, &Value), spot: &Spot, report: &mut Report) {
    if key == ON {
        match value {
            Value::Switch(on) => settings.turn(rule, *on),
            Value::Text(text) if text == "true" || text == "false" => settings.turn(rule, text == "true"),
            _ => report.error(spot, "it is true or false", "on = false turns the rule off"),
        }
        return;
    }
    let Some(param) = Param::find(rule, key) else {
        let known = Param::of(rule).map(|p| p.about().key).chain([ON]);
        report.error(spot, format!("the rule has no key {key:?}"), suggest::hint(key, known));
        return;
    };
    let about = param.about();
    let Some(number) = read(value, about.unit) else {
        report.error(spot, format!("{} is expected", expected(about.unit)), about.says);
        return;
    };
    if number < about.bounds.0 || number > about.bounds.1 {
        let (from, to) = (shown(about.bounds.0, about.unit), shown(about.bounds.1, about.unit));
        report.error(
            spot,
            format!("{} is out of bounds", shown(number, about.unit)),
            format!("from {from} to {to}"),
        );
        return;
    }
    settings.set(param, number);
}

#[expect(clippy::cast_precision_loss, reason = "durations of days in ms, far below 2^52")]
fn read(value: &Value, unit: Unit) -> Option<f64> {
    match (unit, value) {
        (Unit::Span, Value::Text(text)) => Span::parse(text).map(|span| span.0.as_millis() as f64),
        (Unit::Clock, Value::Text(text)) => clock_ms(text).map(|ms| ms as f64),
        (Unit::Share, Value::Text(text)) if text.trim().ends_with('%') => match Power::parse(text)? {
            Power::Share(share) => Some(share),
            Power::Watts(_) => None,
        },
        // A variable of the environment is a text, whatever it says.
        (Unit::Share | Unit::Number | Unit::Volt, Value::Text(text)) => text.trim().parse().ok(),
        (Unit::Share | Unit::Number | Unit::Volt, Value::Number(number)) => Some(*number),
        _ => None,
    }
}

/// A time of day, ms since midnight: `22:00`, and `24:00` for the end of the day.
#[must_use]
pub fn clock_ms(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |part: &str| if part.len() == 2 { part.parse::<i64>().ok() } else { None };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let ms = (hours * 60 + minutes) * 60_000;
    (minutes < 60 && (0..=86_400_000).contains(&ms)).then_some(ms)
}

const fn expected(unit: Unit) -> &'static str {
    match unit {
        Unit::Span => "a duration such as \"10min\"",
        Unit::Share => "a share such as \"30%\" or 0.3",
        Unit::Number | Unit::Volt => "a number",
        Unit::Clock => "a time of day such as \"22:00\"",
    }
}

/// A value as one types it.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the table")]
pub fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Span => must::words(std::time::Duration::from_millis(value as u64)),
        Unit::Share => format!("{}%", (value * 1e6).round() / 1e4),
        Unit::Number => format!("{value}"),
        Unit::Volt => format!("{value} V"),
        Unit::Clock => {
            let minutes = (value / 60_000.0) as i64;
            format!("{:02}:{:02}", minutes / 60, minutes % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay_toml(text: &str, at_process: bool) -> (Settings, Vec<String>) {
        let typed: Rules = toml::from_str(text).unwrap();
        let mut report = Report::default();
        let settings = lay(&Settings::DEFAULT, &typed, &Spot::file("x.toml"), at_process, &mut report);
        let problems = report.finish(|_, _| None).errors.iter().map(ToString::to_string).collect();
        (settings, problems)
    }

    #[test]
    fn each_unit_is_typed_as_people_write_it() {
        let (settings, problems) = lay_toml(
            "late_start = { tolerance = '90s', alarm_from = 5 }\ntreatment_underload = { share = '30%' }\n\
             treatment_off = { night_from = '21:30' }\nimbalance = { on = false }\nvoltage_loss = { nominal = 5_773 }",
            false,
        );
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(settings.ms(Param::LateTolerance), 90_000);
        assert_eq!((settings.get(Param::UnderloadShare), settings.get(Param::LateRepeats)), (0.3, 5.0));
        assert_eq!(settings.ms(Param::NightFrom), (21 * 60 + 30) * 60_000);
        assert_eq!(settings.get(Param::VoltageNominal), 5_773.0);
        assert!(!settings.is_on(Rule::Imbalance));
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_key() {
        let (settings, problems) = lay_toml(
            "late_strat = {}\nlate_start = { tolerence = '1min', tolerance = 5 }\nfrozen = { raise = '30d' }\nnight = { on = 1 }",
            false,
        );
        assert_eq!(settings, Settings::DEFAULT);
        for (problem, said) in problems.iter().zip([
            "rules.frozen.raise: 30d is out of bounds",
            "rules.late_start.tolerance: a duration such as",
            "rules.late_start.tolerence: the rule has no key \"tolerence\"",
            "rules.late_strat: there is no rule",
            "rules.night.on: it is true or false",
        ]) {
            assert!(problem.contains(said), "{problem}");
        }
        assert_eq!(problems.len(), 5, "{problems:?}");
        let (_, problems) = lay_toml("frozen = { on = false }", true);
        assert!(problems[0].contains("not about a process"), "{problems:?}");
    }
}
