//! The real daemon, in this process, and what its store says: all the demo knows of the rest of the house.

use std::path::Path;

use anyhow::Context as _;

use super::scene::Findings;
use crate::config::{self, Environment};
use crate::daemon::build;
use crate::daemon::tasks::Tasks;
use crate::model::rule::Rule;
use crate::model::state::State;
use crate::model::time::Clock;
use crate::store::schema::STORE_FILE;
use crate::store::views::{AlertFilter, Views};

/// Starts the daemon on a configuration file, as `submeterd run` does.
///
/// # Errors
/// The configuration is not valid, or the daemon cannot be built.
pub async fn start(config_file: &Path, tasks: &mut Tasks) -> anyhow::Result<()> {
    let loaded = config::load(Some(config_file), Environment::new())?;
    let daemon = build::build(loaded.config, Clock::System).await.context("build the daemon")?;
    tasks.spawn("daemon", daemon.run(tasks.stop()));
    Ok(())
}

/// Reads what the daemon has found.
#[derive(Debug, Default)]
pub struct Reader {
    views: Option<Views>,
}

impl Reader {
    /// Everything there is of these sites; nothing while the daemon has not made its store yet.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn findings(&mut self, data_dir: &Path, sites: &[&str]) -> anyhow::Result<Findings> {
        let file = data_dir.join(STORE_FILE);
        if self.views.is_none() && file.exists() {
            self.views = Some(Views::open(&file)?);
        }
        let Some(views) = &self.views else { return Ok(Findings::default()) };
        let mut findings = Findings { alerts: views.alerts(&AlertFilter::default())?, ..Findings::default() };
        for site in sites {
            for view in views.states(site)? {
                let state = State::ALL.into_iter().find(|s| s.name() == view.state);
                let unit = ((*site).to_owned(), view.point);
                findings.states.insert(unit, state.unwrap_or(State::Unknown));
            }
        }
        Ok(findings)
    }
}

/// Whether the contract of the demo is kept: an alert `treatment_off` was opened and cleared.
#[must_use]
pub fn told_its_story(findings: &Findings) -> bool {
    findings.alerts.iter().any(|alert| alert.rule == Rule::TreatmentOff && alert.cleared.is_some())
}
