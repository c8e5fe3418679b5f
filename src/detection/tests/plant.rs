//! A press with its fan, minute by minute.

use crate::alerts::figure::Fact;
use crate::alerts::finding::{AlertFinding, Change};
use crate::detection::finding::Finding;
use crate::detection::observe::Observation;
use crate::detection::site::{SiteContext, SiteJudge};
use crate::model::meter::Meter;
use crate::model::param::Param;
use crate::model::press_and_fan;
use crate::model::rule::{Level, Rule};
use crate::model::site::{RuleLimits, Site};
use crate::model::time::{MINUTE_MS, UtcMs};

pub const PRESS: u16 = 0;
pub const FAN: u16 = 1;
pub const START: UtcMs = UtcMs(1_661_789_400_000);
pub const REORDER_MS: u32 = 120_000;

/// A press with its fan, each on a meter of its own. It has no night, so that a minute counts as any other.
pub fn plant() -> (Site, Vec<Meter>) {
    let mut site = press_and_fan::site();
    site.reorder_ms = REORDER_MS;
    site.processes[0].rules = without_night();
    (site, press_and_fan::meters())
}

fn without_night() -> RuleLimits {
    let mut rules = RuleLimits::DEFAULT;
    rules.settings.set(Param::NightFrom, 0.0);
    rules.settings.set(Param::NightTo, 0.0);
    rules
}

/// A power a minute for press and fan; `None` = silence.
pub type Minute = (Option<f64>, Option<f64>);

pub fn observations(minutes: &[Minute]) -> Vec<Observation> {
    let mut all = Vec::new();
    for (minute, (press, fan)) in (0_i64..).zip(minutes) {
        for (point, power_w) in [(PRESS, *press), (FAN, *fan)] {
            if power_w.is_some() {
                let at = START.plus(minute * MINUTE_MS);
                let offset = 1 + all.len() as u64;
                all.push(Observation::plain(point, at, power_w, None, offset));
            }
        }
    }
    all
}

/// Offers everything in the order given, ticking so that nothing is late, and judges to the end.
pub fn judge(seen: &[Observation], tick_ms: i64, end: UtcMs) -> Vec<Finding> {
    judge_by(&plant(), seen, tick_ms, end)
}

/// The same by another configuration.
pub fn judge_by(
    (site, meters): &(Site, Vec<Meter>),
    seen: &[Observation],
    tick_ms: i64,
    end: UtcMs,
) -> Vec<Finding> {
    let context = SiteContext::new(site, meters);
    let since = seen.first().map_or(START, |o| o.at.min(START));
    let mut judge = SiteJudge::new(site, &context, since.plus(-1));
    let mut out = Vec::new();
    let mut now = since;
    for observation in seen {
        let earliest = observation.at.plus(-i64::from(REORDER_MS));
        while now.plus(tick_ms) <= earliest {
            now = now.plus(tick_ms);
            judge.advance(site, &context, now.plus(-i64::from(REORDER_MS)), &mut |f| out.push(f));
        }
        judge.offer(*observation);
    }
    judge.advance(site, &context, end, &mut |f| out.push(f));
    out
}

/// Alerts of a rule by another configuration, a reading a minute.
pub fn alerts_by(plant: &(Site, Vec<Meter>), rule: Rule, minutes: &[Minute]) -> Vec<AlertFinding> {
    let end = START.plus(minutes.len() as i64 * MINUTE_MS);
    let all = alerts_of(judge_by(plant, &observations(minutes), MINUTE_MS, end));
    all.into_iter().filter(|a| a.rule == rule).collect()
}

/// A figure of an alert, where it is there.
pub fn figure(alert: &AlertFinding, what: Fact) -> Option<f64> {
    alert.figures.iter().find(|f| f.what == what).map(|f| f.value)
}

pub const ON: Option<f64> = Some(5_000.0);
pub const OFF: Option<f64> = Some(0.0);

pub fn stretch(minute: Minute, n: usize) -> Vec<Minute> {
    vec![minute; n]
}

/// What is said of alerts.
pub fn alerts_of(findings: Vec<Finding>) -> Vec<AlertFinding> {
    let alert = |f| if let Finding::Alert(alert) = f { Some(*alert) } else { None };
    findings.into_iter().filter_map(alert).collect()
}

/// Rule, change, minute of the change, first minute, level.
pub fn told(alerts: &[AlertFinding]) -> Vec<(Rule, Change, i64, i64, Level)> {
    let minute = |t: UtcMs| t.since(START) / MINUTE_MS;
    alerts.iter().map(|a| (a.rule, a.change, minute(a.at), minute(a.first), a.level)).collect()
}
