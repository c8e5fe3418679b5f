//! Rows of a CSV, made values by a column map. Pure.

use csv::StringRecord;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::spool::Value;
use crate::config::columns::{ColumnMap, Places, Scaled, TimeForm, What};
use crate::model::reading::MeterIdx;
use crate::model::time::UtcMs;
use crate::sources::mqtt::moment;

/// Longest part of a cell that is quoted, characters.
const QUOTED_MAX: usize = 40;

/// Why a row, or a cell of it, is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be read.
    Bad(String),
    /// It is of a meter or a quantity that the map does not know: of each name one row is shown.
    Unknown(String),
}

impl Fault {
    /// In words.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Fault::Bad(why) | Fault::Unknown(why) => why,
        }
    }
}

/// Reads rows, one after the other.
#[derive(Debug)]
pub struct Rows<'a> {
    map: &'a ColumnMap,
    places: Places,
    n_columns: usize,
    /// Time of the row before: tells which of two hours of the same name is meant.
    last: UtcMs,
}

impl<'a> Rows<'a> {
    /// For a file whose first row has so many columns.
    #[must_use]
    pub fn new(map: &'a ColumnMap, places: Places, n_columns: usize) -> Rows<'a> {
        Rows { map, places, n_columns, last: UtcMs(0) }
    }

    /// Adds the values of a row to `values`, and what of it cannot be taken to `faults`.
    pub fn take(&mut self, row: &StringRecord, values: &mut Vec<Value>, faults: &mut Vec<Fault>) {
        if row.iter().all(str::is_empty) {
            return;
        }
        let (n, n_columns) = (row.len(), self.n_columns);
        // A cell too few may be a value that was cut; one too many, a decimal comma, and then all that follows is shifted.
        if n < n_columns || row.iter().skip(n_columns).any(|cell| !cell.is_empty()) {
            let why =
                format!("{n} cells under {n_columns} columns: the row is cut, or a comma stands unquoted");
            return faults.push(Fault::Bad(why));
        }
        let Some(time) = self.time(&row[self.places.time], faults) else { return };
        let row_meter = match (&self.map.meter, self.places.meter) {
            (Some(meter), Some(place)) => {
                let name = &row[place];
                let Some(index) = meter.names.get(name) else {
                    let name = quoted(name);
                    return faults.push(Fault::Unknown(format!("no meter {name} is configured or mapped")));
                };
                Some(*index)
            }
            _ => None,
        };
        for (column, (place, by)) in self.map.values.iter().zip(&self.places.values) {
            let text = &row[*place];
            let Some(meter) = column.meter.or(row_meter) else { continue };
            if text.is_empty() || self.map.missing.iter().any(|missing| missing == text) {
                continue;
            }
            match scaled(&column.what, by.map(|place| &row[place])) {
                Ok(scaled) => value((time, meter), scaled, (text, &column.at.column), values, faults),
                Err(fault) => faults.push(fault),
            }
        }
    }

    fn time(&mut self, text: &str, faults: &mut Vec<Fault>) -> Option<UtcMs> {
        let zone = self.map.time.zone.as_ref();
        let number = |of: fn(f64) -> Option<UtcMs>| text.parse().ok().and_then(of);
        let in_zone = |zone: Option<&TimeZone>| match &self.map.time.form {
            TimeForm::Iso => moment::from_iso(text, zone, self.last),
            TimeForm::UnixS => number(moment::from_s),
            TimeForm::UnixMs => number(moment::from_ms),
            TimeForm::Format(format) => by_format(format, text, zone, self.last),
        };
        let found = in_zone(zone);
        if let Some(time) = found {
            self.last = time;
        } else if zone.is_none() && in_zone(Some(&TimeZone::UTC)).is_some() {
            let why = "has no zone; write zone = \"Asia/Shanghai\" under [time] of the map";
            faults.push(Fault::Bad(format!("the time {} {why}", quoted(text))));
        } else {
            faults.push(Fault::Bad(format!("the time {} cannot be read", quoted(text))));
        }
        found
    }
}

fn by_format(format: &str, text: &str, zone: Option<&TimeZone>, last: UtcMs) -> Option<UtcMs> {
    let read = strtime::parse(format, text).ok()?;
    match read.to_timestamp() {
        Ok(at) => moment::plausible(UtcMs(at.as_millisecond())),
        Err(_) => moment::from_local(read.to_datetime().ok()?, zone?, last),
    }
}

fn scaled(what: &What, said: Option<&str>) -> Result<Scaled, Fault> {
    match (what, said) {
        (What::One(scaled), _) => Ok(*scaled),
        (What::By { names, .. }, Some(name)) => {
            let unknown = || Fault::Unknown(format!("no quantity {} is mapped", quoted(name)));
            names.get(name).copied().ok_or_else(unknown)
        }
        (What::By { .. }, None) => Err(Fault::Bad("the row does not say what was measured".into())),
    }
}

fn value(
    (time, meter): (UtcMs, MeterIdx),
    Scaled { channel, scale }: Scaled,
    (text, column): (&str, &str),
    values: &mut Vec<Value>,
    faults: &mut Vec<Fault>,
) {
    match text.parse::<f64>().map(|number| number * scale) {
        Ok(value) if value.is_finite() => values.push(Value { time, meter, channel, value }),
        _ => {
            let hint = if text.contains(',') { "; a decimal point is wanted" } else { "" };
            let what = format!("column {}: {} is no number{hint}", quoted(column), quoted(text));
            faults.push(Fault::Bad(what));
        }
    }
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check::columns::check;
    use crate::config::texts::{Text, Texts};
    use crate::model::quantity::Channel;

    fn map(text: &str) -> ColumnMap {
        let site = "id = 'plant'\nname = 'Plant'\n[[meters]]\nid = 'press'\n[[meters]]\nid = 'fan'\n\
                    [[points]]\nid = 'press'\nkind = 'production'\nrated_kw = 75\nmeter = 'press'\n";
        let sites = vec![Text { name: "plant.toml".into(), text: site.into() }];
        let config = crate::config::from_texts(&Texts { sites, ..Texts::default() }).unwrap().config;
        check(&Text { name: "map.toml".into(), text: text.into() }, &config.registry).unwrap()
    }

    /// A value: ms, meter, channel, value.
    type Plain = (i64, u32, u8, f64);

    /// Values, and faults.
    fn read(map: &ColumnMap, header: &str, rows: &[&str]) -> (Vec<Plain>, Vec<Fault>) {
        let header: Vec<&str> = header.split(',').collect();
        let places = map.places("x.csv", &header).unwrap();
        let mut reader = Rows::new(map, places, header.len());
        let (mut values, mut faults) = (Vec::new(), Vec::new());
        for row in rows {
            reader.take(&StringRecord::from_iter(row.split(',')), &mut values, &mut faults);
        }
        (values.iter().map(|v| (v.time.0, v.meter, v.channel.0, v.value)).collect(), faults)
    }

    fn bad(faults: &[Fault]) -> Vec<&str> {
        faults.iter().map(Fault::why).collect()
    }

    const POWER: u8 = Channel::POWER.0;
    /// 2022-08-29T16:10:00Z
    const AT: i64 = 1_661_789_400_000;

    #[test]
    fn cells_are_scaled_empty_ones_are_missing_and_bad_ones_do_not_take_the_row_along() {
        let map = map("missing = ['NA']\n[time]\ncolumn = 't'\n\
                       [[column]]\nname = 'press'\nmeter = 'plant/press'\nquantity = 'power_w'\nscale = 1000\n\
                       [[column]]\nname = 'fan'\nmeter = 'plant/fan'\nquantity = 'power_w'\n");
        let rows = [
            "2022-08-29T16:10:00Z,35.2,200",
            "2022-08-30 00:11:00+08:00,,201",
            "2022-08-29T16:12:00Z,NA,202",
            "2022-08-29T16:13:00Z,off,203",
            "2022-08-29T16:14:00Z,inf,",
            "2022-08-29T16:15:00Z,35",
            "2022-08-29T16:15:00Z,35,2,200",
            "2022-08-29T16:16:00Z,1,2,",
            ",,",
            "soon,1,2",
            "2022-08-29T16:17:00,1,2",
        ];
        let (values, faults) = read(&map, "t,press,fan", &rows);
        let at = |minute: i64| AT + minute * 60_000;
        assert_eq!(
            values,
            [
                (at(0), 0, POWER, 35_200.0),
                (at(0), 1, POWER, 200.0),
                (at(1), 1, POWER, 201.0),
                (at(2), 1, POWER, 202.0),
                (at(3), 1, POWER, 203.0),
                (at(6), 0, POWER, 1_000.0),
                (at(6), 1, POWER, 2.0),
            ]
        );
        let told = bad(&faults);
        assert_eq!(told.len(), 6, "{told:?}");
        assert_eq!(told[0], "column \"press\": \"off\" is no number");
        assert_eq!(told[1], "column \"press\": \"inf\" is no number");
        assert!(told[2].starts_with("2 cells under 3 columns") && told[3].starts_with("4 cells under 3"));
        assert_eq!(told[4], "the time \"soon\" cannot be read");
        assert!(told[5].contains("has no zone; write zone = "), "{}", told[5]);
    }

    #[test]
    fn a_row_a_value_is_of_the_meter_and_quantity_it_names() {
        let map = map("[time]\ncolumn = 't'\nform = 'unix_s'\n[meter]\ncolumn = 'd'\nsite = 'plant'\n\
                       [value]\ncolumn = 'v'\nquantity_column = 'q'\n");
        let rows = [
            "1661789400,fan,power_w,7",
            "1661789400.5,plant/press,energy_import_kwh,8",
            "1661789400,pump,power_w,9",
            "1661789400,fan,power,9",
        ];
        let (values, faults) = read(&map, "t,d,q,v", &rows);
        assert_eq!(values, [(AT, 1, POWER, 7.0), (AT + 500, 0, Channel::ENERGY.0, 8.0)]);
        let unknown = |why: &str| Fault::Unknown(why.into());
        let pump = unknown("no meter \"pump\" is configured or mapped");
        assert_eq!(faults, [pump, unknown("no quantity \"power\" is mapped")]);
    }

    #[test]
    fn times_are_read_in_every_form_and_a_clock_that_is_set_back_goes_on() {
        let one = "[[column]]\nname = 'p'\nmeter = 'plant/fan'\nquantity = 'power_w'\n";
        let at = |time: &str, text: &[&str]| -> Vec<i64> {
            let rows: Vec<String> = text.iter().map(|t| format!("{t},1")).collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let (values, faults) = read(&map(&format!("[time]\ncolumn = 't'\n{time}\n{one}")), "t,p", &rows);
            assert_eq!(faults, []);
            values.iter().map(|v| v.0).collect()
        };
        assert_eq!(at("form = 'unix_ms'", &["1661789400000"]), [AT]);
        assert_eq!(at("format = '%d/%m/%Y %H:%M'\nzone = 'Asia/Shanghai'", &["30/08/2022 00:10"]), [AT]);
        assert_eq!(at("format = '%d/%m/%Y %H:%M %:z'", &["30/08/2022 00:10 +08:00"]), [AT]);
        let autumn = ["01:55", "02:25", "02:55", "02:00", "02:25", "02:50", "03:00"]
            .map(|time| format!("2023-10-29 {time}"));
        let found = at("zone = 'Europe/Zurich'", &autumn.each_ref().map(String::as_str));
        let steps: Vec<i64> = found.windows(2).map(|w| (w[1] - w[0]) / 60_000).collect();
        assert_eq!(steps, [30, 30, 5, 25, 25, 10]);
    }
}
