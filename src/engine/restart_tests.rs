//! Restarts that find less than they hoped for: no snapshot, one of another program, a journal whose begin is gone.

use std::path::Path;
use std::sync::Arc;

use super::step::Engine;
use super::tests::{Owned, messages, open, outcome, registry, run_rows};
use crate::journal::writer::Retention;
use crate::journal::{Journal, Reader};
use crate::model::message::Kind;
use crate::model::reading::Offset;
use crate::model::time::Clock;
use crate::store::schema::STORE_FILE;
use crate::store::write::Store;

/// Production without treatment, so that something is open at every restart.
fn day() -> Vec<Owned> {
    messages(
        &[vec![(true, true, true); 10], vec![(true, false, true); 30], vec![(true, true, true); 20]].concat(),
    )
}

/// Steps through the messages numbered from `after` + 1 to `upto`, row by row.
fn step(engine: &mut Engine, all: &[Owned], upto: usize) {
    let numbered: Vec<(Offset, &Owned)> = (1..).zip(all).collect();
    for row in numbered[..upto].chunks(7) {
        engine.step(row.iter().map(|(offset, m)| (*offset, m.message()))).unwrap();
    }
}

/// A registry that says the same in other words is another one.
fn second_registry(all: &mut Vec<Owned>, at: usize) {
    let mut changed = registry();
    changed.sites[0].name = "Plant, renamed".into();
    let mut message = all[0].clone();
    message.payload = serde_json::to_vec(&changed).unwrap();
    all.insert(at, message);
}

#[test]
fn killed_after_a_registry_it_goes_on_from_the_snapshot_before() {
    let (folder, plain) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut all = day();
    second_registry(&mut all, 70);
    let expected = run_rows(plain.path(), &all, &[7], &[9]);

    let mut engine = open(folder.path());
    step(&mut engine, &all, 63);
    assert_eq!(engine.save().unwrap(), 63);
    step(&mut engine, &all, 84);
    drop(engine);
    let mut engine = open(folder.path());
    assert_eq!(engine.taken(), 63, "not from the begin, which the journal may not have any more");
    assert_eq!(&*engine.world().registry().sites[0].name, "Plant");
    step(&mut engine, &all, all.len());
    drop(engine);
    assert_eq!(outcome(folder.path()), expected);
}

#[test]
fn a_snapshot_of_another_program_is_passed_over_and_the_journal_taken_again() {
    let plain = tempfile::tempdir().unwrap();
    let all = day();
    let expected = run_rows(plain.path(), &all, &[7], &[9]);
    for damage in [
        "UPDATE snapshot_piece SET body = x'00ff'",
        "UPDATE meta SET value = 0 WHERE key = 'snapshot_layout'",
        "DELETE FROM meta WHERE key = 'snapshot_layout'",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = open(folder.path());
        step(&mut engine, &all, 84);
        engine.save().unwrap();
        drop(engine);
        rusqlite::Connection::open(folder.path().join(STORE_FILE)).unwrap().execute_batch(damage).unwrap();
        let mut engine = open(folder.path());
        assert_eq!((engine.taken(), engine.is_muted()), (0, true), "{damage}");
        step(&mut engine, &all, all.len());
        drop(engine);
        assert_eq!(outcome(folder.path()), expected, "{damage}");
    }
}

#[test]
fn what_became_of_messages_is_the_same_after_a_kill_and_goes_neither_back_nor_twice() {
    let (folder, plain) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let all = day();
    let mut engine = open(plain.path());
    step(&mut engine, &all, all.len());
    let expected = engine.outcomes().clone();
    let city = expected.get(Kind::Mqtt, "city").unwrap();
    let n_readings = all.iter().filter(|m| m.kind == Kind::Mqtt).count() as u64;
    assert!(city.rejected > 0 && city.passed() == n_readings, "{expected:?}");
    let n_all: u64 = expected.iter().map(|(_, _, own)| own.passed()).sum();
    assert_eq!(n_all, all.len() as u64, "every message became something");

    let mut engine = open(folder.path());
    step(&mut engine, &all, 63);
    engine.save().unwrap();
    step(&mut engine, &all, 84);
    let before = engine.outcomes().clone();
    drop(engine);
    let mut engine = open(folder.path());
    assert_eq!((engine.taken(), engine.cursor()), (63, 84));
    assert_eq!(engine.outcomes(), &before, "before anything was taken again");
    step(&mut engine, &all, 84);
    assert_eq!(engine.outcomes(), &before, "what is taken again is not counted again");
    step(&mut engine, &all, all.len());
    assert_eq!(engine.outcomes(), &expected);
}

#[test]
fn while_muted_the_snapshot_there_is_remains_what_a_restart_needs() {
    let folder = tempfile::tempdir().unwrap();
    let all = day();
    let mut engine = open(folder.path());
    step(&mut engine, &all, 35);
    engine.save().unwrap();
    step(&mut engine, &all, 84);
    drop(engine);
    let mut engine = open(folder.path());
    step(&mut engine, &all, 49);
    assert!(engine.is_muted());
    assert_eq!(engine.save().unwrap(), 35, "the journal must keep what follows it");
}

/// Journals `all`, one row a message, and removes the first rows.
async fn pruned_journal(folder: &Path, all: &[Owned], removed: Offset) {
    let roomy = Retention { max_age_days: 10_000, max_bytes: 1 << 40 };
    let (journal, thread) = Journal::open(folder, roomy, Clock::System).unwrap();
    for owned in all {
        journal.append_durable(&owned.message()).await.unwrap();
    }
    thread.finish().unwrap();
    let ageless = Retention { max_age_days: 0, max_bytes: 1 << 40 };
    let later = Clock::System.now().plus(1_000).0;
    let (journal, thread) = Journal::open(folder, ageless, Clock::Manual(Arc::new(later.into()))).unwrap();
    journal.set_keep_from(removed + 1);
    let reader = Reader::open(folder).unwrap();
    let begun = std::time::Instant::now();
    while reader.stats().unwrap().first <= removed {
        assert!(begun.elapsed().as_secs() < 20, "nothing is removed");
        std::thread::yield_now();
    }
    thread.finish().unwrap();
}

#[tokio::test]
async fn a_journal_whose_begin_is_gone_is_judged_by_the_registry_in_force_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = day();
    second_registry(&mut all, 10);
    pruned_journal(folder.path(), &all, 20).await;
    let mut reader = Reader::open(folder.path()).unwrap();
    let begin = reader.begin().unwrap().unwrap();
    assert_eq!((begin.after, begin.registry.as_ref().unwrap().offset), (20, 11));

    let store = Store::open(&folder.path().join(STORE_FILE)).unwrap();
    let engine = super::replay::journal(store, &mut reader, |_| {}).unwrap();
    assert_eq!(&*engine.world().registry().sites[0].name, "Plant, renamed");
    drop(engine);
    let n_readings = all[20..].iter().filter(|m| m.kind == Kind::Mqtt).count();
    let outcome = outcome(folder.path());
    assert_eq!(outcome.readings.len() + outcome.rejects, n_readings, "each is a reading, or garbled");
    assert!(outcome.rejects < 5 && outcome.alerts.len() == 1, "{outcome:?}");
}

/// What is saved of a site, by layout 7.
const NAMES: &str = "judged pending at offset power_w energy_kwh prints all voltages power_factor voltage_v point signs export_wh \
    flags points bucket ends first last sum_w n_powers n mark kwh is_trusted before shown places digits \
    is_foreign is_doubted is_replaced window unit state since run begun processes members latest turned_kwh queue \
    what production failed rules calendar day until is_night is_working treatment_off case debounce \
    phase last_certain certain_ms unknown_ms level clearing tallies n_samples max_w energy_first_kwh \
    energy_last_kwh first_offset last_offset is_told production_ms off_ms night_ms late_start started \
    repeats moments early_stop running stopped edge after ended missing underload load is_proposed \
    energy_ratio power today treatment known_ms days low low_known_ms open gap night tours now begins \
    on_ms outside fragmented gaps heard cleared gateways excused next_due incomplete units is_known said \
    meters energy_ago_ms signs_ago_ms frozen print ms stuck_kwh stuck_ms agreement hour seen_ms \
    least_kwh most_kwh active bypass cut replaced";

/// Names in the saved form, each once, in the order of their coming.
fn names_of(json: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for piece in json.split("\":").filter_map(|piece| piece.rsplit('"').next()) {
        if !piece.is_empty()
            && piece.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            && !names.contains(&piece)
        {
            names.push(piece);
        }
    }
    names.join(" ")
}

#[test]
fn the_layout_is_raised_when_what_is_saved_changes_its_form() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = open(folder.path());
    step(&mut engine, &day(), 84);
    let names = names_of(&serde_json::to_string(engine.world().judge(0)).unwrap());
    assert_eq!((super::layout::LAYOUT, &*names), (7, NAMES), "raise LAYOUT and write the new names here");
}
