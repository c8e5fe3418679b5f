//! Who is told of alerts, from the journal to the queue.

use std::path::Path;

use super::audience::Subscriber;
use super::step::{Engine, Sinks};
use super::tests::{KEEP_ALL, Owned, START, asked, bare, messages, notices, open};
use crate::config::receivers::{Filter, Policy};
use crate::model::command::Command;
use crate::model::maintenance::{Filing, Scope};
use crate::model::message::Kind;
use crate::model::reading::Offset;
use crate::model::rule::{Level, Rule};
use crate::model::time::{MINUTE_MS, UtcMs};
use crate::notices::item::What;
use crate::notices::notice::Notice;
use crate::store::schema::STORE_FILE;
use crate::store::write::Store;

/// Ten minutes in order, then so many with the fan off while the press runs, then so many in order again.
fn story(n_off: usize, n_after: usize) -> Vec<Owned> {
    let minutes =
        [vec![(true, true, true); 10], vec![(true, false, true); n_off], vec![(true, true, true); n_after]];
    messages(&minutes.concat())
}

fn subscriber(name: &str, policy: Policy) -> Subscriber {
    Subscriber { name: name.into(), policy }
}

fn engine(folder: &Path, notices: Vec<Subscriber>, notices_after: Offset) -> Engine {
    let store = Store::open(&folder.join(STORE_FILE)).unwrap();
    Engine::restore(store, Sinks { outbox: Vec::new(), notices, notices_after }, KEEP_ALL).unwrap()
}

fn take(engine: &mut Engine, all: &[Owned], range: std::ops::Range<usize>) {
    let numbered = (1..).zip(all).skip(range.start).take(range.len());
    engine.step(numbered.map(|(offset, m): (Offset, &Owned)| (offset, m.message()))).unwrap();
}

/// `raised treatment_off`, a notice a list.
fn said(notices: &[Notice]) -> Vec<Vec<String>> {
    let told = |n: &Notice| {
        n.tellings.iter().map(|t| format!("{} {}", t.what.name(), t.alert.rule.name())).collect()
    };
    notices.iter().map(told).collect()
}

#[test]
fn an_alert_is_raised_reminded_of_and_cleared_each_once_and_in_order_over_kills() {
    let folder = tempfile::tempdir().unwrap();
    let all = story(40, 20);
    let mut one = open(folder.path());
    for begin in (0..all.len()).step_by(3) {
        take(&mut one, &all, begin..(begin + 3).min(all.len()));
        if begin % 7 == 0 {
            drop(one);
            // Killed: what was taken since the last save comes again.
            one = open(folder.path());
            take(&mut one, &all, 0..(begin + 3).min(all.len()));
        }
        if begin % 11 == 0 {
            one.save().unwrap();
        }
    }
    let told = notices(folder.path(), "duty");
    let what = [
        "raised treatment_off",
        "reminder treatment_off",
        "reminder treatment_off",
        "escalated treatment_off",
        "reminder treatment_off",
        "cleared treatment_off",
    ];
    assert_eq!(said(&told).concat(), what, "{:?}", said(&told));
    let ids: std::collections::BTreeSet<_> = told.iter().map(|n| &n.id).collect();
    assert_eq!(ids.len(), told.len(), "each has an id of its own");
    let (raised, last) = (&told[0], told.last().unwrap());
    assert_eq!(&*raised.site.id, "plant");
    assert_eq!((raised.n_standing, last.n_standing), (1, 0));
    assert_eq!(raised.tellings[0].levels, [raised.tellings[0].alert.level]);
    assert_eq!(last.tellings[0].levels.len(), 2, "the level it began with and the one it rose to");
    assert!(
        raised.at > START.plus(20 * MINUTE_MS) && raised.at < START.plus(24 * MINUTE_MS),
        "{}",
        raised.at
    );
    assert_eq!(last.tellings[0].alert.cleared, Some(START.plus(55 * MINUTE_MS)));
}

#[test]
fn silence_tells_nobody_that_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let minutes =
        [vec![(true, true, true); 10], vec![(true, false, true); 20], vec![(true, true, false); 200]];
    let all = messages(&minutes.concat());
    let mut one = engine(folder.path(), vec![subscriber("duty", Policy::default())], 0);
    take(&mut one, &all, 0..all.len());
    let told = notices(folder.path(), "duty");
    let of = |rule: Rule| told.iter().flat_map(|n| &n.tellings).filter(move |t| t.alert.rule == rule);
    let what: Vec<What> = of(Rule::TreatmentOff).map(|t| t.what).collect();
    assert!(what.contains(&What::Raised) && what.iter().all(|w| w.stands()), "{what:?}");
    assert!(of(Rule::DataMissing).count() > 0, "silence has an alert of its own: {:?}", said(&told));
}

#[test]
fn who_is_new_is_told_of_what_stands_and_of_nothing_that_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let all = [story(20, 30), story(0, 0)].concat();
    let mut one = engine(folder.path(), Vec::new(), 0);
    take(&mut one, &all, 0..80);
    drop(one);
    // The alert stands when the receiver comes.
    let mut one = engine(folder.path(), vec![subscriber("new", Policy::default())], 0);
    take(&mut one, &all, 0..all.len());
    drop(one);
    let told = said(&notices(folder.path(), "new")).concat();
    assert_eq!(told, ["raised treatment_off", "cleared treatment_off"]);
    let id = notices(folder.path(), "new")[0].tellings[0].alert.id.to_string();
    // It is over when another comes, though a person takes note of it still.
    let note = Command::Acknowledge { alert: id, who: "li".into(), note: String::new() };
    let tick = |minute: i64| bare(Kind::Tick, START.plus(minute * MINUTE_MS), Vec::new());
    let more = [all.clone(), vec![asked(100, &note), tick(101), tick(102)]].concat();
    let both = vec![subscriber("late", Policy::default()), subscriber("new", Policy::default())];
    let mut one = engine(folder.path(), both, 0);
    take(&mut one, &more, 0..more.len());
    assert_eq!(notices(folder.path(), "late"), []);
    assert_eq!(notices(folder.path(), "new").len(), 2, "who was told is not told again");
}

#[test]
fn a_store_that_is_made_anew_tells_nothing_of_the_past_but_what_stands() {
    for (n_after, expected) in [(30, vec![]), (0, vec!["raised treatment_off"])] {
        let folder = tempfile::tempdir().unwrap();
        let all = story(25, n_after);
        let end = all.len() as Offset;
        let tick = bare(Kind::Tick, START.plus(100 * MINUTE_MS), Vec::new());
        let more = [all, vec![tick]].concat();
        let mut one = engine(folder.path(), vec![subscriber("duty", Policy::default())], end);
        take(&mut one, &more, 0..more.len());
        let told: Vec<String> = said(&notices(folder.path(), "duty")).concat();
        let off: Vec<&String> = told.iter().filter(|t| t.contains("treatment_off")).collect();
        assert_eq!(off, expected.iter().collect::<Vec<_>>(), "{told:?}");
    }
}

#[test]
fn what_is_suppressed_or_not_asked_for_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let filing = Filing {
        site: "plant".into(),
        scope: Scope::default(),
        from: START.plus(5 * MINUTE_MS),
        to: START.plus(500 * MINUTE_MS),
        who: "li".into(),
        note: "new filter".into(),
    };
    let mut all = story(30, 20);
    let from = |levels: Vec<Level>, rules| Policy {
        filter: Filter { levels, rules, ..Filter::default() },
        ..Policy::default()
    };
    let grave = subscriber("grave", from(vec![Level::Notice], Vec::new()));
    let other = subscriber("other", from(Vec::new(), vec![Rule::Bypass]));
    let mut one = engine(folder.path(), vec![grave.clone(), other], 0);
    take(&mut one, &all, 0..all.len());
    assert_eq!((notices(folder.path(), "grave"), notices(folder.path(), "other")), (vec![], vec![]));

    let short = Filing { to: START.plus(25 * MINUTE_MS), ..filing.clone() };
    let folder = tempfile::tempdir().unwrap();
    let mut outlasting = all.clone();
    outlasting.insert(1, asked(-1, &Command::FileMaintenance(short)));
    let mut one = engine(folder.path(), vec![subscriber("duty", Policy::default())], 0);
    take(&mut one, &outlasting, 0..outlasting.len());
    let told = notices(folder.path(), "duty");
    assert_eq!(said(&told).concat()[0], "raised treatment_off");
    assert_eq!(
        told[0].at,
        START.plus(25 * MINUTE_MS + 30_000),
        "with the first tick after the reason has ended"
    );

    let folder = tempfile::tempdir().unwrap();
    all.insert(1, asked(-1, &Command::FileMaintenance(filing)));
    let mut one = engine(folder.path(), vec![subscriber("duty", Policy::default())], 0);
    take(&mut one, &all, 0..all.len());
    assert_eq!(notices(folder.path(), "duty"), []);
}

#[test]
fn another_policy_holds_from_the_restart_on_and_tells_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let all = story(60, 20);
    let mut one = engine(folder.path(), vec![subscriber("duty", Policy::default())], 0);
    take(&mut one, &all, 0..90);
    drop(one);
    assert_eq!(said(&notices(folder.path(), "duty")).concat(), ["raised treatment_off"]);
    let often = Policy { repeat_ms: [Some(5 * MINUTE_MS); 4], ..Policy::default() };
    let mut one = engine(folder.path(), vec![subscriber("duty", often)], 0);
    take(&mut one, &all, 0..120);
    let told = said(&notices(folder.path(), "duty")).concat();
    assert!(told.len() > 1 && told[1..].iter().all(|t| t.starts_with("reminder")), "{told:?}");
    assert!(notices(folder.path(), "duty").windows(2).all(|w| w[0].at < w[1].at));
    drop(one);
    // Configured no more: what was told is forgotten.
    let mut one = engine(folder.path(), Vec::new(), 0);
    take(&mut one, &all, 0..all.len());
    let conn = one.into_store();
    assert_eq!(crate::store::notices::receivers(conn.conn()).unwrap(), []);
    assert_eq!(crate::store::notices::next_due(conn.conn()).unwrap(), None::<UtcMs>);
}
