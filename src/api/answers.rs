//! What can be asked, answered from the files alone: the daemon's server and a command line without a daemon say the same.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::problem::Problem;
use super::status::Status;
use crate::alerts::alert::{Alert, Status as AlertStatus, subject_names};
use crate::detection::applicable::{self, Silent, Why};
use crate::engine::book::Page;
use crate::engine::effects::Counts;
use crate::engine::layout::OUTCOMES_KEY;
use crate::engine::run::Progress;
use crate::history;
use crate::journal;
use crate::model::maintenance::Filing;
use crate::model::reading::{Offset, power_of};
use crate::model::registry::Registry;
use crate::model::rule::{Level, Rule};
use crate::model::site::{Category, Grade, PointKind, Site};
use crate::model::state::State;
use crate::model::time::UtcMs;
use crate::store::exchanges::Exchanged;
use crate::store::learned;
use crate::store::queue::{self, BadLine};
use crate::store::schema::STORE_FILE;
use crate::store::suppressing::{self, Maintenance};
use crate::store::views::{AlertFilter, RejectView, Views};

/// Readings in one answer, at most: a quarter of a year of one meter, a minute each.
pub const N_READINGS_MAX: usize = 132_480;

/// A site in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SiteRow {
    /// Id.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// District.
    pub region: String,
    /// Industry.
    pub industry: String,
    /// Supervision category.
    pub category: Category,
    /// Grade.
    pub grade: Grade,
    /// IANA time zone.
    pub time_zone: String,
    /// Number of points.
    pub n_points: usize,
    /// Points by state: running, idle, off, unknown.
    pub states: [usize; 4],
    /// Open alerts.
    pub n_open: usize,
    /// The gravest of them.
    pub worst: Option<Level>,
}

/// A point with what it does now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PointRow {
    /// Id.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// What it is.
    pub kind: PointKind,
    /// Meter id.
    pub meter: String,
    /// Rated power, kW.
    pub rated_kw: f64,
    /// Running from this power up, kW.
    pub running_above_kw: f64,
    /// No longer running from this power down, kW.
    pub running_below_kw: f64,
    /// State.
    pub state: State,
    /// Since when.
    pub since: Option<UtcMs>,
    /// Power last read, kW.
    pub power_kw: Option<f64>,
    /// When.
    pub read_at: Option<UtcMs>,
}

/// A site in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SiteAnswer {
    /// As configured.
    pub site: Site,
    /// Its points, with what they do now.
    pub points: Vec<PointRow>,
    /// Its open alerts.
    pub open: Vec<Alert>,
    /// Rules that say nothing of it, or of something of it, and why.
    #[serde(default)]
    pub silent: Vec<SilentRow>,
    /// What of it does not fit what was measured: point id, and what is odd.
    #[serde(default)]
    pub remarks: Vec<(String, String)>,
    /// Its meters that were exchanged, the last that was told first.
    #[serde(default)]
    pub exchanged: Vec<Exchanged>,
}

/// A rule that says nothing of something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SilentRow {
    /// Which rule.
    pub rule: Rule,
    /// `process`, `point` or `site`.
    pub subject_kind: String,
    /// Its id.
    pub subject: String,
    /// Why.
    pub why: Why,
}

/// A reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadingRow {
    /// When it was measured.
    pub time: UtcMs,
    /// When it was received.
    pub received: UtcMs,
    /// The message it came in.
    pub offset: Offset,
    /// What is to be said of its quality.
    pub quality: Vec<String>,
    /// Values by channel name.
    pub values: Vec<(String, f64)>,
}

/// The files of a data folder, as a reader holds them.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    views: Views,
}

pub(super) fn internal(error: impl std::error::Error) -> Problem {
    Problem::internal(&error)
}

impl Files {
    /// Opens the store in `folder`.
    ///
    /// # Errors
    /// There is none yet, or it cannot be read.
    pub fn open(folder: &Path) -> Result<Files, Problem> {
        let views = Views::open(&folder.join(STORE_FILE)).map_err(internal)?;
        Ok(Files { folder: folder.to_owned(), views })
    }

    /// The store.
    pub(super) fn views(&self) -> &Views {
        &self.views
    }

    /// The configuration, with what was learned laid over it.
    pub(super) fn registry(&self) -> Result<Registry, Problem> {
        let stored = self.views.registry().map_err(internal)?;
        let mut registry = stored.map(|stored| stored.registry).unwrap_or_default();
        for (id, body) in learned::pages(self.views.conn(), None).map_err(internal)? {
            let Some(site) = registry.sites.iter_mut().find(|s| *s.id == *id) else { continue };
            let mut page: Page = serde_json::from_str(&body).map_err(internal)?;
            page.lay_over(site);
        }
        Ok(registry)
    }

    fn open_alerts(&self, site: Option<&str>) -> Result<Vec<Alert>, Problem> {
        let filter = AlertFilter {
            status: Some(AlertStatus::Open),
            site: site.map(Into::into),
            ..AlertFilter::default()
        };
        self.views.alerts(&filter).map_err(internal)
    }

    /// All sites.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn sites(&self) -> Result<Vec<SiteRow>, Problem> {
        let open = self.open_alerts(None)?;
        let mut rows = Vec::new();
        for site in &self.registry()?.sites {
            let mut states = [0, 0, 0, site.points.len()];
            for view in self.views.states(&site.id).map_err(internal)? {
                let known = site.points.iter().any(|p| *p.id == *view.point);
                let index = State::ALL.iter().position(|s| s.name() == view.state).unwrap_or(3);
                if known && index < 3 {
                    states[index] += 1;
                    states[3] -= 1;
                }
            }
            let own = || open.iter().filter(|a| a.site == site.id);
            rows.push(SiteRow {
                id: site.id.to_string(),
                name: site.name.to_string(),
                region: site.region.to_string(),
                industry: site.industry.to_string(),
                category: site.category,
                grade: site.grade,
                time_zone: site.time_zone.to_string(),
                n_points: site.points.len(),
                states,
                n_open: own().count(),
                worst: own().map(|a| a.level).max(),
            });
        }
        Ok(rows)
    }

    /// One site.
    ///
    /// # Errors
    /// There is no such site, or the store cannot be read.
    pub fn site(&self, id: &str) -> Result<SiteAnswer, Problem> {
        let registry = self.registry()?;
        let site = registry.sites.iter().find(|s| *s.id == *id);
        let site = site.ok_or_else(|| Problem::not_found("site", id))?;
        let states = self.views.states(id).map_err(internal)?;
        let mut points = Vec::new();
        for point in &site.points {
            let meter = registry.meters.get(point.meter as usize).map_or("", |m| &m.id);
            let last = history::read::last(self.views.conn(), meter).map_err(internal)?;
            let head = last.heads().first();
            let view = states.iter().find(|s| *s.point == *point.id);
            let state = view.and_then(|v| State::ALL.into_iter().find(|s| s.name() == v.state));
            points.push(PointRow {
                id: point.id.to_string(),
                name: point.name.to_string(),
                kind: point.kind,
                meter: meter.to_owned(),
                rated_kw: point.rated_w / 1_000.0,
                running_above_kw: point.thresholds.running_above_w / 1_000.0,
                running_below_kw: point.thresholds.running_below_w / 1_000.0,
                state: state.unwrap_or(State::Unknown),
                since: view.map(|v| v.since),
                power_kw: head.and_then(|h| power_of(last.values(h))).map(|w| w / 1_000.0),
                read_at: head.map(|h| h.time),
            });
        }
        let row = |silent: Silent| {
            let (subject_kind, subject) = subject_names(site, &[], silent.subject);
            let (subject_kind, subject) = (subject_kind.to_owned(), subject.to_string());
            SilentRow { rule: silent.rule, subject_kind, subject, why: silent.why }
        };
        let silent = applicable::silent(site, &registry.meters, &registry.profiles);
        let silent = silent.into_iter().map(row).collect();
        let lesson = self.page(id)?.and_then(|page| page.waiting).map(|waiting| waiting.proposal.points);
        let told = lesson.unwrap_or_default();
        let remarks =
            told.iter().flat_map(|p| p.remarks.iter().map(|r| (p.point.to_string(), r.to_string())));
        let (open, remarks) = (self.open_alerts(Some(id))?, remarks.collect());
        let exchanged = self.exchanges(Some(id))?;
        Ok(SiteAnswer { site: site.clone(), points, open, silent, remarks, exchanged })
    }

    /// Alerts, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, Problem> {
        self.views.alerts(filter).map_err(internal)
    }

    /// One alert, by its id or the begin of it.
    ///
    /// # Errors
    /// There is no such alert, the begin fits several, or the store cannot be read.
    pub fn alert(&self, id: &str) -> Result<Alert, Problem> {
        let mut found = self.views.alerts_by_prefix(id).map_err(internal)?;
        match found.len() {
            0 => Err(Problem::not_found("alert", id)),
            1 => Ok(found.remove(0)),
            n => Err(Problem::bad_request(format!("{n} alerts begin with {id:?}; give more of it"))),
        }
    }

    /// Readings of a meter from `from` up to, not with, `to`, oldest first, at most [`N_READINGS_MAX`].
    ///
    /// # Errors
    /// There is no such meter, too many readings are asked for, or the store cannot be read.
    pub fn readings(&self, meter: &str, from: UtcMs, to: UtcMs) -> Result<Vec<ReadingRow>, Problem> {
        if !self.registry()?.meters.iter().any(|m| *m.id == *meter) {
            return Err(Problem::not_found("meter", meter));
        }
        let mut rows = Vec::new();
        let query = history::read::Query::new(meter, from, to);
        history::read::visit(self.views.conn(), &query, &mut |reading| {
            if rows.len() <= N_READINGS_MAX {
                rows.push(ReadingRow {
                    time: reading.time,
                    received: reading.received,
                    offset: reading.offset,
                    quality: reading.quality.names().map(Into::into).collect(),
                    values: reading.values.iter().map(|(c, v)| (c.name().to_owned(), *v)).collect(),
                });
            }
        })
        .map_err(internal)?;
        if rows.len() > N_READINGS_MAX {
            return Err(Problem::bad_request(format!(
                "more than {N_READINGS_MAX} readings lie in that time; ask for a shorter one"
            )));
        }
        Ok(rows)
    }

    /// Filed maintenance, of one site or of all, the last first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn maintenance(&self, site: Option<&str>) -> Result<Vec<Maintenance>, Problem> {
        suppressing::list(self.views.conn(), site).map_err(internal)
    }

    /// Maintenance by its id.
    ///
    /// # Errors
    /// There is none of that id, or the store cannot be read.
    pub fn maintenance_by_id(&self, id: &str) -> Result<Maintenance, Problem> {
        let found = suppressing::maintenance(self.views.conn(), id).map_err(internal)?;
        found.ok_or_else(|| Problem::not_found("maintenance", id))
    }

    /// Whether maintenance can be filed.
    ///
    /// # Errors
    /// It cannot, or the store cannot be read.
    pub fn may_file(&self, filing: &Filing) -> Result<(), Problem> {
        let registry = self.registry()?;
        let site = registry.sites.iter().find(|s| *s.id == *filing.site);
        let site = site.ok_or_else(|| Problem::not_found("site", &filing.site))?;
        filing.check(site).map_err(|error| Problem::bad_request(error.to_string()))
    }

    /// Rejected messages, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn rejects(&self, code: Option<&str>, limit: u32) -> Result<Vec<RejectView>, Problem> {
        self.views.rejects(code, limit).map_err(internal)
    }

    /// Lines a sink's far side refused, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn bad_lines(&self, sink: &str, limit: u32) -> Result<Vec<BadLine>, Problem> {
        queue::bad_lines(self.views.conn(), sink, limit).map_err(internal)
    }

    /// What the files tell of the daemon.
    ///
    /// # Errors
    /// The store or the journal cannot be read.
    pub fn status(&self) -> Result<Status, Problem> {
        let reader = journal::Reader::open(&self.folder).map_err(internal)?;
        let counts: Option<String> = self.views.meta("counts").map_err(internal)?;
        let counts: Counts = counts.and_then(|c| serde_json::from_str(&c).ok()).unwrap_or_default();
        let outcomes: Option<String> = self.views.meta(OUTCOMES_KEY).map_err(internal)?;
        let outcomes = outcomes.and_then(|o| serde_json::from_str(&o).ok()).unwrap_or_default();
        let registry = self.registry()?;
        let mut open_alerts = [0; 4];
        for alert in self.open_alerts(None)? {
            open_alerts[alert.level as usize] += 1;
        }
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").into(),
            progress: Progress {
                passed: self.views.cursor().map_err(internal)?,
                now: UtcMs(self.views.meta("now_ms").map_err(internal)?.unwrap_or_default()),
                counts,
                outcomes,
                ..Progress::of(&registry)
            },
            journal: reader.stats().map_err(internal)?,
            rejects: self.views.reject_counts().map_err(internal)?,
            open_alerts,
            ..Status::default()
        })
    }
}
