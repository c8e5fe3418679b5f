//! What history teaches of a site, and what a commissioning test in it proves: reads the files, changes nothing.

use serde::{Deserialize, Serialize};

use super::answers::Files;
use super::minutes;
use super::problem::Problem;
use crate::learning::adopt;
use crate::learning::commission::{self, Test};
use crate::learning::minute::{self, Minute};
use crate::learning::plausible::{self, Remark};
use crate::learning::running;
use crate::learning::split::{Needs, Outcome, learn};
use crate::model::commissioning::{CommissioningRecord, Phase};
use crate::model::proposal::{BaselineProposal, Idle, PointProposal, Proposal};
use crate::model::site::{Point, Process, Site};
use crate::model::time::UtcMs;

/// A commissioning test, as it was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Process id; may be left out where the site has one process only.
    #[serde(default)]
    pub process: Option<String>,
    /// Who supervised it.
    pub who: String,
    /// Off, idle if it was run, full load.
    pub phases: Vec<Phase>,
    /// Whether it is recorded if it is accepted; otherwise it is only looked at.
    pub record: bool,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Process id.
    pub process: String,
    /// What it proves.
    pub record: Option<CommissioningRecord>,
    /// Or why it proves nothing: everything that speaks against it.
    pub refusals: Vec<String>,
}

/// Room for a phase, beyond which no test goes, ms: a day.
const TRIAL_MAX_MS: i64 = 24 * 3_600_000;

fn internal(error: impl std::error::Error) -> Problem {
    Problem::internal(&error)
}

impl Files {
    /// What the time from `from` to `to` teaches of a site.
    ///
    /// # Errors
    /// There is no such site, or the store cannot be read.
    pub fn lesson(&self, id: &str, (from, to): (UtcMs, UtcMs)) -> Result<Proposal, Problem> {
        let (registry, site) = self.registry_with(id)?;
        let minutes =
            minutes::of_site(self.views().conn(), &registry, &site, (from, to)).map_err(internal)?;
        Ok(proposal(&site, &minutes, (from, to)))
    }

    /// The same, if it says anything that was not proposed before.
    ///
    /// # Errors
    /// As [`lesson`](Files::lesson).
    pub fn news(&self, id: &str, span: (UtcMs, UtcMs)) -> Result<Option<Proposal>, Problem> {
        let lesson = self.lesson(id, span)?;
        let before = self.page(id)?.and_then(|page| page.waiting);
        let is_news = before.is_none_or(|before| lesson.is_news_after(&before.proposal));
        Ok(is_news.then_some(lesson))
    }

    /// What a test proves, recorded at `at`.
    ///
    /// # Errors
    /// There is no such site or process, or the store cannot be read.
    pub fn trial(&self, id: &str, trial: &Trial, at: UtcMs) -> Result<Tried, Problem> {
        let (registry, site) = self.registry_with(id)?;
        let process = process_of(&site, trial.process.as_deref())?;
        let from = trial.phases.iter().map(|p| p.from).min().unwrap_or(at);
        let to = trial.phases.iter().map(|p| p.to).max().unwrap_or(at);
        if to.since(from) > TRIAL_MAX_MS {
            return Err(Problem::bad_request("the phases of a test lie within one day".into()));
        }
        let minutes =
            minutes::of_site(self.views().conn(), &registry, &site, (from, to)).map_err(internal)?;
        let test = Test {
            who: &trial.who,
            at,
            phases: &trial.phases,
            process,
            points: &site.points,
            minutes: &minutes,
        };
        let process = process.id.to_string();
        Ok(match commission::record(&test) {
            Ok(record) => Tried { process, record: Some(record), refusals: Vec::new() },
            Err(refusals) => {
                Tried { process, record: None, refusals: refusals.iter().map(ToString::to_string).collect() }
            }
        })
    }
}

fn process_of<'a>(site: &'a Site, id: Option<&str>) -> Result<&'a Process, Problem> {
    match (id, &site.processes[..]) {
        (None, [only]) => Ok(only),
        (Some(id), all) => all.iter().find(|p| *p.id == *id).ok_or_else(|| Problem::not_found("process", id)),
        (None, all) => {
            let ids: Vec<&str> = all.iter().map(|p| &*p.id).collect();
            Err(Problem::bad_request(format!("name the process; there are: {}", ids.join(", "))))
        }
    }
}

/// Everything that these minutes teach.
fn proposal(site: &Site, minutes: &[Vec<Minute>], (from, to): (UtcMs, UtcMs)) -> Proposal {
    let remarks = plausible::remarks(&site.points, minutes);
    let points = (0_u16..).zip(site.points.iter().zip(minutes)).map(|(index, (point, own))| {
        let told = remarks.iter().filter(|remark| is_of(remark, index));
        let other = |remark: &Remark| match *remark {
            Remark::Swapped { over, under, .. } => {
                let other = if over == index { under } else { over };
                format!("{remark} ({})", site.points[usize::from(other)].id)
            }
            _ => remark.to_string(),
        };
        of_point(point, own, told.map(|remark| other(remark).into()).collect())
    });
    let points = points.collect();
    let baselines = site.processes.iter().flat_map(|process| {
        let own = running::baselines(process, &site.points, minutes);
        own.into_iter().map(|b| BaselineProposal {
            process: process.id.clone(),
            point: site.points[usize::from(b.point)].id.clone(),
            median_w: b.median_w,
            power_factor: b.power_factor,
        })
    });
    Proposal { site: site.id.clone(), from, to, points, baselines: baselines.collect() }
}

fn is_of(remark: &Remark, index: u16) -> bool {
    match *remark {
        Remark::Above { point, .. } | Remark::Below { point, .. } => point == index,
        Remark::Swapped { over, under, .. } => over == index || under == index,
    }
}

fn of_point(point: &Point, minutes: &[Minute], remarks: Vec<Box<str>>) -> PointProposal {
    let outcome = learn(minutes, point.rated_w, Needs::default());
    let mut own = PointProposal {
        point: point.id.clone(),
        minutes: minute::total(minutes) as u64,
        powers_w: None,
        idle: None,
        refused: Vec::new(),
        remarks,
    };
    match outcome {
        Outcome::Accepted(split) => {
            let t = adopt::thresholds(&split, point);
            own.powers_w = Some([t.running_above_w, t.running_below_w, t.idle_above_w, t.off_below_w]);
            own.idle =
                split.idle.map(|idle| Idle { median_w: idle.figures.high_median_w, begins_w: idle.on_w });
        }
        Outcome::Refused(refused) => {
            own.refused = refused.failed.iter().map(|failed| failed.to_string().into()).collect();
        }
    }
    own
}
