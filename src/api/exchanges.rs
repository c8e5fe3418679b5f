//! Meters that were exchanged: told, and listed.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::answers::Files;
use super::context::{Context, Peer, Shared, ask, command};
use super::problem::Problem;
use crate::model::command::Command;
use crate::model::exchange::Exchange;
use crate::store::exchanges::{self, Exchanged};

/// Of which site exchanges are wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExchangesQuery {
    /// Of this site alone.
    pub site: Option<String>,
}

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new().route("/local/exchanges", get(list).post(tell))
}

impl Files {
    /// Meters that were exchanged, of one site or of all, the last that was told first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn exchanges(&self, site: Option<&str>) -> Result<Vec<Exchanged>, Problem> {
        exchanges::list(self.views().conn(), site).map_err(|error| Problem::internal(&error))
    }

    /// Whether there is such a meter, and a point that it measures.
    fn measures(&self, meter: &str) -> Result<(), Problem> {
        let registry = self.registry()?;
        let found = (0_u32..).zip(&registry.meters).find(|(_, own)| *own.id == *meter);
        let (index, _) = found.ok_or_else(|| Problem::not_found("meter", meter))?;
        if registry.sites.iter().flat_map(|site| &site.points).any(|point| point.meter == index) {
            return Ok(());
        }
        Err(Problem::bad_request(format!("{meter} measures no point: nothing is judged by it")))
    }
}

async fn list(
    State(context): Shared,
    Query(query): Query<ExchangesQuery>,
) -> Result<Json<Vec<Exchanged>>, Problem> {
    ask(&context, move |files| files.exchanges(query.site.as_deref())).await.map(Json)
}

async fn tell(
    State(context): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(mut told): Json<Exchange>,
) -> Result<Json<Exchanged>, Problem> {
    told.check(context.clock.now()).map_err(|error| Problem::bad_request(error.to_string()))?;
    let meter = told.meter.clone();
    ask(&context, move |files| files.measures(&meter)).await?;
    told.who = peer.named(&told.who).into();
    let meter = told.meter.clone();
    let offset = command(&context, &Command::ExchangeMeter(told)).await?;
    let kept = move |files: &Files| {
        let mut all = files.exchanges(None)?.into_iter();
        all.find(|own| own.offset == offset).ok_or_else(|| Problem::not_found("meter", &meter))
    };
    ask(&context, kept).await.map(Json)
}
