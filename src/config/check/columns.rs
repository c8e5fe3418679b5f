//! Column maps: how the rows of a CSV become readings of the meters of a registry.

use std::collections::HashMap;
use std::path::Path;

use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::must;
use super::unit;
use crate::config::columns::{
    ColumnMap, MeterColumn, Named, Scaled, TimeColumn, TimeForm, ValueColumn, What,
};
use crate::config::document;
use crate::config::problem::{Problems, Report, Spot};
use crate::config::suggest;
use crate::config::texts::{self, Text};
use crate::config::typed::columns as typed;
use crate::model::quantity::Channel;
use crate::model::reading::MeterIdx;
use crate::model::registry::Registry;

/// Reads and checks the map at `path`.
///
/// # Errors
/// All that is wrong in it, with key, line and what to do.
pub fn load(path: &Path, registry: &Registry) -> Result<ColumnMap, Problems> {
    let mut report = Report::default();
    match texts::file(path, &mut report) {
        Some(text) => check(&text, registry),
        None => Err(report.finish(|_, _| None)),
    }
}

/// Checks a map.
///
/// # Errors
/// All that is wrong in it, with key, line and what to do.
pub fn check(text: &Text, registry: &Registry) -> Result<ColumnMap, Problems> {
    let mut report = Report::default();
    let read = document::read::<typed::Columns>(&text.name, &text.text, &mut report);
    let map = read.and_then(|read| columns(&read.typed, text, registry, &mut report));
    match map {
        Some(map) if report.is_clean() => Ok(map),
        _ => Err(report.finish(|_, key| document::line_of(&text.text, key))),
    }
}

fn columns(
    typed: &typed::Columns,
    text: &Text,
    registry: &Registry,
    report: &mut Report,
) -> Option<ColumnMap> {
    let file = Spot::file(&text.name);
    let meters = registry.meter_index();
    let time = match &typed.time {
        Some(time) => Some(time_column(time, &file.key("time"), report)),
        None => {
            let hint = "[time] with column = \"...\": without a time nothing can be judged";
            report.error(&file.key("time"), "this table is missing", hint);
            None
        }
    };
    let meter = typed.meter.as_ref().map(|m| meter_column(m, registry, &meters, &file.key("meter"), report));
    let mut values = Vec::new();
    let mut once = must::Once::new("value");
    for (i, column) in typed.column.iter().enumerate() {
        let spot = file.item("column", i);
        let value = value_column(column, meter.is_some(), &meters, &spot, report);
        let said = (&column.meter, &column.quantity);
        if let (Some(value), (meter, Some(quantity))) = (value, said) {
            let both = format!("{} {quantity}", meter.as_deref().unwrap_or_default());
            once.take(both.trim(), &spot.key("quantity"), "a value comes from one column", report);
            values.push(value);
        }
    }
    match &typed.value {
        Some(_) if !typed.column.is_empty() => {
            let hint =
                "[[column]] where columns have values of their own, [value] where each row is one value";
            report.error(&file.key("value"), "it cannot stand beside [[column]]", hint);
        }
        Some(value) => {
            if meter.is_none() {
                let hint = "[meter] with column = \"...\" says whose value a row is";
                report.error(&file.key("value"), "it needs a table [meter]", hint);
            }
            values.extend(long_value(value, &file.key("value"), report));
        }
        None if typed.column.is_empty() => {
            let hint = "[[column]] with name, meter and quantity for each column of values, or [value]";
            report.error(&file.key("column"), "the map reads no values", hint);
        }
        None => {}
    }
    let (text, missing) = (text.text.as_str().into(), typed.missing.clone());
    Some(ColumnMap { time: time?, meter, values, missing, text })
}

fn named(value: Option<&String>, spot: Spot, report: &mut Report) -> Named {
    let column = must::text(value, &spot, "\"Power\", as in the first row of the CSV", report);
    Named { column: column.into(), spot }
}

fn time_column(typed: &typed::Time, at: &Spot, report: &mut Report) -> TimeColumn {
    let form = match (&typed.format, typed.form) {
        (Some(_), Some(_)) => {
            report.error(&at.key("format"), "it cannot stand beside form", "one of the two is enough");
            TimeForm::Iso
        }
        (Some(format), None) => {
            if let Some(why) = not_a_format(format) {
                let hint = "year, month, day and time in the letters of strptime: \"%d.%m.%Y %H:%M\"";
                report.error(&at.key("format"), format!("no time can be read by it: {why}"), hint);
            }
            TimeForm::Format(format.as_str().into())
        }
        (None, Some(typed::TimeForm::UnixS)) => TimeForm::UnixS,
        (None, Some(typed::TimeForm::UnixMs)) => TimeForm::UnixMs,
        (None, Some(typed::TimeForm::Iso) | None) => TimeForm::Iso,
    };
    if let Some(zone) = &typed.zone {
        if matches!(form, TimeForm::UnixS | TimeForm::UnixMs) {
            let hint = "leave it away: a count since 1970 is in UTC everywhere";
            report.error(&at.key("zone"), "only a local time needs a zone", hint);
        }
        must::zone(zone, &at.key("zone"), report);
    }
    let zone = typed.zone.as_deref().and_then(|z| TimeZone::get(z).ok());
    TimeColumn { at: named(typed.column.as_ref(), at.key("column"), report), form, zone }
}

/// Why no moment can be read by a format: one is written by it and read back.
fn not_a_format(format: &str) -> Option<String> {
    let moment = jiff::civil::date(2026, 11, 24).at(18, 5, 9, 0).to_zoned_datetime(TimeZone::UTC).ok()?;
    let round = || -> Result<(), jiff::Error> {
        let written = strtime::format(format, &moment)?;
        let read = strtime::parse(format, &written)?;
        read.to_timestamp().map(|_| ()).or_else(|_| read.to_datetime().map(|_| ()))
    };
    round().err().map(|error| error.to_string())
}

fn meter_column(
    typed: &typed::Meter,
    registry: &Registry,
    meters: &HashMap<&str, MeterIdx>,
    at: &Spot,
    report: &mut Report,
) -> MeterColumn {
    let mut names: HashMap<Box<str>, MeterIdx> = meters.iter().map(|(id, i)| ((*id).into(), *i)).collect();
    if let Some(site) = &typed.site {
        let sites = registry.sites.iter().map(|s| &*s.id);
        if !sites.clone().any(|id| id == site) {
            report.error(&at.key("site"), format!("no site {site:?} is known"), suggest::hint(site, sites));
        }
        let own = meters.iter().filter_map(|(id, i)| {
            let (of, name) = id.split_once('/')?;
            (of == site).then(|| (name.into(), *i))
        });
        names.extend(own);
    }
    for (name, id) in &typed.names {
        let found = meter(Some(id), meters, &at.key("names").key(name), report);
        names.extend(found.map(|i| (name.trim().into(), i)));
    }
    MeterColumn { at: named(typed.column.as_ref(), at.key("column"), report), names }
}

fn meter(
    id: Option<&String>,
    meters: &HashMap<&str, MeterIdx>,
    spot: &Spot,
    report: &mut Report,
) -> Option<MeterIdx> {
    let id = must::text(id, spot, "meter = \"site/meter\"", report);
    let found = meters.get(id).copied();
    if found.is_none() && !id.is_empty() {
        let mut known: Vec<&str> = meters.keys().copied().collect();
        known.sort_unstable();
        report.error(
            spot,
            format!("no meter {id:?} is configured"),
            suggest::hint(id, known.iter().copied()),
        );
    }
    found
}

fn value_column(
    typed: &typed::Column,
    rows_name_meter: bool,
    meters: &HashMap<&str, MeterIdx>,
    spot: &Spot,
    report: &mut Report,
) -> Option<ValueColumn> {
    let at = named(typed.name.as_ref(), spot.key("name"), report);
    let meter = match &typed.meter {
        Some(_) if rows_name_meter => {
            let hint = "leave one of the two away: here, or the table [meter]";
            report.error(&spot.key("meter"), "each row names its meter already", hint);
            None
        }
        None if rows_name_meter => None,
        id => Some(meter(id.as_ref(), meters, &spot.key("meter"), report)?),
    };
    let scaled = scaled(typed.quantity.as_ref(), (typed.unit.as_deref(), typed.scale), spot, report)?;
    Some(ValueColumn { at, meter, what: What::One(scaled) })
}

fn scaled(
    quantity: Option<&String>,
    (unit, scale): (Option<&str>, Option<f64>),
    spot: &Spot,
    report: &mut Report,
) -> Option<Scaled> {
    let channel = unit::channel(quantity, &spot.key("quantity"), report)?;
    Some(Scaled { channel, scale: unit::scale(channel, unit, scale, spot, report) })
}

fn long_value(typed: &typed::Value, spot: &Spot, report: &mut Report) -> Option<ValueColumn> {
    let at = named(typed.column.as_ref(), spot.key("column"), report);
    let what = match (&typed.quantity_column, &typed.quantity) {
        (Some(column), None) => {
            let mut names = HashMap::new();
            for (name, own) in &typed.quantities {
                let spot = spot.key("quantities").key(name);
                let found = scaled(own.quantity.as_ref(), (own.unit.as_deref(), own.scale), &spot, report);
                names.extend(found.map(|scaled| (name.trim().into(), scaled)));
            }
            if typed.quantities.is_empty() {
                names =
                    Channel::all().map(|c| (c.name().into(), Scaled { channel: c, scale: 1.0 })).collect();
            }
            if typed.unit.is_some() || typed.scale.is_some() {
                let key = if typed.unit.is_some() { "unit" } else { "scale" };
                let hint = "quantities = { kW = { quantity = \"power_w\", unit = \"kW\" } }";
                report.error(&spot.key(key), "each quantity has its own", hint);
            }
            What::By { at: named(Some(column), spot.key("quantity_column"), report), names }
        }
        (None, quantity) => {
            let own = (typed.unit.as_deref(), typed.scale);
            What::One(scaled(quantity.as_ref(), own, spot, report)?)
        }
        (Some(_), Some(_)) => {
            let hint = "quantity where all values are of one, quantity_column where a column names it";
            report.error(&spot.key("quantity"), "it cannot stand beside quantity_column", hint);
            return None;
        }
    };
    Some(ValueColumn { at, meter: None, what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::columns::Places;

    /// A site `plant` with the meters `press` and `fan`.
    fn registry() -> Registry {
        let site = "id = 'plant'\nname = 'Plant'\n[[meters]]\nid = 'press'\n[[meters]]\nid = 'fan'\n\
                    [[points]]\nid = 'press'\nkind = 'production'\nrated_kw = 75\nmeter = 'press'\n";
        let sites = vec![Text { name: "plant.toml".into(), text: site.into() }];
        crate::config::from_texts(&texts::Texts { sites, ..texts::Texts::default() }).unwrap().config.registry
    }

    fn checked(map: &str) -> Result<ColumnMap, Vec<String>> {
        let text = Text { name: "map.toml".into(), text: map.into() };
        check(&text, &registry()).map_err(|p| p.errors.iter().map(ToString::to_string).collect())
    }

    fn told(map: &str) -> String {
        checked(map).unwrap_err().join("\n")
    }

    const WIDE: &str = "[time]\ncolumn = 'when'\nzone = 'Asia/Shanghai'\n\
                        [[column]]\nname = 'Press kW'\nmeter = 'plant/press'\nquantity = 'power_w'\nscale = 1000\n\
                        [[column]]\nname = 'Fan Wh'\nmeter = 'plant/fan'\nquantity = 'energy_import_kwh'\nunit = 'Wh'\n";

    #[test]
    fn a_column_a_meter_is_found_in_the_header_with_its_scale() {
        let map = checked(WIDE).unwrap();
        let places = map.places("x.csv", &["Fan Wh", "when", "note", "Press kW"]).unwrap();
        assert_eq!(places, Places { time: 1, meter: None, values: vec![(3, None), (0, None)] });
        let scaled = |v: &ValueColumn| if let What::One(scaled) = v.what { Some(scaled) } else { None };
        let press = Scaled { channel: Channel::POWER, scale: 1_000.0 };
        let fan = Scaled { channel: Channel::ENERGY, scale: 0.001 };
        assert_eq!(map.values.iter().map(scaled).collect::<Vec<_>>(), [Some(press), Some(fan)]);
        assert_eq!(map.values.iter().map(|v| v.meter).collect::<Vec<_>>(), [Some(0), Some(1)]);
    }

    #[test]
    fn columns_that_are_not_there_or_there_twice_are_told_with_their_line_in_the_map() {
        let map = checked(WIDE).unwrap();
        let problems = map.places("x.csv", &["when", "when", "Pres kW", "Fan Wh"]).unwrap_err();
        let told: Vec<String> = problems.errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            told[0].lines().next(),
            Some("map.toml:2: time.column: the column \"when\" is in x.csv twice")
        );
        assert_eq!(
            told[1],
            "map.toml:5: column[0].name: no column \"Press kW\" is in x.csv\n  hint: did you mean \"Pres kW\"?"
        );
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_row_a_value_finds_meters_and_quantities_by_their_names() {
        let map = checked(
            "[time]\ncolumn = 't'\nform = 'unix_ms'\n\
             [meter]\ncolumn = 'device'\nsite = 'plant'\nnames = { 'Fan 1' = 'plant/fan' }\n\
             [value]\ncolumn = 'v'\nquantity_column = 'q'\n\
             quantities = { P = { quantity = 'power_w', unit = 'kW' } }\n",
        )
        .unwrap();
        let meter = map.meter.as_ref().unwrap();
        let found = ["plant/press", "press", "Fan 1", "fan 1"].map(|name| meter.names.get(name).copied());
        assert_eq!(found, [Some(0), Some(0), Some(1), None]);
        let What::By { names, .. } = &map.values[0].what else { panic!("{map:?}") };
        assert_eq!(names["P"], Scaled { channel: Channel::POWER, scale: 1_000.0 });
        assert_eq!(names.len(), 1);
        let places = map.places("x.csv", &["t", "device", "q", "v"]).unwrap();
        assert_eq!(places, Places { time: 0, meter: Some(1), values: vec![(3, Some(2))] });
    }

    #[test]
    fn every_mistake_is_told_at_once_with_key_and_hint() {
        let told = told(
            "[time]\ncolumn = 't'\nformat = '%Y-%q'\nzone = 'Asia/Shangai'\n\
             [[column]]\nname = 'a'\nmeter = 'plant/fna'\nquantity = 'power_w'\n\
             [[column]]\nname = 'b'\nmeter = 'plant/fan'\nquantity = 'pwer_w'\n\
             [[column]]\nname = 'c'\nmeter = 'plant/fan'\nquantity = 'power_w'\nscale = 0\n\
             [[column]]\nname = 'd'\nmeter = 'plant/fan'\nquantity = 'power_w'\nunit = 'kW'\n\
             [[column]]\nmeter = 'plant/fan'\nquantity = 'voltage_v'\n",
        );
        for part in [
            "map.toml:3: time.format: no time can be read by it",
            "map.toml:4: time.zone: no time zone \"Asia/Shangai\"",
            "map.toml:7: column[0].meter: no meter \"plant/fna\" is configured\n  hint: did you mean \"plant/fan\"?",
            "map.toml:12: column[1].quantity: \"pwer_w\" is no channel\n  hint: did you mean \"power_w\"?",
            "map.toml:17: column[2].scale: a scale of 0 leaves nothing",
            "map.toml:21: column[3].quantity: value \"plant/fan power_w\" is there twice",
            "column[4].name: this key is missing",
        ] {
            assert!(told.contains(part), "{part}\n{told}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (map, part) in [
            ("", "time: this table is missing"),
            ("[time]\ncolumn = 't'\n", "column: the map reads no values"),
            ("[time]\nform = 'iso'\n", "time.column: this key is missing"),
            (
                "[time]\ncolumn = 't'\nform = 'unix_s'\nzone = 'UTC'\n",
                "time.zone: only a local time needs a zone",
            ),
            (
                "[time]\ncolumn = 't'\nform = 'iso'\nformat = '%F %T'\n",
                "time.format: it cannot stand beside form",
            ),
            ("[time]\ncolumn = 't'\nform = 'unx_ms'\n", "hint: did you mean \"unix_ms\"?"),
            ("[value]\ncolumn = 'v'\nquantity = 'power_w'\n", "value: it needs a table [meter]"),
            ("[value]\ncolumn = 'v'\n[[column]]\nname = 'a'\n", "value: it cannot stand beside [[column]]"),
            (
                "[meter]\ncolumn = 'd'\n[[column]]\nname = 'a'\nmeter = 'plant/fan'\nquantity = 'power_w'\n",
                "column[0].meter: each row names its meter already",
            ),
            ("[meter]\ncolumn = 'd'\nsite = 'plnt'\n", "meter.site: no site \"plnt\" is known"),
            ("[tyme]\ncolumn = 't'\n", "tyme: unknown key\n  hint: did you mean \"time\"?"),
        ] {
            let told = told(map);
            assert!(told.contains(part), "{part}\n{told}");
        }
    }
}
