//! What has just changed, for whoever listens: rendered once, however many listen.

use std::sync::Arc;

use serde::Serialize;

use crate::model::reading::Offset;
use crate::store::overview::{Brief, UnitNow};

/// News that wait for a slow listener, at most; one that is further behind is told to look at everything again.
pub const N_NEWS_MAX: usize = 4_096;

/// What kind of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An alert began, changed or ended.
    Alert,
    /// A unit changed its state.
    State,
    /// The configuration changed.
    Config,
}

impl Kind {
    /// The word for it in the stream.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Alert => "alert",
            Kind::State => "state",
            Kind::Config => "config",
        }
    }
}

/// One piece of news.
#[derive(Clone, Debug)]
pub struct News {
    /// What it is.
    pub kind: Kind,
    /// All that comes up to this message is told with it.
    pub offset: Offset,
    /// Of which site; of all where it is empty.
    pub site: Box<str>,
    /// JSON.
    pub body: Arc<str>,
}

#[derive(Serialize)]
struct AlertNews<'a> {
    id: &'a str,
    site: &'a str,
    rule: &'a str,
    subject: &'a str,
    level: &'a str,
    status: &'a str,
    first_ms: i64,
    raised_ms: i64,
    is_acknowledged: bool,
    is_suppressed: bool,
}

#[derive(Serialize)]
struct StateNews<'a> {
    site: &'a str,
    point: &'a str,
    state: &'a str,
    since_ms: i64,
}

fn body(of: &impl Serialize) -> Arc<str> {
    // Text and numbers alone: there is nothing in it that cannot be JSON.
    serde_json::to_string(of).unwrap_or_default().into()
}

impl News {
    /// Of an alert.
    #[must_use]
    pub fn of_alert(alert: &Brief) -> News {
        let status = match (alert.is_open, alert.is_retracted) {
            (true, _) => "open",
            (_, true) => "retracted",
            _ => "cleared",
        };
        let news = AlertNews {
            id: &alert.id,
            site: &alert.site,
            rule: alert.rule.name(),
            subject: &alert.subject,
            level: alert.level.name(),
            status,
            first_ms: alert.first.0,
            raised_ms: alert.raised.0,
            is_acknowledged: alert.is_acknowledged,
            is_suppressed: alert.is_suppressed,
        };
        News { kind: Kind::Alert, offset: alert.offset, site: alert.site.clone(), body: body(&news) }
    }

    /// Of a unit's state.
    #[must_use]
    pub fn of_state(unit: &UnitNow, offset: Offset) -> News {
        let news = StateNews {
            site: &unit.site,
            point: &unit.point,
            state: unit.state.name(),
            since_ms: unit.since.0,
        };
        News { kind: Kind::State, offset, site: unit.site.clone(), body: body(&news) }
    }

    /// Of the configuration.
    #[must_use]
    pub fn of_config(offset: Offset) -> News {
        News { kind: Kind::Config, offset, site: "".into(), body: "{}".into() }
    }
}
