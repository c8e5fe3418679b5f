//! A recording in CSV: its rows as values, sorted by time, and then as readings into a replay.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Cursor, Read};

use anyhow::Context as _;
use csv::StringRecord;

use super::rows::{Fault, Rows};
use super::spool::{Sorted, Spool, Value};
use crate::cli::failure::hinted;
use crate::config::columns::ColumnMap;
use crate::engine::replay::Replay;
use crate::model::quantity::Channel;
use crate::model::reading::Quality;
use crate::sources::mqtt::kept::Kept;

/// So many rows that could not be read are shown; all of them are counted.
const N_SHOWN: usize = 20;

/// What some spreadsheets put in front of UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Rows that could not be taken, or not in whole.
#[derive(Debug, Default)]
pub struct Faults {
    /// How many.
    pub n_rows: u64,
    /// The first of them: `file:line: why`.
    pub shown: Vec<String>,
    unknown: BTreeSet<String>,
}

impl Faults {
    fn take(&mut self, file: &str, line: u64, faults: &[Fault]) {
        self.n_rows += 1;
        let is_news = |fault: &&Fault| match fault {
            Fault::Bad(_) => true,
            Fault::Unknown(name) => self.unknown.insert(name.clone()),
        };
        let news: Vec<&str> = faults.iter().filter(is_news).map(Fault::why).collect();
        if self.shown.len() < N_SHOWN && !news.is_empty() {
            self.shown.push(format!("{file}:{line}: {}", news.join("; ")));
        }
    }
}

/// Reads a CSV; `take` gets its values in the order in which they stand there.
///
/// # Errors
/// The input cannot be read, has no row of names, or not the columns of the map; or `take` fails.
pub fn read(
    input: impl Read,
    file: &str,
    map: &ColumnMap,
    take: &mut dyn FnMut(Value) -> std::io::Result<()>,
) -> anyhow::Result<Faults> {
    let cannot_read = || format!("cannot read {file}");
    let mut input = BufReader::new(input);
    let mut first = Vec::new();
    input.read_until(b'\n', &mut first).with_context(cannot_read)?;
    let first = first.strip_prefix(BOM).unwrap_or(&first).to_vec();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(&first))
        .trim(csv::Trim::All)
        .from_reader(Cursor::new(first).chain(input));
    let mut record = StringRecord::new();
    let is_there = reader.read_record(&mut record).map_err(|error| header_error(error, file))?;
    anyhow::ensure!(is_there, "{file} is empty: a row that names the columns comes first");
    let header: Vec<&str> = record.iter().collect();
    let mut rows = Rows::new(map, map.places(file, &header)?, header.len());
    let mut all = Faults::default();
    let (mut values, mut faults) = (Vec::new(), Vec::new());
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(all),
            Ok(true) => rows.take(&record, &mut values, &mut faults),
            Err(error) if error.is_io_error() => return Err(error).with_context(cannot_read),
            Err(error) => faults.push(Fault::Bad(unreadable(&error))),
        }
        for value in values.drain(..) {
            take(value).context("cannot write a temporary file")?;
        }
        if !faults.is_empty() {
            all.take(file, record.position().map_or(0, csv::Position::line), &faults);
            faults.clear();
        }
    }
}

fn header_error(error: csv::Error, file: &str) -> anyhow::Error {
    let is_foreign = matches!(error.kind(), csv::ErrorKind::Utf8 { .. });
    let error = anyhow::Error::new(error).context(format!("cannot read the first row of {file}"));
    if is_foreign { hinted(error, "save it as \"CSV UTF-8\" (not GBK or ANSI)") } else { error }
}

fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8".into(),
        _ => format!("the row cannot be read: {error}"),
    }
}

/// What stands between cells: the one that the row of names has most of.
fn delimiter(header: &[u8]) -> u8 {
    let n_of = |c: u8| header.iter().filter(|b| **b == c).count();
    // The last of equals wins: a header of one column is read with commas.
    [b'\t', b';', b','].into_iter().max_by_key(|c| n_of(*c)).unwrap_or(b',')
}

/// Values on their way into a replay, a moment at a time.
#[derive(Debug)]
pub struct Feed {
    sorted: Sorted,
    next: Option<Value>,
    moment: Vec<Value>,
    values: Vec<(Channel, f64)>,
    /// Values that stand beside another one of the same meter, time and quantity: the first is judged.
    pub n_contradictions: u64,
}

impl Feed {
    /// All that a spool has taken.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn new(spool: Spool) -> std::io::Result<Feed> {
        let mut sorted = spool.sorted()?;
        let next = sorted.take()?;
        Ok(Feed { sorted, next, moment: Vec::new(), values: Vec::new(), n_contradictions: 0 })
    }

    /// The value that comes next.
    #[must_use]
    pub fn peek(&self) -> Option<&Value> {
        self.next.as_ref()
    }

    /// Feeds the readings of the next moment, each received when it was measured. Returns how many values that were; 0 at
    /// the end.
    ///
    /// # Errors
    /// A temporary file cannot be read, or the store not be written.
    pub fn step(&mut self, replay: &mut Replay) -> anyhow::Result<u64> {
        let Some(first) = self.next else { return Ok(0) };
        self.moment.clear();
        while let Some(value) = self.next.filter(|v| v.time == first.time) {
            self.moment.push(value);
            self.next = self.sorted.take().context("cannot read a temporary file")?;
        }
        self.moment.sort_by_key(|v| v.meter);
        for own in self.moment.chunk_by(|a, b| a.meter == b.meter) {
            let (meter, time) = (own[0].meter, first.time);
            let reading = |values: &[(Channel, f64)]| {
                replay.reading(time, &Kept { meter, time, quality: Quality::GOOD, values })
            };
            feed_meter(own, &mut self.values, &mut self.n_contradictions, reading)?;
        }
        Ok(self.moment.len() as u64)
    }
}

/// The values of a meter at one moment as one reading; what contradicts it, as a further one.
fn feed_meter<E>(
    own: &[Value],
    values: &mut Vec<(Channel, f64)>,
    n_contradictions: &mut u64,
    mut reading: impl FnMut(&[(Channel, f64)]) -> Result<(), E>,
) -> Result<(), E> {
    values.clear();
    for value in own {
        match values.iter().find(|(channel, _)| *channel == value.channel) {
            Some((_, known)) if known.to_bits() == value.value.to_bits() => continue,
            Some(_) => {
                *n_contradictions += 1;
                reading(values)?;
                values.clear();
            }
            None => {}
        }
        values.push((value.channel, value.value));
    }
    reading(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::UtcMs;

    #[test]
    fn a_meters_values_of_a_moment_are_one_reading_and_a_contradiction_is_another() {
        let value = |channel: Channel, value: f64| Value { time: UtcMs(0), meter: 1, channel, value };
        let (p, e) = (Channel::POWER, Channel::ENERGY);
        let own = [value(p, 1.0), value(e, 2.0), value(p, 1.0), value(p, 3.0)];
        let (mut found, mut n) = (Vec::new(), 0);
        let kept = |values: &[(Channel, f64)]| -> Result<(), ()> {
            found.push(values.to_vec());
            Ok(())
        };
        feed_meter(&own, &mut Vec::new(), &mut n, kept).unwrap();
        assert_eq!((found, n), (vec![vec![(p, 1.0), (e, 2.0)], vec![(p, 3.0)]], 1));
    }

    #[test]
    fn of_each_unknown_name_one_row_is_shown_and_all_are_counted() {
        let mut faults = Faults::default();
        for line in 2..50 {
            faults.take("x.csv", line, &[Fault::Unknown("no meter \"pump\"".into())]);
        }
        for line in 50..90 {
            faults.take("x.csv", line, &[Fault::Bad("late".into()), Fault::Bad("wrong".into())]);
        }
        assert_eq!((faults.n_rows, faults.shown.len()), (88, 20));
        assert_eq!(faults.shown[..2], ["x.csv:2: no meter \"pump\"", "x.csv:50: late; wrong"]);
    }

    #[test]
    fn cells_are_separated_by_what_the_first_row_has_most_of() {
        let found = ["a,b;c,d", "a;b", "a\tb,c\td", "a"].map(|header| delimiter(header.as_bytes()));
        assert_eq!(found, [b',', b';', b'\t', b',']);
    }
}
