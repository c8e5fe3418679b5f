//! Reasons for which nobody is told of an alert: maintenance filed beforehand, commissioning, a power cut of the whole site,
//! time in which the plant does not work. Pure. Source: rule catalogue, 2.1, suppressors.
//!
//! A reason takes nothing away: the alert is raised, judged and kept as without it. The rule for all of them: the alert's
//! first certain moment lies within the window. One that began before it goes on being told. One that outlasts the window
//! is told from its end on: else a minute of maintenance would hide what follows. A power cut and rest from work explain
//! missing data alone, and only an alert that lies in them whole.

use super::alert::{Alert, Status};
use super::reason::{Suppression, Why};
use crate::model::maintenance::Scope;
use crate::model::meter::Meter;
use crate::model::site::Site;
use crate::model::time::UtcMs;

/// A time in which a reason holds, and for what of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// What.
    pub why: Why,
    /// Of what.
    pub scope: Scope,
    /// From.
    pub from: UtcMs,
    /// Up to, not with; `None` where no end is known.
    pub to: Option<UtcMs>,
    /// Who filed it.
    pub by: Option<Box<str>>,
    /// Id of the filing, or of the alert of the power cut.
    pub reference: Option<Box<str>>,
}

/// A point, and the processes it is in, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit<'a> {
    /// Point id.
    pub point: &'a str,
    /// Process ids.
    pub processes: Vec<&'a str>,
}

/// What an alert is about, by id, as far as reasons are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About<'a> {
    /// A process with its points: a reason for any of them is a reason for it.
    Process(&'a str, Vec<&'a str>),
    /// A point, or all points behind a gateway: each needs a reason.
    Units(Vec<Unit<'a>>),
    /// The site as a whole: only what holds for all of it is a reason.
    Site,
}

/// What an alert of a site is about.
#[must_use]
pub fn about<'a>(alert: &'a Alert, site: &'a Site, meters: &[Meter]) -> About<'a> {
    let subject = &*alert.subject;
    let members = |p: &'a crate::model::site::Process| {
        let treatment = p.treatment.iter().flat_map(|g| g.points.iter());
        let points = p.production.iter().chain(treatment).filter_map(|i| site.points.get(usize::from(*i)));
        points.map(|point| &*point.id).collect::<Vec<_>>()
    };
    let unit = |point: &'a str| {
        let within = site.processes.iter().filter(|p| members(p).contains(&point));
        Unit { point, processes: within.map(|p| &*p.id).collect() }
    };
    match &*alert.subject_kind {
        "process" => {
            let process = site.processes.iter().find(|p| *p.id == *subject);
            About::Process(subject, process.map(members).unwrap_or_default())
        }
        "point" => About::Units(vec![unit(subject)]),
        "gateway" => {
            let is_behind = |meter: u32| meters.get(meter as usize).is_some_and(|m| *m.gateway == *subject);
            About::Units(site.points.iter().filter(|p| is_behind(p.meter)).map(|p| unit(&p.id)).collect())
        }
        _ => About::Site,
    }
}

/// Why nobody is told of `alert`, of the reasons that are known by `now`: an open one may last as long as that. Reasons it
/// has outlasted already stay so while it is open.
#[must_use]
pub fn reasons(alert: &Alert, about: &About<'_>, windows: &[Window], now: UtcMs) -> Vec<Suppression> {
    let holds = |w: &&Window| {
        let began_within = w.from <= alert.first && w.to.is_none_or(|to| alert.first < to);
        w.why.explains(alert.rule) && began_within
    };
    let within: Vec<&Window> = windows.iter().filter(holds).collect();
    let outlasts = |w: &Window| w.to.is_some_and(|to| outlasts(alert, to, now) || was_outlasted(alert, w));
    let (used, is_left): (Vec<&Window>, bool) = match about {
        About::Process(process, points) => {
            let is_it = |w: &&Window| {
                let named = w.scope.processes.iter().any(|id| **id == **process);
                let member = w.scope.points.iter().any(|id| points.contains(&&**id));
                w.scope.is_whole_site() || named || member
            };
            (within.into_iter().filter(is_it).collect(), false)
        }
        About::Site => (within.into_iter().filter(|w| w.scope.is_whole_site()).collect(), false),
        About::Units(units) => {
            let used: Vec<_> =
                within.into_iter().filter(|w| units.iter().any(|u| is_in(u, &w.scope))).collect();
            let has = |unit: &Unit<'_>, at_the_end: bool| {
                used.iter().any(|w| is_in(unit, &w.scope) && !(at_the_end && outlasts(w)))
            };
            if units.is_empty() || units.iter().any(|u| !has(u, false)) {
                return Vec::new();
            }
            let is_left = units.iter().any(|u| !has(u, true));
            (used, is_left)
        }
    };
    used.into_iter()
        .map(|w| (w, is_left || outlasts(w)))
        .filter(|(w, outlasted)| !(w.why.holds_whole() && *outlasted))
        .map(|(w, outlasted)| Suppression {
            why: w.why,
            from: w.from,
            to: w.to,
            by: w.by.clone(),
            reference: w.reference.clone(),
            outlasted,
        })
        .collect()
}

fn is_in(unit: &Unit<'_>, scope: &Scope) -> bool {
    scope.is_whole_site()
        || scope.points.iter().any(|id| **id == *unit.point)
        || scope.processes.iter().any(|id| unit.processes.contains(&&**id))
}

fn outlasts(alert: &Alert, to: UtcMs, now: UtcMs) -> bool {
    alert.reached() > to || alert.status == Status::Open && now >= to
}

/// Findings tell of moments before now: one of them must not silence again what is told already.
fn was_outlasted(alert: &Alert, window: &Window) -> bool {
    let is_it = |s: &&Suppression| {
        (s.why, s.from, &s.reference) == (window.why, window.from, &window.reference) && s.outlasted
    };
    alert.status == Status::Open && alert.suppressed.iter().any(|s| is_it(&s))
}
