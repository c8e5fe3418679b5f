//! What is in a picture: plain data.

use jiff::tz::TimeZone;

use super::curve::Curve;
use crate::alerts::compare::Span;
use crate::model::rule::{Level, Rule};
use crate::model::site::PointKind;
use crate::model::state::State;
use crate::model::time::UtcMs;

/// A process over a span of time.
#[derive(Clone, Debug)]
pub struct Scene {
    /// What the picture is of, as people call it.
    pub title: String,
    /// Site and process ids.
    pub process: String,
    /// The span it shows.
    pub span: Span,
    /// The zone its times are told in.
    pub zone: TimeZone,
    /// IANA name of that zone.
    pub zone_name: String,
    /// The units, from top to bottom.
    pub rows: Vec<Row>,
    /// Alerts, by begin.
    pub alerts: Vec<Interval>,
}

/// One unit.
#[derive(Clone, Debug)]
pub struct Row {
    /// As people call it.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Production or treatment.
    pub kind: PointKind,
    /// Running from here up, kW.
    pub running_above_kw: f64,
    /// No longer running from here down, kW.
    pub running_below_kw: f64,
    /// Its power, kW.
    pub curve: Curve,
    /// What it did, each from that moment on.
    pub states: Vec<(UtcMs, State)>,
}

/// An alert over some rows.
#[derive(Clone, Debug)]
pub struct Interval {
    /// First certain moment.
    pub from: UtcMs,
    /// Last certain moment; `None` while it is open.
    pub to: Option<UtcMs>,
    /// Rule.
    pub rule: Rule,
    /// Level.
    pub level: Level,
    /// What it is about.
    pub subject: String,
    /// The rows it is about, by index; none where it is about all of them.
    pub rows: Vec<usize>,
}
