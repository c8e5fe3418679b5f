//! The sheet: rows checked cell by cell, and gathered into sites.

use std::collections::{BTreeSet, HashMap};

use super::columns::{self, COLUMNS, Form, OF_SITE};
use crate::config::problem::Problem;
use crate::config::suggest;

/// More faults than this are one fault: the wrong file.
const N_FAULTS_MAX: usize = 200;

/// A row, by column.
#[derive(Clone, Debug)]
pub struct Row {
    line: usize,
    cells: HashMap<&'static str, String>,
}

/// A site and its rows.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its id.
    pub id: String,
    /// What is said of the site itself, by column.
    pub own: HashMap<&'static str, String>,
    /// Its points.
    pub rows: Vec<Row>,
}

impl Row {
    /// What stands in a column; `None` where it is empty.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }

    /// Id of the row's meter.
    pub fn meter(&self) -> &str {
        self.get("meter").or_else(|| self.get("point_id")).unwrap_or_default()
    }
}

/// A sheet as far as it could be read, with what is wrong in it.
#[derive(Debug, Default)]
pub struct Sheet {
    file: String,
    /// Column names by their place.
    header: Vec<Option<&'static str>>,
    rows: Vec<Row>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Sheet {
    /// Reads the bytes of a CSV file.
    pub fn read(file: &str, csv: &[u8]) -> Sheet {
        let mut sheet = Sheet { file: file.to_owned(), ..Sheet::default() };
        let csv = csv.strip_prefix(b"\xef\xbb\xbf").unwrap_or(csv);
        let text = match std::str::from_utf8(csv) {
            Ok(text) => text,
            Err(error) => {
                let line = csv[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
                let hint = "save it as \"CSV UTF-8\" (not GBK or ANSI)";
                sheet.tell(line, None, "the file is not UTF-8", hint);
                return sheet;
            }
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter(text))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        for (number, record) in reader.records().enumerate() {
            match record {
                Ok(record) => sheet.take(number == 0, &record),
                Err(error) => {
                    let line = error.position().map_or(0, |p| p.line() as usize);
                    sheet.tell(line, None, &format!("the row cannot be read: {error}"), "");
                }
            }
            if sheet.problems.len() > N_FAULTS_MAX {
                break;
            }
        }
        if sheet.rows.is_empty() && sheet.problems.is_empty() {
            sheet.tell(
                1,
                None,
                "there is no point in the file",
                "one row a point, under a row of column names",
            );
        }
        sheet
    }

    fn take(&mut self, is_first: bool, record: &csv::StringRecord) {
        let line = record.position().map_or(0, |p| p.line() as usize);
        if is_first {
            return self.take_header(line, record);
        }
        if record.iter().all(str::is_empty) {
            return;
        }
        let mut cells = HashMap::new();
        for (i, text) in record.iter().enumerate().filter(|(_, t)| !t.is_empty()) {
            let Some(Some(name)) = self.header.get(i).copied() else {
                if i >= self.header.len() {
                    self.tell(
                        line,
                        Some(("", i)),
                        &format!("{text:?} stands under no column"),
                        "a text with a comma needs quotes",
                    );
                }
                continue;
            };
            let form = COLUMNS.iter().find(|(n, ..)| *n == name).map_or(Form::Text, |(_, form, _)| *form);
            if let Some((what, hint)) = columns::fault(form, text) {
                self.tell(line, Some((name, i)), &what, &hint);
            }
            cells.insert(name, text.to_owned());
        }
        for (name, ..) in COLUMNS.iter().filter(|(name, _, needed)| *needed && !cells.contains_key(name)) {
            if let Some(i) = self.header.iter().position(|h| *h == Some(name)) {
                self.tell(line, Some((name, i)), "this must not be empty", "");
            }
        }
        self.rows.push(Row { line, cells });
    }

    fn take_header(&mut self, line: usize, record: &csv::StringRecord) {
        for (i, text) in record.iter().enumerate() {
            let known = COLUMNS.iter().map(|(name, ..)| *name);
            let found = known.clone().find(|name| *name == text.to_lowercase());
            match found {
                Some(name) if self.header.contains(&Some(name)) => {
                    self.tell(line, Some((name, i)), "this column is there twice", "");
                }
                None if !text.is_empty() => {
                    self.tell(
                        line,
                        Some((text, i)),
                        "no column of this name is known",
                        &suggest::hint(text, known),
                    );
                }
                _ => {}
            }
            self.header.push(found);
        }
        for (name, ..) in COLUMNS.iter().filter(|(_, _, needed)| *needed) {
            if !self.header.contains(&Some(name)) {
                self.tell(
                    line,
                    Some((name, self.header.len())),
                    "this column is missing",
                    "the first row names the columns",
                );
            }
        }
    }

    /// The rows, gathered into sites in order of appearance, with what does not fit together told.
    pub fn sites(&mut self) -> Vec<Site> {
        let mut sites: Vec<Site> = Vec::new();
        let mut index: HashMap<String, usize> = HashMap::new();
        for row in std::mem::take(&mut self.rows) {
            let Some(id) = row.get("site_id").map(str::to_owned) else { continue };
            let at = *index.entry(id.clone()).or_insert_with(|| {
                sites.push(Site { id, own: HashMap::new(), rows: Vec::new() });
                sites.len() - 1
            });
            self.add(&mut sites[at], row);
        }
        for site in &sites {
            self.check_groups(site);
        }
        sites
    }

    fn add(&mut self, site: &mut Site, row: Row) {
        for column in OF_SITE {
            let Some(text) = row.get(column) else { continue };
            match site.own.get(column) {
                Some(before) if before != text => {
                    let what = format!("site {:?} has {before:?} in a row above", site.id);
                    self.tell_cell(&row, column, &what, "once is enough: leave the others empty");
                }
                _ => {
                    site.own.insert(column, text.to_owned());
                }
            }
        }
        let point = row.get("point_id").unwrap_or_default();
        if let Some(first) = site.rows.iter().find(|r| r.get("point_id") == Some(point)) {
            let what = format!("point {point:?} of site {:?} is already in line {}", site.id, first.line);
            self.tell_cell(&row, "point_id", &what, "one row a point");
        } else if let Some(first) = site.rows.iter().find(|r| r.meter() == row.meter()) {
            let what = format!("meter {:?} already measures the point of line {}", row.meter(), first.line);
            self.tell_cell(&row, "meter", &what, "a meter measures one point");
        }
        let modbus = ["link", "unit", "profile"];
        let n_there = modbus.iter().filter(|c| row.get(c).is_some()).count();
        if n_there > 0 {
            for column in modbus.iter().filter(|c| row.get(c).is_none()) {
                self.tell_cell(&row, column, "a meter on Modbus needs link, unit and profile", "");
            }
            if row.get("device").is_some() {
                self.tell_cell(&row, "device", "a meter comes over MQTT or over Modbus, not both", "");
            }
        }
        site.rows.push(row);
    }

    /// A process needs production and treatment, and a group one need that its units can meet.
    fn check_groups(&mut self, site: &Site) {
        let mut seen = BTreeSet::new();
        for row in &site.rows {
            for process in row.get("process").unwrap_or_default().split_whitespace() {
                if !seen.insert(process) {
                    continue;
                }
                let has = |kind| members(site, process).any(|r| r.get("kind") == Some(kind));
                for kind in ["production", "treatment"] {
                    if !has(kind) {
                        let what = format!("process {process:?} of site {:?} has no {kind} point", site.id);
                        self.tell_cell(row, "process", &what, "name the process at its points of both kinds");
                    }
                }
            }
            let is_treatment = row.get("kind") == Some("treatment");
            if !is_treatment && (row.get("group").is_some() || row.get("need").is_some()) {
                self.tell_cell(
                    row,
                    "group",
                    "only treatment points stand in for each other",
                    "leave group and need empty",
                );
            }
            let Some(need) = row.get("need") else { continue };
            let Some(group) = row.get("group") else {
                self.tell_cell(
                    row,
                    "need",
                    "it belongs to a group, and there is none",
                    "give the units that stand in for each other one group",
                );
                continue;
            };
            let peers = || site.rows.iter().filter(|r| r.get("group") == Some(group));
            if let Some(other) = peers().find_map(|r| r.get("need").filter(|n| *n != need)) {
                self.tell_cell(
                    row,
                    "need",
                    &format!("group {group:?} needs {other} in another row"),
                    "once is enough",
                );
            }
            let n = peers().count();
            if need.parse::<usize>().is_ok_and(|need| need == 0 || need > n) {
                self.tell_cell(
                    row,
                    "need",
                    &format!("{need} of the {n} units of group {group:?}"),
                    &format!("1 to {n}"),
                );
            }
        }
    }

    fn tell_cell(&mut self, row: &Row, column: &str, what: &str, hint: &str) {
        let place = self.header.iter().position(|h| *h == Some(column)).unwrap_or(self.header.len());
        self.tell(row.line, Some((column, place)), what, hint);
    }

    fn tell(&mut self, line: usize, column: Option<(&str, usize)>, what: &str, hint: &str) {
        self.problems.push(Problem {
            file: self.file.as_str().into(),
            key: column.map_or("", |(name, _)| name).into(),
            line: Some(line),
            column: column.map(|(_, place)| place + 1),
            what: what.into(),
            hint: hint.into(),
        });
    }
}

/// The points of a process.
pub fn members<'s>(site: &'s Site, process: &'s str) -> impl Iterator<Item = &'s Row> {
    site.rows
        .iter()
        .filter(move |r| r.get("process").unwrap_or_default().split_whitespace().any(|p| p == process))
}

/// What spreadsheets put between cells: the one that the row of names has most of.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let n_of = |c: u8| header.bytes().filter(|b| *b == c).count();
    // The last of equals wins: a header of one column is read with commas.
    [b'\t', b';', b','].into_iter().max_by_key(|c| n_of(*c)).unwrap_or(b',')
}
