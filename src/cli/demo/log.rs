//! The demo as plain lines, where there is no terminal to draw on: what happened since the last look. Pure.
//!
//! The second word of a line is a tag that never changes with the language: STORY, STATE, OPENED, ESCALATED, CLEARED.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::scene::{Findings, Scene};
use super::story;
use super::view;
use crate::alerts::alert::Alert;
use crate::model::state::State;
use crate::wording::sentence;
use crate::wording::words::{self, Lang};

/// What has been told.
#[derive(Clone, Debug)]
pub struct Log {
    lang: Lang,
    zone: TimeZone,
    told_ms: Option<u64>,
    states: HashMap<(String, String), State>,
    /// Steps of each alert's history.
    steps: HashMap<Box<str>, usize>,
}

impl Log {
    /// Nothing has been told.
    #[must_use]
    pub fn new(lang: Lang, zone: TimeZone) -> Log {
        Log { lang, zone, told_ms: None, states: HashMap::new(), steps: HashMap::new() }
    }

    /// A line for everything that is new in the scene.
    pub fn news(&mut self, scene: &Scene) -> Vec<String> {
        let mut lines = self.beats(scene.elapsed_ms);
        let now = view::elapsed(scene.elapsed_ms);
        lines.extend(self.states(&now, &scene.findings));
        for alert in scene.findings.alerts.iter().rev() {
            lines.extend(self.alert(&now, alert));
        }
        lines
    }

    fn beats(&mut self, elapsed_ms: u64) -> Vec<String> {
        let beats = story::beats_between(self.told_ms.replace(elapsed_ms), elapsed_ms);
        let line = |(at_ms, beat): &(u64, story::Beat)| {
            format!("{}  STORY      {}: {}", view::elapsed(*at_ms), beat.plant, beat.what.in_lang(self.lang))
        };
        beats.iter().map(line).collect()
    }

    fn states(&mut self, now: &str, findings: &Findings) -> Vec<String> {
        let mut changed: Vec<_> =
            findings.states.iter().filter(|(unit, state)| self.states.get(*unit) != Some(*state)).collect();
        changed.sort_by_key(|(unit, _)| *unit);
        let mut lines = Vec::with_capacity(changed.len());
        for (unit, state) in changed {
            self.states.insert(unit.clone(), *state);
            let (site, point) = unit;
            lines.push(format!(
                "{now}  STATE      {site}/{point}  {}",
                words::state(*state).in_lang(self.lang)
            ));
        }
        lines
    }

    fn alert(&mut self, now: &str, alert: &Alert) -> Vec<String> {
        let told = self.steps.entry(alert.id.clone()).or_default();
        let news = alert.history.get(*told..).unwrap_or_default();
        *told = alert.history.len();
        let evidence = sentence::of_alert(alert, &self.zone, self.lang);
        let tagged = news.iter().filter_map(|step| Some((tag(&step.what)?, step.level.name())));
        let (rule, site, subject) = (alert.rule.name(), &alert.site, &alert.subject);
        tagged
            .map(|(tag, level)| format!("{now}  {tag:<9}  {rule}  {site}/{subject}  {level}  {evidence}"))
            .collect()
    }
}

fn tag(what: &str) -> Option<&'static str> {
    match what {
        "raised" => Some("OPENED"),
        "escalated" => Some("ESCALATED"),
        "cleared" => Some("CLEARED"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alert::Status;
    use crate::model::rule::Rule;

    fn scene(elapsed_ms: u64, scrubber: State, alerts: Vec<Alert>) -> Scene {
        let states = HashMap::from([(("plant-b".to_owned(), "scrubber".to_owned()), scrubber)]);
        Scene { elapsed_ms, rows: Vec::new(), findings: Findings { states, alerts } }
    }

    #[test]
    fn everything_is_told_once_with_a_tag_to_look_for() {
        let mut log = Log::new(Lang::En, TimeZone::UTC);
        assert_eq!(
            log.news(&scene(3_000, State::Running, vec![])),
            ["00:03  STATE      plant-b/scrubber  running"]
        );
        assert_eq!(
            log.news(&scene(6_250, State::Running, vec![])),
            [
                "00:04  STORY      plant-c: the treatment meter falls silent; the line runs on",
                "00:06  STORY      plant-b: the scrubber is switched off; the press runs on",
            ]
        );
        let mut alert = sentence::tests::alert(Rule::TreatmentOff, Status::Open);
        let opened = log.news(&scene(7_000, State::Off, vec![alert.clone()]));
        assert_eq!(opened[0], "00:07  STATE      plant-b/scrubber  off");
        assert!(
            opened[1]
                .starts_with("00:07  OPENED     treatment_off  plant-b/line-1  warning  production press"),
            "{opened:?}"
        );
        assert_eq!(log.news(&scene(7_500, State::Off, vec![alert.clone()])), [] as [&str; 0]);
        alert.history = sentence::tests::alert(Rule::TreatmentOff, Status::Cleared).history;
        let cleared = log.news(&scene(8_000, State::Off, vec![alert]));
        assert!(cleared[0].starts_with("00:08  CLEARED    treatment_off  plant-b/line-1"), "{cleared:?}");
    }
}
