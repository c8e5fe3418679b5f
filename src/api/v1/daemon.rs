//! How it stands: an overview, what could not be read, how the daemon is, and who did what.
#![expect(unused_qualifications, reason = "the macro that describes a route writes them")]

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::sites::{limit, plant, seen};
use super::take::{Json, Query};
use crate::accounts::role::{Act, Scope};
use crate::api::caller::Caller;
use crate::api::context::{Shared, ask};
use crate::api::problem::Problem;
use crate::model::reading::Offset;
use crate::model::rule::Level;
use crate::store::trail::{TrailEntry, TrailFilter};
use crate::store::views::RejectView;

const N_ROWS_MAX: usize = 1_000;
/// Rows of a page.
pub const N_ROWS: usize = 100;

/// How it stands.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Overview {
    /// How far the rules have judged, UTC ms.
    pub judged_ms: i64,
    /// Plants in sight.
    pub n_sites: usize,
    /// Plants with an open alert that somebody is told of.
    pub n_sites_with_alerts: usize,
    /// Open alerts that somebody is told of, by level: notice, warning, alarm, critical.
    pub n_open: [usize; 4],
    /// Points by state: running, idle, off, unknown.
    pub n_points: [usize; 4],
    /// Share of points whose state is known, 0 to 1; none where there is no point.
    pub coverage: Option<f64>,
}

/// How it stands, of what somebody sees.
#[must_use]
pub fn overview_of<'a>(
    now: crate::model::time::UtcMs,
    plants: impl Iterator<Item = &'a crate::api::board::plant::Plant>,
) -> Overview {
    let mut sum = Overview { judged_ms: now.0, ..Overview::default() };
    for plant in plants {
        sum.n_sites += 1;
        sum.n_sites_with_alerts += usize::from(plant.worst().is_some());
        for alert in plant.open().filter(|a| !a.is_suppressed) {
            let place = Level::ALL.iter().position(|l| *l == alert.level).unwrap_or_default();
            sum.n_open[place] += 1;
        }
        for (all, own) in sum.n_points.iter_mut().zip(plant.states()) {
            *all += own;
        }
    }
    let n: usize = sum.n_points.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "a share of some hundred thousand")]
    let share = (n > 0).then(|| (n - sum.n_points[3]) as f64 / n as f64);
    Overview { coverage: share, ..sum }
}

/// How it stands: counts, and how much is known.
#[utoipa::path(get, path = "/overview", tag = "overview",
    responses((status = 200, body = Overview), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn overview(State(context): Shared, caller: Caller) -> Result<Json<Overview>, Problem> {
    caller.must(Act::See)?;
    let board = std::sync::Arc::clone(&context.board.borrow());
    Ok(Json(overview_of(board.now, seen(&board, &caller))))
}

/// Which rejects are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RejectsQuery {
    /// Only of this reason.
    pub code: Option<String>,
    /// At most so many, 1 to 1000, the newest first; 100 if it is not said.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

/// Messages that could not be read, the newest first. They belong to no site, so they are for those who see all.
#[utoipa::path(get, path = "/rejects", tag = "daemon", params(RejectsQuery),
    responses((status = 200, body = Vec<RejectView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn rejects(
    State(context): Shared,
    caller: Caller,
    Query(query): Query<RejectsQuery>,
) -> Result<Json<Vec<RejectView>>, Problem> {
    sees_all(&caller)?;
    let n = u32::try_from(limit(query.limit, N_ROWS, N_ROWS_MAX)?).unwrap_or(u32::MAX);
    ask(&context, move |files| files.rejects(query.code.as_deref(), n)).await.map(Json)
}

/// Refuses whoever sees a part alone.
///
/// # Errors
/// They do.
pub fn sees_all(caller: &Caller) -> Result<(), Problem> {
    caller.must(Act::See)?;
    if caller.actor.scope == Scope::All { Ok(()) } else { Err(Problem::forbidden(caller.actor.role.name())) }
}

/// Whether the daemon keeps up.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Health {
    /// Whether the rules keep up with the clock.
    pub is_well: bool,
    /// How far they are behind it, ms.
    pub behind_ms: i64,
    /// Version of the program.
    pub version: &'static str,
}

/// Whether the daemon keeps up: for whoever looks whether it lives. Anybody may ask.
#[utoipa::path(get, path = "/health", tag = "daemon", security(()),
    responses((status = 200, body = Health), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn health(State(context): Shared) -> Json<Health> {
    let behind_ms = context.clock.now().since(context.sensors.progress.borrow().now);
    let is_well = behind_ms <= crate::api::telemetry::BEHIND_MS_MAX;
    Json(Health { is_well, behind_ms, version: env!("CARGO_PKG_VERSION") })
}

/// Which entries of the audit trail are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TrailQuery {
    /// Of this site.
    pub site: Option<String>,
    /// About this: an alert, a point, a user.
    pub subject: Option<String>,
    /// Only those before this message.
    #[param(minimum = 0)]
    pub before: Option<i64>,
    /// At most so many, 1 to 1000, the newest first; 100 if it is not said.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

fn before(offset: i64) -> Result<Offset, Problem> {
    Offset::try_from(offset).map_err(|_| Problem::bad_request("before is the number of a message".into()))
}

/// The audit trail: who did what, from where, the newest first.
#[utoipa::path(get, path = "/trail", tag = "daemon", params(TrailQuery),
    responses((status = 200, body = Vec<TrailEntry>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn trail(
    State(context): Shared,
    caller: Caller,
    Query(query): Query<TrailQuery>,
) -> Result<Json<Vec<TrailEntry>>, Problem> {
    caller.must(Act::Audit)?;
    match &query.site {
        Some(site) => drop(plant(&context, &caller, site)?),
        // What belongs to no site is in it too.
        None => sees_all(&caller)?,
    }
    let n = u32::try_from(limit(query.limit, N_ROWS, N_ROWS_MAX)?).unwrap_or(u32::MAX);
    let filter = TrailFilter {
        site: query.site,
        subject: query.subject,
        before: query.before.map(before).transpose()?,
        limit: n,
    };
    ask(&context, move |files| files.trail(&filter)).await.map(Json)
}
