//! With a quarter of the readings missing nothing is said of treatment that the whole recording does not bear out.

use submeterd::alerts::alert::Alert;
use submeterd::model::rule::Rule;
use submeterd::model::time::UtcMs;

use super::recording::Recording;
use super::thinning::{Lost, thinned};
use super::{feed_plant, printing_plant};

/// What is said of missing readings must not be said of whole ones.
fn is_of_missing(rule: Rule) -> bool {
    matches!(rule, Rule::DataMissing | Rule::GapWhileProducing | Rule::IncompleteDay)
}

/// Whether an alert of the whole recording bears out one of the thinned.
fn bears_out(whole: &Alert, thin: &Alert) -> bool {
    let until = whole.cleared.unwrap_or(UtcMs(i64::MAX));
    // Of a stretch of "off" of which too little is certain for an alert of its own, it is told what its pieces sum up to, or
    // that it lay before the start or the stop.
    let is_told_for_it = matches!(thin.rule, Rule::Fragmented | Rule::LateStart | Rule::EarlyStop);
    let is_same = whole.rule == thin.rule || whole.rule == Rule::TreatmentOff && is_told_for_it;
    is_same && whole.subject == thin.subject && whole.first <= thin.last_certain && thin.first <= until
}

/// Thins a recording with every seed, and holds what is said against what is said of the whole.
fn nothing_is_guessed(
    recording: &Recording,
    site: &str,
    n_seeds: u64,
    is_seen_through: impl Fn(&Recording, &Alert) -> bool,
) {
    let whole = recording.judged(site.to_owned());
    let mut wrong = Vec::new();
    for how in Lost::ALL {
        for seed in 0..n_seeds {
            let thinned = thinned(recording, how, seed);
            let thin = thinned.judged(site.to_owned());
            for alert in thin.iter().filter(|a| !is_of_missing(a.rule)) {
                if !whole.iter().any(|w| bears_out(w, alert)) && !is_seen_through(&thinned, alert) {
                    wrong.push(format!(
                        "{how:?}, {seed}: {:?} of {} from {} to {}",
                        alert.rule, alert.subject, alert.first, alert.last_certain
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn of_the_printing_plant_nothing_is_guessed() {
    let Some(recording) = Recording::read(printing_plant::FIVE_MINUTES, 0, 1.0) else { return };
    nothing_is_guessed(&recording, &printing_plant::site(&recording, "5min"), 10, |_, _| false);
}

#[test]
fn of_the_printing_plant_by_the_minute_nothing_is_guessed() {
    let Some(recording) = Recording::read(printing_plant::ONE_MINUTE, 0, 1.0) else { return };
    nothing_is_guessed(&recording, &printing_plant::site(&recording, "1min"), 10, |_, _| false);
}

/// Silence is borne for 12 min there (`gap`), longer than an alert takes: what happened in a hole of that length is not seen,
/// and one of the states before and after is taken to have lasted. So an alert may stand that the whole would not bear out,
/// but never against a reading that was kept.
#[test]
fn of_the_feed_plant_nothing_is_said_against_a_reading_that_was_kept() {
    let Some(recording) = Recording::read(feed_plant::FILE, -3, 0.001) else { return };
    let agrees = |thinned: &Recording, alert: &Alert| {
        let (press, fan) = alert.subject.split_once('-').unwrap();
        let within = thinned.each().filter(|(at, _)| (alert.first..alert.last_certain).contains(at));
        let mut within = within.map(|(_, row)| (row.kw(press), row.kw(fan)));
        within.all(|(press, fan)| {
            press.is_none_or(|kw| kw >= feed_plant::LOADED_KW) && fan.is_none_or(|kw| kw < feed_plant::FAN_KW)
        })
    };
    nothing_is_guessed(&recording, &feed_plant::site(10), 1, agrees);
}
