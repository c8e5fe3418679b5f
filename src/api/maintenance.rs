//! Maintenance: filed, listed, withdrawn.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::context::{Context, Peer, Shared, ask, command};
use super::problem::Problem;
use crate::model::command::Command;
use crate::model::maintenance::Filing;
use crate::store::suppressing::Maintenance;

/// Of which site maintenance is wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaintenanceQuery {
    /// Of this site alone.
    pub site: Option<String>,
}

/// Who withdraws. The user id the kernel gives is put beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// Who says so.
    pub who: String,
}

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/local/maintenance", get(list).post(file))
        .route("/local/maintenance/{id}/withdraw", post(withdraw))
}

async fn list(
    State(context): Shared,
    Query(query): Query<MaintenanceQuery>,
) -> Result<Json<Vec<Maintenance>>, Problem> {
    ask(&context, move |files| files.maintenance(query.site.as_deref())).await.map(Json)
}

async fn file(
    State(context): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(mut filing): Json<Filing>,
) -> Result<Json<Maintenance>, Problem> {
    let checked = filing.clone();
    ask(&context, move |files| files.may_file(&checked)).await?;
    filing.who = peer.named(&filing.who);
    let offset = command(&context, &Command::FileMaintenance(filing)).await?;
    ask(&context, move |files| files.maintenance_by_id(&Maintenance::id_of(offset))).await.map(Json)
}

async fn withdraw(
    State(context): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
    Json(said): Json<Withdraw>,
) -> Result<Json<Maintenance>, Problem> {
    let asked = id.clone();
    let own = ask(&context, move |files| files.maintenance_by_id(&asked)).await?;
    if let Some((_, who)) = own.withdrawn {
        return Err(Problem::bad_request(format!("{id} was withdrawn already, by {who}")));
    }
    if own.filing.to <= context.clock.now() {
        return Err(Problem::bad_request(format!("{id} is over; there is nothing to withdraw")));
    }
    let who = peer.named(&said.who);
    command(&context, &Command::WithdrawMaintenance { id: id.clone(), who }).await?;
    ask(&context, move |files| files.maintenance_by_id(&id)).await.map(Json)
}
