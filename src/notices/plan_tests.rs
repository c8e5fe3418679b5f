//! What is told, and when.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::item::{Item, What};
use super::plan::{Heard, due, hear, tick};
use super::quiet::is_quiet;
use crate::alerts::alert::Status;
use crate::config::receivers::{Policy, Quiet};
use crate::model::rule::Level;
use crate::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS, UtcMs};

/// Midnight in UTC.
const BEGIN: UtcMs = UtcMs(1_795_478_400_000);

fn policy() -> Policy {
    Policy {
        wait_ms: 30 * SECOND_MS,
        repeat_ms: [None, Some(24 * HOUR_MS), Some(4 * HOUR_MS), Some(HOUR_MS)],
        ..Policy::default()
    }
}

fn heard(level: Level, status: Status) -> Heard {
    Heard { level, status, acknowledged: false, quelled: false, is_new: true }
}

/// A receiver of one site: what it was told, and when.
struct Ear {
    policy: Policy,
    items: Vec<Option<Item>>,
    told: Vec<(i64, usize, What, Level)>,
}

impl Ear {
    fn new(policy: Policy, n: usize) -> Ear {
        Ear { policy, items: vec![None; n], told: Vec::new() }
    }

    fn hear(&mut self, alert: usize, heard: Heard) {
        let item = self.items[alert].take();
        // As the store keeps it: a restart changes nothing.
        let item: Option<Item> =
            item.map(|i| serde_json::from_str(&serde_json::to_string(&i).unwrap()).unwrap());
        self.items[alert] = hear(item, &heard, &self.policy);
    }

    fn next_due(&self) -> Option<UtcMs> {
        self.items.iter().flatten().filter_map(|i| due(i, &self.policy, &TimeZone::UTC, UtcMs::MIN)).min()
    }

    /// A tick, so many seconds after the begin.
    fn tick(&mut self, second: i64) -> Vec<(usize, What)> {
        let now = BEGIN.plus(second * SECOND_MS);
        let live: Vec<usize> = (0..self.items.len()).filter(|i| self.items[*i].is_some()).collect();
        let mut items: Vec<Item> = live.iter().map(|i| self.items[*i].clone().unwrap()).collect();
        let told = tick(&mut items, &self.policy, &TimeZone::UTC, now);
        let mut said = Vec::new();
        for ((index, item), what) in live.into_iter().zip(items).zip(told) {
            if let Some(what) = what {
                self.told.push((second, index, what, item.level));
                said.push((index, what));
            }
            self.items[index] = Some(item);
        }
        said
    }
}

#[test]
fn news_waits_for_company_and_what_is_critical_or_rises_does_not() {
    let mut ear = Ear::new(policy(), 3);
    ear.hear(0, heard(Level::Warning, Status::Open));
    assert_eq!(ear.tick(0), []);
    ear.hear(1, heard(Level::Warning, Status::Open));
    assert_eq!(ear.tick(29), []);
    assert_eq!(ear.tick(30), [(0, What::Raised), (1, What::Raised)], "one notice of both");
    ear.hear(0, heard(Level::Alarm, Status::Open));
    assert_eq!(ear.tick(31), [(0, What::Escalated)]);
    ear.hear(2, heard(Level::Critical, Status::Open));
    assert_eq!(ear.tick(32), [(2, What::Raised)]);
    assert_eq!(ear.tick(33), []);
    assert_eq!(ear.next_due(), Some(BEGIN.plus(32 * SECOND_MS + HOUR_MS)));
}

#[test]
fn what_stands_is_told_again_by_its_level_until_somebody_takes_note() {
    let mut ear = Ear::new(policy(), 1);
    ear.hear(0, heard(Level::Alarm, Status::Open));
    ear.tick(0);
    ear.tick(30);
    assert_eq!(ear.tick(30 + 4 * 3_600 - 1), []);
    assert_eq!(ear.tick(30 + 4 * 3_600), [(0, What::Reminder)]);
    ear.hear(0, Heard { acknowledged: true, ..heard(Level::Alarm, Status::Open) });
    assert_eq!((ear.tick(90_000), ear.next_due()), (vec![], None));
    ear.hear(0, Heard { acknowledged: true, ..heard(Level::Critical, Status::Open) });
    assert_eq!(ear.tick(90_001), [(0, What::Escalated)], "what rises is told whoever took note of less");
}

#[test]
fn an_extra_receiver_hears_only_of_what_nobody_took_note_of() {
    let mut ear = Ear::new(Policy { after_ms: 2 * HOUR_MS, ..policy() }, 3);
    for alert in 0..3 {
        ear.hear(alert, heard(Level::Critical, Status::Open));
    }
    ear.tick(0);
    ear.hear(1, Heard { acknowledged: true, ..heard(Level::Critical, Status::Open) });
    ear.hear(2, heard(Level::Critical, Status::Cleared));
    assert_eq!(ear.tick(7_199), []);
    assert_eq!(ear.tick(7_200), [(0, What::Raised)]);
    ear.hear(0, heard(Level::Critical, Status::Cleared));
    ear.tick(7_201);
    assert_eq!(ear.tick(7_231), [(0, What::Cleared)], "who was told is told the end");
}

fn night() -> Policy {
    let quiet = Quiet { levels: vec![Level::Warning], from_ms: 0, to_ms: 7 * HOUR_MS };
    Policy { quiet: vec![quiet], ..policy() }
}

#[test]
fn what_falls_into_quiet_hours_is_told_at_their_end_if_it_still_holds() {
    let mut ear = Ear::new(night(), 4);
    let seven = 7 * 3_600;
    ear.hear(0, heard(Level::Warning, Status::Open));
    ear.hear(1, heard(Level::Warning, Status::Open));
    ear.tick(10);
    ear.hear(1, heard(Level::Warning, Status::Cleared));
    ear.hear(2, heard(Level::Critical, Status::Open));
    assert_eq!(ear.tick(60), [(2, What::Raised)], "no night for what is critical");
    ear.hear(3, heard(Level::Warning, Status::Cleared));
    assert_eq!(ear.tick(3_000), []);
    ear.hear(2, heard(Level::Critical, Status::Cleared));
    ear.tick(3_001);
    assert_eq!(ear.tick(3_100), [(2, What::Cleared)]);
    assert_eq!(ear.tick(seven - 1), []);
    assert_eq!(
        ear.tick(seven),
        [(0, What::Raised), (3, What::Past)],
        "found afterwards is told in the morning"
    );
    ear.hear(1, Heard { acknowledged: true, ..heard(Level::Warning, Status::Cleared) });
    assert_eq!(ear.tick(seven + 99), [], "what nobody heard of in the night stays unheard");
}

#[test]
fn silence_and_suppression_tell_nobody_that_it_ended() {
    let mut ear = Ear::new(policy(), 2);
    ear.hear(0, heard(Level::Critical, Status::Open));
    ear.tick(0);
    ear.hear(0, Heard { quelled: true, ..heard(Level::Critical, Status::Open) });
    assert_eq!((ear.tick(900_000), ear.next_due()), (vec![], None), "it stands, and nobody is reminded");
    assert!(ear.items[0].as_ref().unwrap().stands());
    ear.hear(0, heard(Level::Critical, Status::Retracted));
    ear.tick(900_001);
    assert_eq!(ear.tick(900_031), [(0, What::Retracted)]);
    ear.hear(1, Heard { quelled: true, ..heard(Level::Critical, Status::Open) });
    ear.hear(1, Heard { quelled: true, ..heard(Level::Critical, Status::Cleared) });
    assert_eq!((ear.tick(900_032), ear.items[1].is_none()), (vec![], true));
    ear.hear(1, Heard { is_new: false, ..heard(Level::Critical, Status::Cleared) });
    assert!(ear.items[1].is_none(), "what was over before the receiver was there is none of its business");
}

/// What can happen to an alert; time passes before it, in seconds.
#[derive(Clone, Debug)]
struct Happening {
    after_s: i64,
    alert: usize,
    heard: Heard,
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Warning), Just(Level::Alarm), Just(Level::Critical)]
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let status = prop_oneof![
        4 => Just(Status::Open), 2 => Just(Status::Cleared), 1 => Just(Status::Retracted)
    ];
    let one =
        (0_i64..20_000, 0_usize..3, level(), status, prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    let one = one.prop_map(|(after_s, alert, level, status, acknowledged, quelled)| Happening {
        after_s,
        alert,
        heard: Heard { level, status, acknowledged, quelled, is_new: true },
    });
    proptest::collection::vec(one, 1..24)
}

fn policies() -> impl Strategy<Value = Policy> {
    let quiet = (0_i64..24, 1_i64..24, proptest::collection::vec(level(), 1..3));
    let quiet = quiet.prop_map(|(from, long, levels)| Quiet {
        levels,
        from_ms: from * HOUR_MS,
        to_ms: (from + long) % 24 * HOUR_MS,
    });
    let repeat = proptest::array::uniform4(proptest::option::of((1_i64..600).prop_map(|m| m * MINUTE_MS)));
    (0_i64..1_500, prop_oneof![Just(0), Just(HOUR_MS)], repeat, proptest::collection::vec(quiet, 0..2))
        .prop_map(|(wait_s, after_ms, repeat_ms, quiet)| Policy {
            wait_ms: wait_s * SECOND_MS,
            after_ms,
            repeat_ms,
            quiet,
            ..Policy::default()
        })
}

/// Plays it all, with a tick at each of these seconds that `is_taken`, and one right after each happening.
fn play(policy: &Policy, all: &[Happening], end_s: i64, every_s: i64, only_when_due: bool) -> Ear {
    let mut ear = Ear::new(policy.clone(), 3);
    let (mut now, mut next) = (0, 0);
    let mut upto = |ear: &mut Ear, to: i64| {
        while next <= to {
            let is_due = ear.next_due().is_some_and(|due| due <= BEGIN.plus(next * SECOND_MS));
            if is_due || !only_when_due {
                ear.tick(next);
            }
            next += every_s;
        }
    };
    for own in all {
        now += own.after_s;
        upto(&mut ear, now);
        ear.hear(own.alert, own.heard);
    }
    upto(&mut ear, now + end_s);
    ear
}

/// Two days: longer than any quiet time.
const END_S: i64 = 2 * 86_400;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_tick_before_anything_is_due_changes_nothing(policy in policies(), all in happenings()) {
        let often = play(&policy, &all, END_S, 301, false);
        let seldom = play(&policy, &all, END_S, 301, true);
        prop_assert_eq!(often.told, seldom.told);
        prop_assert_eq!(often.items, seldom.items);
    }

    #[test]
    fn each_alert_is_told_as_a_life_is_lived_and_never_in_its_quiet_hours(
        policy in policies(), all in happenings(),
    ) {
        let ear = play(&policy, &all, END_S, 301, true);
        for (second, _, what, level) in &ear.told {
            let at = BEGIN.plus(second * SECOND_MS);
            prop_assert!(!is_quiet(&policy.quiet, *level, &TimeZone::UTC, at), "{:?} at {}", what, at);
        }
        for alert in 0..3 {
            let life: Vec<What> = ear.told.iter().filter(|t| t.1 == alert).map(|t| t.2).collect();
            let mut before: Option<What> = None;
            for what in life {
                let stood = before.is_some_and(What::stands);
                let fits = match what {
                    What::Raised | What::Past => !stood,
                    What::Escalated | What::Reminder => stood,
                    What::Cleared => stood,
                    What::Retracted => stood || matches!(before, Some(What::Cleared | What::Past)),
                };
                prop_assert!(fits, "{:?} after {:?}", what, before);
                before = Some(what);
            }
        }
    }

    #[test]
    fn in_the_end_everybody_knows_what_stands_and_what_ended(policy in policies(), all in happenings()) {
        let ear = play(&policy, &all, END_S, 301, true);
        for (alert, item) in ear.items.iter().enumerate() {
            let Some(last) = all.iter().rev().find(|h| h.alert == alert).map(|h| h.heard) else { continue };
            let Some(item) = item else {
                prop_assert!(last.quelled || last.status != Status::Open);
                continue;
            };
            prop_assert!(item.news.is_none(), "nothing waits for ever: {:?}", item);
            match last.status {
                Status::Open if !last.quelled => {
                    let spared = policy.after_ms > 0 && last.acknowledged;
                    let highest = item.told.as_ref().and_then(|t| t.levels.last().copied());
                    prop_assert!(spared || (item.stands() && highest >= Some(last.level)), "{:?}", item);
                }
                Status::Open => {}
                Status::Cleared | Status::Retracted => prop_assert!(!item.stands(), "{:?}", item),
            }
        }
    }
}
