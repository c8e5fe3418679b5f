//! What the pages and programs ask of the files beside what the command line asks.

use super::answers::{Files, internal};
use super::board::news::News;
use super::problem::Problem;
use super::v1::readings::{Pieces, Series};
use crate::alerts::alert::Alert;
use crate::history::read::{self, Query};
use crate::model::quantity::{Channel, Phase, Quantity};
use crate::model::reading::{Head, Offset, power_of};
use crate::model::time::UtcMs;
use crate::store::alert_list::{self, AlertQuery};
use crate::store::overview;
use crate::store::trail::{self, TrailEntry, TrailFilter};
use crate::store::views::StateView;

/// What a meter said last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastRead {
    /// When it was measured.
    pub at: UtcMs,
    /// Its power, kW, where it said one.
    pub power_kw: Option<f64>,
}

const KILO: f64 = 1_000.0;

impl Files {
    /// The first alerts that fit, the newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn alert_list(&self, query: &AlertQuery, limit: usize) -> Result<Vec<Alert>, Problem> {
        alert_list::list(self.views().conn(), query, limit).map_err(internal)
    }

    /// An alert by its whole id.
    ///
    /// # Errors
    /// There is none, or the store cannot be read.
    pub fn alert_of_id(&self, id: &str) -> Result<Alert, Problem> {
        self.views().alert(id).map_err(internal)?.ok_or_else(|| Problem::not_found("alert", id))
    }

    /// The audit trail.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn trail(&self, filter: &TrailFilter) -> Result<Vec<TrailEntry>, Problem> {
        trail::list(self.views().conn(), filter).map_err(internal)
    }

    /// Changes of a unit's state in a span, the one in force at its begin first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn states(&self, site: &str, point: &str, span: (UtcMs, UtcMs)) -> Result<Vec<StateView>, Problem> {
        let mut all = self.views().state_changes(site, point).map_err(internal)?;
        all.retain(|change| change.since < span.1);
        let first = all.iter().rposition(|change| change.since <= span.0).unwrap_or_default();
        Ok(all.split_off(first))
    }

    /// A meter's power in kW, or another channel of it in its own unit, cut into pieces.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn series(
        &self,
        meter: &str,
        channel: Option<&str>,
        span: (UtcMs, UtcMs),
        width: u32,
    ) -> Result<Series, Problem> {
        let mut pieces = Pieces::new(span, width);
        let of = |phase| Channel::of(Quantity::ActivePower, phase);
        let powers = [Channel::POWER, of(Phase::L1), of(Phase::L2), of(Phase::L3)];
        let query =
            Query { only: channel.is_none().then_some(&powers[..]), ..Query::new(meter, span.0, span.1) };
        read::visit(self.views().conn(), &query, &mut |reading| {
            let value = match channel {
                None => power_of(reading.values).map(|w| w / KILO),
                Some(name) => reading.values.iter().find(|(c, _)| c.name() == name).map(|(_, v)| *v),
            };
            if let Some(value) = value {
                pieces.take(reading.time, value);
            }
        })
        .map_err(internal)?;
        Ok(pieces.finish())
    }

    /// What each meter said last.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn last_read(&self, meters: &[Box<str>]) -> Result<Vec<Option<LastRead>>, Problem> {
        let one = |meter: &str| {
            let last = read::last(self.views().conn(), meter).map_err(internal)?;
            let of = |head: &Head| LastRead {
                at: head.time,
                power_kw: power_of(last.values(head)).map(|w| w / KILO),
            };
            Ok(last.heads().first().map(of))
        };
        meters.iter().map(|meter| one(meter)).collect()
    }

    /// How many rejects are kept, by code.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn reject_counts(&self) -> Result<Vec<(String, u64)>, Problem> {
        self.views().reject_counts().map_err(internal)
    }

    /// What happened after a message, and up to which.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn news_after(&self, after: Offset) -> Result<(Vec<News>, Offset), Problem> {
        let conn = self.views().conn();
        let passed = self.views().cursor().map_err(internal)?;
        let alerts = overview::changed_after(conn, after).map_err(internal)?;
        let units = overview::units_after(conn, after).map_err(internal)?;
        let mut news: Vec<News> = alerts.iter().map(News::of_alert).collect();
        news.extend(units.iter().map(|unit| News::of_state(unit, passed)));
        Ok((news, passed))
    }
}
