//! A column map, checked: how the rows of a CSV become readings. Pure.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::document;
use super::problem::{Problems, Report, Spot};
use super::suggest;
use crate::model::quantity::Channel;
use crate::model::reading::MeterIdx;

/// How the rows of a CSV become readings.
#[derive(Clone, Debug)]
pub struct ColumnMap {
    /// Where the measuring time is.
    pub time: TimeColumn,
    /// Where the meter's name is, if each row is of one meter.
    pub meter: Option<MeterColumn>,
    /// The columns with values.
    pub values: Vec<ValueColumn>,
    /// What stands for a missing value, beside nothing.
    pub missing: Vec<String>,
    pub(super) text: Box<str>,
}

/// A column by its name, and where the map names it.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name in the first row of the CSV.
    pub column: Box<str>,
    pub(super) spot: Spot,
}

/// Where the measuring time is.
#[derive(Clone, Debug)]
pub struct TimeColumn {
    /// The column.
    pub at: Named,
    /// What a time looks like.
    pub form: TimeForm,
    /// The zone of times without one.
    pub zone: Option<TimeZone>,
}

/// What a time looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// ISO 8601, with or without zone.
    Iso,
    /// Seconds since 1970.
    UnixS,
    /// Milliseconds since 1970.
    UnixMs,
    /// In the letters of strptime.
    Format(Box<str>),
}

/// Where the meter's name is.
#[derive(Clone, Debug)]
pub struct MeterColumn {
    /// The column.
    pub at: Named,
    /// Every name a meter goes by in the file.
    pub names: HashMap<Box<str>, MeterIdx>,
}

/// A column with values.
#[derive(Clone, Debug)]
pub struct ValueColumn {
    /// The column.
    pub at: Named,
    /// The meter whose values they are; `None` where the row names it.
    pub meter: Option<MeterIdx>,
    /// What is measured.
    pub what: What,
}

/// What is measured.
#[derive(Clone, Debug)]
pub enum What {
    /// Always the same.
    One(Scaled),
    /// What another column says.
    By {
        /// That column.
        at: Named,
        /// What it may say.
        names: HashMap<Box<str>, Scaled>,
    },
}

/// A channel, and what makes its unit of the number in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaled {
    /// The channel.
    pub channel: Channel,
    /// The number is multiplied by this.
    pub scale: f64,
}

/// Where the columns of a map are in a file, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The measuring time.
    pub time: usize,
    /// The meter's name.
    pub meter: Option<usize>,
    /// Of each value column: itself, and the column that says what it holds.
    pub values: Vec<(usize, Option<usize>)>,
}

impl ColumnMap {
    /// Finds the columns in the first row of `file`.
    ///
    /// # Errors
    /// Every column that is not there, or there twice.
    pub fn places(&self, file: &str, header: &[&str]) -> Result<Places, Problems> {
        let mut report = Report::default();
        let mut place = |named: &Named| place(named, file, header, &mut report);
        let places = Places {
            time: place(&self.time.at),
            meter: self.meter.as_ref().map(|meter| place(&meter.at)),
            values: self
                .values
                .iter()
                .map(|v| {
                    (place(&v.at), if let What::By { at, .. } = &v.what { Some(place(at)) } else { None })
                })
                .collect(),
        };
        if report.is_clean() {
            return Ok(places);
        }
        Err(report.finish(|_, key| document::line_of(&self.text, key)))
    }
}

/// The place of a column; 0 where there is none, which is told.
fn place(named: &Named, file: &str, header: &[&str], report: &mut Report) -> usize {
    let column = &*named.column;
    let mut found = (0..).zip(header).filter(|(_, name)| **name == column).map(|(place, _)| place);
    let (first, second) = (found.next(), found.next());
    if second.is_some() {
        let hint = "give one of them another name in the first row";
        report.error(&named.spot, format!("the column {column:?} is in {file} twice"), hint);
    } else if first.is_none() {
        let hint = suggest::hint(column, header.iter().copied());
        report.error(&named.spot, format!("no column {column:?} is in {file}"), hint);
    }
    first.unwrap_or(0)
}
