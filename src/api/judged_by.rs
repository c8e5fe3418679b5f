//! What a site is judged by, where it comes from, and what waits for a person: from the files.

use serde::{Deserialize, Serialize};

use super::answers::Files;
use super::problem::Problem;
use crate::engine::book::{OwnBaseline, Page, Tested, is_treatment};
use crate::engine::decide::Decided;
use crate::model::proposal::{BaselineProposal, PointProposal};
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::site::{PointKind, Site, Thresholds};
use crate::model::time::UtcMs;
use crate::store::learned;

/// Decisions in one answer, at most.
const N_DECISIONS: u32 = 200;

/// What a site is judged by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JudgedBy {
    /// Site id.
    pub site: String,
    /// Every point.
    pub points: Vec<PointJudged>,
    /// Baselines in force.
    pub baselines: Vec<OwnBaseline>,
    /// Baselines that wait for a person.
    pub offered: Vec<BaselineProposal>,
    /// Commissioning tests, one a process.
    pub tests: Vec<Tested>,
    /// When history was learned from last with news, and the span it was.
    pub learned: Option<(UtcMs, UtcMs, UtcMs)>,
    /// What was decided, newest first.
    pub decisions: Vec<DecisionRow>,
}

/// A point with what it is judged by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PointJudged {
    /// Id.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// What it is.
    pub kind: PointKind,
    /// Rated power, kW.
    pub rated_kw: f64,
    /// In force.
    pub thresholds: Thresholds,
    /// Since when, where that is not the configuration.
    pub since: Option<UtcMs>,
    /// Who, likewise.
    pub who: Option<String>,
    /// What was learned of it last.
    pub lesson: Option<PointProposal>,
    /// Whether its learned thresholds wait for a person.
    pub waits: bool,
}

/// A decision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DecisionRow {
    /// The message by which it was decided.
    pub offset: Offset,
    /// When.
    pub at: UtcMs,
    /// What was asked.
    pub command: String,
    /// By whom.
    pub who: String,
    /// What they wrote.
    pub note: String,
    /// What was decided.
    pub decided: Decided,
}

fn internal(error: impl std::error::Error) -> Problem {
    Problem::internal(&error)
}

impl Files {
    /// The configuration in force, with what was learned laid over it; and one site of it.
    ///
    /// # Errors
    /// There is no such site, or the store cannot be read.
    pub fn registry_with(&self, site: &str) -> Result<(Registry, Site), Problem> {
        let registry = self.registry()?;
        let found = registry.sites.iter().find(|s| *s.id == *site).cloned();
        Ok((registry, found.ok_or_else(|| Problem::not_found("site", site))?))
    }

    /// What was learned of a site.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn page(&self, site: &str) -> Result<Option<Page>, Problem> {
        let pages = learned::pages(self.views().conn(), Some(site)).map_err(internal)?;
        let page = pages.first().map(|(_, body)| serde_json::from_str(body));
        page.transpose().map_err(internal)
    }

    /// What a site is judged by.
    ///
    /// # Errors
    /// There is no such site, or the store cannot be read.
    pub fn judged_by(&self, id: &str) -> Result<JudgedBy, Problem> {
        let (_, site) = self.registry_with(id)?;
        let page = self.page(id)?.unwrap_or_default();
        let waiting = page.waiting.as_ref();
        let points = site.points.iter().map(|point| {
            let own = page.thresholds_of(&point.id).filter(|t| t.origin.basis == point.thresholds.basis);
            let lesson = waiting.and_then(|w| w.proposal.points.iter().find(|p| p.point == point.id));
            PointJudged {
                id: point.id.to_string(),
                name: point.name.to_string(),
                kind: point.kind,
                rated_kw: point.rated_w / 1_000.0,
                thresholds: point.thresholds.clone(),
                since: own.map(|t| t.origin.since),
                who: own.map(|t| t.origin.who.to_string()),
                lesson: lesson.cloned(),
                waits: waiting.is_some_and(|w| w.thresholds.contains(&point.id)),
            }
        });
        let is_there = |b: &&OwnBaseline| {
            let index = (0_u16..).zip(&site.points).find(|(_, p)| p.id == b.point);
            let mut processes = site.processes.iter().filter(|p| p.id == b.process);
            index.is_some_and(|(i, _)| processes.any(|p| is_treatment(p, i)))
        };
        let offered = waiting.iter().flat_map(|w| {
            let waits = |b: &&BaselineProposal| {
                w.baselines.iter().any(|(process, point)| *process == b.process && *point == b.point)
            };
            w.proposal.baselines.iter().filter(waits)
        });
        Ok(JudgedBy {
            site: id.to_owned(),
            points: points.collect(),
            baselines: page.baselines.iter().filter(is_there).cloned().collect(),
            offered: offered.cloned().collect(),
            tests: page.tests.clone(),
            learned: waiting.map(|w| (w.at, w.proposal.from, w.proposal.to)),
            decisions: self.decided(id, None)?,
        })
    }

    /// What was decided about a site, by one message or in all, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn decided(&self, site: &str, offset: Option<Offset>) -> Result<Vec<DecisionRow>, Problem> {
        let rows = learned::decisions(self.views().conn(), site, offset, N_DECISIONS).map_err(internal)?;
        let row = |own: learned::Decision| {
            let decided = serde_json::from_str(&own.body).map_err(internal)?;
            let learned::Decision { offset, at, command, who, note, .. } = own;
            Ok(DecisionRow { offset, at, command, who, note, decided })
        };
        rows.into_iter().map(row).collect()
    }
}
