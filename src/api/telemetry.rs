//! What the daemon says of itself over TCP: `/metrics` for Prometheus and `/health` for whoever looks whether it lives. It
//! is off until an address is configured, and tells nothing of what meters measure.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::answers::Files;
use super::context::{Context, Shared, ask};
use super::metrics;
use super::problem::Problem;

/// The rules may be behind the clock by so much, ms: a tick and what is judged in it, with room for a slow disk.
pub const BEHIND_MS_MAX: i64 = 30_000;

/// Why it cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Nobody can listen there.
    #[error("cannot listen on telemetry.listen = {listen}")]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Serving failed.
    #[error("telemetry can no longer be served")]
    Serve(#[source] std::io::Error),
}

/// Listens.
///
/// # Errors
/// The address is taken, or is not of this machine.
pub async fn bind(listen: SocketAddr) -> Result<TcpListener, TelemetryError> {
    TcpListener::bind(listen).await.map_err(|source| TelemetryError::Bind { listen, source })
}

/// Serves until `stop`.
///
/// # Errors
/// The listener fails.
pub async fn run(
    listener: TcpListener,
    context: Arc<Context>,
    stop: CancellationToken,
) -> Result<(), TelemetryError> {
    let router = router().with_state(context);
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    served.map_err(TelemetryError::Serve)
}

/// The two answers.
pub fn router() -> Router<Arc<Context>> {
    Router::new().route("/metrics", get(figures)).route("/health", get(health))
}

async fn figures(State(context): Shared) -> Result<Response, Problem> {
    let files = ask(&context, Files::status).await?;
    let status = context.sensors.over(files);
    let text =
        metrics::text(&status, context.journal.written()).map_err(|error| Problem::internal(&error))?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

/// 200 while the rules keep up with the clock, else 503; either way in a sentence.
async fn health(State(context): Shared) -> (StatusCode, String) {
    let behind_ms = context.clock.now().since(context.sensors.progress.borrow().now);
    if behind_ms <= BEHIND_MS_MAX {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        let behind_s = behind_ms / 1_000;
        (StatusCode::SERVICE_UNAVAILABLE, format!("the rules are {behind_s} s behind the clock\n"))
    }
}
