//! What people do about alerts over the socket, and the trail of all that was done.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::context::{Context, Peer, Shared, ask};
use super::problem::Problem;
use super::told::Told;
use super::v1::deeds::{do_acknowledge, do_act};
use crate::alerts::alert::Alert;
use crate::model::deed::Act;
use crate::store::trail::{TrailEntry, TrailFilter};

/// Something that is done about an alert.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doing {
    /// What; without it the alert is acknowledged.
    #[serde(default)]
    pub act: Option<Act>,
    /// What is written down.
    pub note: String,
}

/// Which entries of the trail are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrailQuery {
    /// Of this site.
    pub site: Option<String>,
    /// About this: an alert, a point, a user.
    pub subject: Option<String>,
    /// At most so many, newest first.
    pub limit: Option<u32>,
}

impl TrailQuery {
    /// As the store is asked.
    #[must_use]
    pub fn filter(&self) -> TrailFilter {
        TrailFilter {
            site: self.site.clone(),
            subject: self.subject.clone(),
            before: None,
            limit: self.limit.unwrap_or(u32::MAX),
        }
    }
}

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new().route("/local/alerts/{id}/deeds", post(act)).route("/local/trail", get(trail))
}

async fn act(
    State(context): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
    Json(told): Json<Told<Doing>>,
) -> Result<Json<Alert>, Problem> {
    let caller = Caller::of_socket(peer, &told.who)?;
    // Here the begin of an id will do.
    let id = ask(&context, move |files| files.alert(&id)).await?.id;
    match told.what {
        Doing { act: None, note } => do_acknowledge(&context, &caller, &id, &note).await.map(Json),
        Doing { act: Some(act), note } => do_act(&context, &caller, &id, act, &note).await.map(Json),
    }
}

async fn trail(
    State(context): Shared,
    Query(query): Query<TrailQuery>,
) -> Result<Json<Vec<TrailEntry>>, Problem> {
    ask(&context, move |files| files.trail(&query.filter())).await.map(Json)
}
