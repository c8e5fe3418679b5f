//! What was learned, confirmed and commissioned of sites, beside what their configuration says; and how the two are laid
//! over each other. Pure.
//!
//! All goes by ids: a configuration that comes later moves indices and loses nothing of it. What the configuration itself
//! sets stands before all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::baseline::{Baseline, N_LEVELS};
use crate::model::basis::Basis;
use crate::model::commissioning::CommissioningRecord;
use crate::model::proposal::Proposal;
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::site::{Process, Site, Thresholds};
use crate::model::time::UtcMs;

/// What is known of all sites, by id. A site that is taken out of the configuration keeps its page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    sites: BTreeMap<Box<str>, Page>,
}

/// By whom, when and by which message something came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Where the numbers come from.
    pub basis: Basis,
    /// Since when, by the journal.
    pub since: UtcMs,
    /// The message.
    pub offset: Offset,
    /// Who.
    pub who: Box<str>,
}

/// Thresholds of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnThresholds {
    /// Point id.
    pub point: Box<str>,
    /// Running above, running below, idle above, off below, W.
    pub powers_w: [f64; 4],
    /// Where they come from.
    pub origin: Origin,
    /// What the configuration says, where they are laid over it.
    pub instead_of: Option<Thresholds>,
}

/// What a treatment point draws while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnBaseline {
    /// Process id.
    pub process: Box<str>,
    /// Point id.
    pub point: Box<str>,
    /// Median power by level of production, W.
    pub median_w: [Option<f32>; N_LEVELS],
    /// Median power factor.
    pub power_factor: Option<f32>,
    /// Where it comes from.
    pub origin: Origin,
}

/// A commissioning test of a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// Process id.
    pub process: Box<str>,
    /// The message.
    pub offset: Offset,
    /// What came of it.
    pub record: CommissioningRecord,
}

/// What was proposed last, and what of it waits for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// As it was proposed.
    pub proposal: Proposal,
    /// The message.
    pub offset: Offset,
    /// When.
    pub at: UtcMs,
    /// Points whose thresholds wait.
    pub thresholds: Vec<Box<str>>,
    /// Process and point of baselines that wait.
    pub baselines: Vec<(Box<str>, Box<str>)>,
}

/// Numbers that a person has refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// Point id.
    pub point: Box<str>,
    /// Thresholds, W.
    pub powers_w: Option<[f64; 4]>,
    /// Process id and medians, W.
    pub baseline: Option<(Box<str>, [Option<f32>; N_LEVELS])>,
}

/// What is known of a site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Thresholds, by point id.
    pub thresholds: Vec<OwnThresholds>,
    /// Baselines, by process and point id.
    pub baselines: Vec<OwnBaseline>,
    /// The last accepted test of each process.
    pub tests: Vec<Tested>,
    /// What was proposed last.
    pub waiting: Option<Waiting>,
    /// What a person has refused.
    pub refused: Vec<Refused>,
}

impl Book {
    /// The page of a site, if there is one.
    #[must_use]
    pub fn page(&self, site: &str) -> Option<&Page> {
        self.sites.get(site)
    }

    /// Puts a page in.
    pub fn put(&mut self, site: &str, page: Page) {
        self.sites.insert(site.into(), page);
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// Lays all pages over a configuration as it was written.
    pub fn lay_over(&mut self, registry: &mut Registry) {
        for site in &mut registry.sites {
            if let Some(page) = self.sites.get_mut(&*site.id) {
                page.lay_over(site);
            }
        }
    }
}

impl Page {
    /// Lays it over a site as the configuration has it.
    pub fn lay_over(&mut self, site: &mut Site) {
        for own in &mut self.thresholds {
            own.instead_of = None;
            let Some(point) = site.points.iter_mut().find(|p| p.id == own.point) else { continue };
            if own.origin.basis < point.thresholds.basis {
                let Thresholds { on_for_ms, off_for_ms, .. } = point.thresholds;
                let laid = Thresholds::new(own.powers_w, on_for_ms, off_for_ms, own.origin.basis);
                own.instead_of = Some(std::mem::replace(&mut point.thresholds, laid));
            }
        }
        for own in &self.baselines {
            let Some(place) = site.processes.iter().position(|p| p.id == own.process) else { continue };
            let Some(point) = treated(site, place, &own.point) else { continue };
            let process = &mut site.processes[place];
            // None can be configured; what stands there is of this page.
            process.baselines.retain(|b| b.point != point);
            let laid = Baseline::new(point, own.median_w, own.power_factor, own.origin.basis);
            process.baselines.push(laid);
            process.baselines.sort_by_key(|b| b.point);
        }
    }

    /// Takes it off a site it was laid over: what the configuration says is left.
    pub fn take_off(&self, site: &mut Site) {
        for own in &self.thresholds {
            if let Some((point, was)) =
                site.points.iter_mut().find(|p| p.id == own.point).zip(own.instead_of.as_ref())
            {
                point.thresholds = was.clone();
            }
        }
        for own in &self.baselines {
            let Some(place) = site.processes.iter().position(|p| p.id == own.process) else { continue };
            if let Some(point) = treated(site, place, &own.point) {
                site.processes[place].baselines.retain(|b| b.point != point);
            }
        }
    }

    /// The thresholds of a point, if it has any here.
    #[must_use]
    pub fn thresholds_of(&self, point: &str) -> Option<&OwnThresholds> {
        self.thresholds.iter().find(|own| *own.point == *point)
    }

    /// The baseline of a point, if it has one here.
    #[must_use]
    pub fn baseline_of(&self, process: &str, point: &str) -> Option<&OwnBaseline> {
        self.baselines.iter().find(|own| *own.process == *process && *own.point == *point)
    }

    /// The last accepted test of a process.
    #[must_use]
    pub fn test_of(&self, process: &str) -> Option<&Tested> {
        self.tests.iter().find(|own| *own.process == *process)
    }

    /// Puts thresholds in the place of those there are; to the W/1000, which survives being written as text.
    pub fn put_thresholds(&mut self, point: &str, powers_w: [f64; 4], origin: Origin) {
        let powers_w = powers_w.map(|w| (w * 1e3).round() / 1e3);
        self.thresholds.retain(|own| *own.point != *point);
        self.thresholds.push(OwnThresholds { point: point.into(), powers_w, origin, instead_of: None });
        self.thresholds.sort_by(|a, b| a.point.cmp(&b.point));
    }

    /// Puts a baseline in the place of the one there is.
    pub fn put_baseline(&mut self, new: OwnBaseline) {
        self.baselines.retain(|own| (&own.process, &own.point) != (&new.process, &new.point));
        self.baselines.push(new);
        self.baselines.sort_by(|a, b| (&a.process, &a.point).cmp(&(&b.process, &b.point)));
    }
}

/// Index of a point, if it is treatment of that process.
fn treated(site: &Site, process: usize, point: &str) -> Option<u16> {
    let index = index_of(site, point)?;
    is_treatment(&site.processes[process], index).then_some(index)
}

/// Index of a point.
#[must_use]
pub fn index_of(site: &Site, point: &str) -> Option<u16> {
    (0_u16..).zip(&site.points).find(|(_, p)| *p.id == *point).map(|(index, _)| index)
}

/// Whether a point is treatment of a process.
#[must_use]
pub fn is_treatment(process: &Process, point: u16) -> bool {
    process.treatment.iter().any(|group| group.points.contains(&point))
}
