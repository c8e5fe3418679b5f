//! The table of the README: what was found on the recordings, by whom.

use std::fs;
use std::path::PathBuf;

use submeterd::model::rule::Rule;
use submeterd::model::site::PointKind;
use submeterd::model::time::MINUTE_MS;

use super::naive::{Missing, Naive};
use super::printing_plant::{
    AIR, DUE_MS, FIVE_MINUTES, ONE_MINUTE, PRESS, SMALL_PRESS, Unit, VENTILATION, listed, site, site_by,
};
use super::recording::{Recording, Row, spans};
use super::score::{Score, Span, stretches};
use super::thinning::{Lost, thinned};
use super::{feed_plant, learned, printing_plant};

/// A recording, and site files for it: by an installer's thresholds, and by learned ones.
pub struct Plant {
    pub recording: Recording,
    pub sites: [String; 2],
}

/// A pair of it.
pub struct Case<'a> {
    pub name: String,
    pub process: String,
    pub truth: Vec<Span>,
    pub due_ms: i64,
    /// The fixed rule by the installer's thresholds.
    pub naive: Naive<'a>,
}

/// What one of them found, summed up over one or more runs.
#[derive(Clone, Copy, Default)]
struct Cell {
    found: (usize, usize),
    false_alerts: usize,
    onset_ms: i64,
}

impl Cell {
    fn of(scores: impl IntoIterator<Item = Score>) -> Cell {
        let mut cell = Cell { found: (usize::MAX, 0), ..Cell::default() };
        for score in scores {
            let found = score.due - score.missed;
            cell.found = (cell.found.0.min(found), cell.found.1.max(found));
            cell.false_alerts += score.false_alerts;
            cell.onset_ms = cell.onset_ms.max(score.onset_ms);
        }
        cell
    }

    /// Found, onset, false.
    fn words(self) -> String {
        let (least, most) = self.found;
        let found = if least == most { format!("{most}") } else { format!("{least}–{most}") };
        let onset =
            if most == 0 { "–".into() } else { format!("{:.0}", self.onset_ms as f64 / MINUTE_MS as f64) };
        format!("{found} / {onset} / {}", self.false_alerts)
    }
}

/// A row a pair, of the whole recording, and with a quarter of its readings missing: so often singly, and so often in blocks.
fn rows(plant: &Plant, cases: &[Case<'_>], n_seeds: u64) -> [Vec<String>; 2] {
    let thin = [Lost::Singly, Lost::InBlocks]
        .into_iter()
        .flat_map(|how| (0..n_seeds).map(move |seed| thinned(&plant.recording, how, seed)));
    let thin: Vec<_> = thin.collect();
    [std::slice::from_ref(&plant.recording), &thin[..]].map(|recordings| {
        let judged: Vec<_> =
            recordings.iter().map(|r| plant.sites.each_ref().map(|site| r.judged(site.clone()))).collect();
        let row = |case: &Case<'_>| {
            let score = |found: &[Span]| Score::of(found, &case.truth, case.due_ms);
            let ours = |by: usize| {
                Cell::of(judged.iter().map(|a| score(&spans(&a[by], Rule::TreatmentOff, &case.process))))
            };
            let theirs = |missing| {
                Cell::of(recordings.iter().map(|r| score(&Naive { missing, ..case.naive }.alerts(r))))
            };
            let due = case.truth.iter().filter(|t| t.1.since(t.0) >= case.due_ms).count();
            let cells = [0, 1].map(ours).into_iter().chain(Missing::ALL.map(theirs));
            cells.fold(format!("| {} | {due} |", case.name), |row, cell| format!("{row} {} |", cell.words()))
        };
        cases.iter().map(row).collect()
    })
}

/// The README has these very rows.
pub fn assert_in_readme(tables: &[Vec<String>; 2]) {
    let readme = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let rows = tables.iter().flatten();
    let missing: Vec<_> = rows.filter(|row| readme.lines().all(|line| line != **row)).collect();
    assert!(missing.is_empty(), "not in the README as computed:\n{missing:#?}");
}

#[test]
fn the_readme_says_of_the_printing_plant_what_was_found() {
    let (Some(listed), mut tables) = (listed(), [Vec::new(), Vec::new()]) else { return };
    for (file, step, press) in [(FIVE_MINUTES, 5, "presses"), (ONE_MINUTE, 1, "press")] {
        let Some(recording) = Recording::read(file, 0, 1.0) else { return };
        let every = format!("{step}min");
        let by_learned = |(id, kind, rated_kw, ..): Unit| {
            let kind = if kind == "production" { PointKind::Production } else { PointKind::Treatment };
            learned::keys(&recording, id, kind, f64::from(rated_kw), step)
        };
        let sites = [site(&recording, &every), site_by(&recording, &every, by_learned)];
        let is_off = |at: &dyn Fn(Row<'_>) -> bool| {
            stretches(recording.each().map(|(t, row)| (t, at(row))), 15 * MINUTE_MS)
        };
        let naive = Naive {
            production: &[(PRESS, 12.0), (SMALL_PRESS, 4.0)],
            treatment: (VENTILATION, 1.5),
            missing: Missing::Zero,
            for_ms: DUE_MS,
            every_ms: i64::from(step) * MINUTE_MS,
        };
        let truth = if step == 5 { listed.clone() } else { is_off(&printing_plant::is_off) };
        let name = format!("{press} → ventilation, {step}-min means");
        let mut cases = vec![Case { name, process: "printing".into(), truth, due_ms: DUE_MS, naive }];
        if recording.has(AIR) {
            let kw = |row: Row<'_>, meter| row.kw(meter).unwrap_or_default();
            let truth = is_off(&|row| kw(row, PRESS) > 12.0 && kw(row, AIR) <= 1.0);
            let naive = Naive { production: &[(PRESS, 12.0)], treatment: (AIR, 1.0), ..naive };
            let name = format!("press → its air, {step}-min means");
            cases.push(Case { name, process: "air".into(), truth, due_ms: DUE_MS, naive });
        }
        let found = rows(&Plant { sites, recording }, &cases, 2);
        tables.iter_mut().zip(found).for_each(|(all, own)| all.extend(own));
    }
    assert_in_readme(&tables);
}

#[test]
fn the_readme_says_of_the_feed_plant_what_was_found() {
    let Some(recording) = Recording::read(feed_plant::FILE, -3, 0.001) else { return };
    let units = [("PI", 90.0), ("PII", 90.0), ("EFI", 4.0), ("EFII", 6.5)];
    let keys = units.map(|(id, rated_kw)| {
        let kind = if id.starts_with('P') { PointKind::Production } else { PointKind::Treatment };
        learned::keys(&recording, id, kind, rated_kw, 2)
    });
    let sites = [feed_plant::site(10), feed_plant::site_by(10, keys)];
    let presses = ["PI", "PII"].map(|press| [(press, feed_plant::LOADED_KW)]);
    let case = |pair: (&str, &'static str)| Case {
        name: format!("{} → {}", pair.0, pair.1),
        process: format!("{}-{}", pair.0, pair.1),
        truth: feed_plant::truth(&recording, pair),
        due_ms: DUE_MS,
        naive: Naive {
            production: &presses[usize::from(pair.0 == "PII")],
            treatment: (pair.1, feed_plant::FAN_KW),
            missing: Missing::Zero,
            for_ms: DUE_MS,
            every_ms: MINUTE_MS,
        },
    };
    let cases: Vec<_> = feed_plant::OWN.into_iter().chain(feed_plant::CROSSED).map(case).collect();
    assert_in_readme(&rows(&Plant { sites, recording }, &cases, 1));
}
