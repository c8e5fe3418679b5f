//! A recording, as messages; and what the real engine finds in it.

use std::path::PathBuf;

use serde_json::json;
use submeterd::alerts::alert::Alert;
use submeterd::config::{self, texts::Text, texts::Texts};
use submeterd::engine::replay::Replay;
use submeterd::model::meter::Meter;
use submeterd::model::rule::Rule;
use submeterd::model::time::{MINUTE_MS, UtcMs};
use submeterd::store::schema::STORE_FILE;
use submeterd::store::views::{AlertFilter, Views};
use submeterd::store::write::Store;

/// A table of powers: a column a meter.
pub struct Recording {
    pub meters: Vec<String>,
    pub rows: Vec<(UtcMs, Vec<Option<f64>>)>,
}

/// A row of powers with the names of its columns.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    meters: &'a [String],
    powers: &'a [Option<f64>],
}

impl Row<'_> {
    /// Power of a meter, kW; `None` where it was not measured.
    pub fn kw(&self, meter: &str) -> Option<f64> {
        let column = self.meters.iter().position(|m| m == meter);
        column.and_then(|c| self.powers[c])
    }
}

/// Where a recording lies, if it is there.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name)
}

/// `2021-10-08 13:30:00`, so many hours east of Greenwich.
pub fn moment(text: &str, hours_east: i8) -> UtcMs {
    let civil: jiff::civil::DateTime = text.parse().unwrap();
    UtcMs(jiff::tz::offset(hours_east).to_timestamp(civil).unwrap().as_millisecond())
}

/// The rows of a file of the recordings; `None`, and a loud word, where the folder is not there.
pub fn table(name: &str) -> Option<Vec<Vec<String>>> {
    let path = path(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there; detection was NOT tried on real recordings", path.display());
        return None;
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).unwrap();
    Some(reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect())
}

impl Recording {
    /// Reads one: a time, then a power a meter, of which one is `unit_kw` kW.
    pub fn read(name: &str, hours_east: i8, unit_kw: f64) -> Option<Recording> {
        let table = table(name)?;
        let power = |cell: &String| cell.parse::<f64>().ok().map(|p| p * unit_kw);
        let row = |r: &Vec<String>| (moment(&r[0], hours_east), r[1..].iter().map(power).collect());
        Some(Recording { meters: table[0][1..].to_vec(), rows: table[1..].iter().map(row).collect() })
    }

    pub fn has(&self, meter: &str) -> bool {
        self.meters.iter().any(|m| m == meter)
    }

    /// Time and powers of every row.
    pub fn each(&self) -> impl Iterator<Item = (UtcMs, Row<'_>)> {
        self.rows.iter().map(|(at, powers)| (*at, Row { meters: &self.meters, powers }))
    }

    /// The mean of each minute, dated to its first row, as detection sees readings that come more often.
    pub fn minutes(&self) -> Recording {
        let mut rows: Vec<(UtcMs, Vec<Option<f64>>)> = Vec::new();
        for own in self.rows.chunk_by(|a, b| a.0.0.div_euclid(MINUTE_MS) == b.0.0.div_euclid(MINUTE_MS)) {
            let mean = |column: usize| {
                let powers: Vec<f64> = own.iter().filter_map(|(_, powers)| powers[column]).collect();
                (!powers.is_empty()).then(|| powers.iter().sum::<f64>() / powers.len() as f64)
            };
            rows.push((own[0].0, (0..self.meters.len()).map(mean).collect()));
        }
        Recording { meters: self.meters.clone(), rows }
    }

    /// As if a meter had been cut off from `from` to `to`.
    pub fn without(&self, meter: &str, (from, to): (UtcMs, UtcMs)) -> Recording {
        let column = self.meters.iter().position(|m| m == meter).unwrap();
        let mut rows = self.rows.clone();
        for (_, powers) in rows.iter_mut().filter(|(at, _)| (from..to).contains(at)) {
            powers[column] = None;
        }
        Recording { meters: self.meters.clone(), rows }
    }

    /// The native messages a gateway would have sent of the meters of a site: one a row, each received when it was measured.
    fn messages<'a>(&'a self, meters: &'a [Meter]) -> impl Iterator<Item = (UtcMs, String)> + 'a {
        let is_there = |meter: &String| meters.iter().any(|m| m.id.strip_prefix("plant/") == Some(meter));
        self.rows.iter().filter_map(move |(at, powers)| {
            let known =
                self.meters.iter().zip(powers).filter(|(meter, power)| power.is_some() && is_there(meter));
            let rows: Vec<_> = known.collect();
            let text = json!({ "site": "plant", "ts": at.0, "columns": ["meter", "p"], "rows": rows });
            (!rows.is_empty()).then(|| (*at, text.to_string()))
        })
    }

    /// All alerts of the site `plant`, judged by the site file `site`, the first first.
    pub fn judged(&self, site: String) -> Vec<Alert> {
        let main = Text { name: "submeterd.toml".into(), text: "[daemon]\ndata_dir = \"/nowhere\"\n".into() };
        let sites = vec![Text { name: "plant.toml".into(), text: site }];
        let texts = Texts { main: Some(main), sites, ..Texts::default() };
        let config = config::from_texts(&texts).unwrap_or_else(|p| panic!("{p}")).config;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(STORE_FILE);
        let store = Store::open(&path).unwrap();
        let mut replay = Replay::begin(store, &config.registry, self.rows[0].0).unwrap();
        for (received, text) in self.messages(&config.registry.meters) {
            replay.message(received, text.as_bytes()).unwrap();
        }
        let engine = replay.finish().unwrap();
        let counts = engine.counts();
        assert_eq!((counts.rejects, counts.late), (0, 0), "the recording is taken as it is");
        let mut alerts = Views::open(&path).unwrap().alerts(&AlertFilter::default()).unwrap();
        alerts.sort_by_key(|a| a.first);
        alerts
    }
}

/// Begin, and end of the last certain stretch, of the alerts of a rule about `subject`.
pub fn spans(alerts: &[Alert], rule: Rule, subject: &str) -> Vec<(UtcMs, UtcMs)> {
    let own = alerts.iter().filter(|a| a.rule == rule && &*a.subject == subject);
    own.map(|a| (a.first, a.last_certain)).collect()
}
