//! The daemon's API over its Unix socket.

use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Path as InPath, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::answers::{Files, ReadingRow, SiteAnswer, SiteRow};
use super::context::{Context, Peer, Shared, ask};
use super::deeds;
use super::exchanges;
use super::judging;
use super::maintenance;
use super::people;
use super::problem::Problem;
use super::status::Status;
use super::telemetry;
use crate::alerts::alert::Alert;
use crate::model::time::UtcMs;
use crate::store::queue::BadLine;
use crate::store::views::{AlertFilter, RejectView};

/// Owner and group may talk to the daemon, nobody else.
const SOCKET_MODE: u32 = 0o660;

/// Owner and group may enter the socket's folder.
const FOLDER_MODE: u32 = 0o750;

/// Why the socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A daemon already listens there.
    #[error("another daemon already listens on {path}")]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Something else lies there; it may be dear to somebody.
    #[error("{path} is there already and is no socket; name another path for the socket")]
    NoSocket {
        /// The path.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("cannot listen on the socket {path}")]
    Bind {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Serving failed.
    #[error("the socket {path} can no longer be served")]
    Serve {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A bound socket; its file goes when this goes.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds `path`; a file left by a daemon that is gone is replaced.
    ///
    /// # Errors
    /// A living daemon has it, or it cannot be made.
    pub fn bind(path: &Path) -> Result<Socket, ServeError> {
        let at = |source| ServeError::Bind { path: path.to_owned(), source };
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(ServeError::InUse { path: path.to_owned() });
        }
        if let Some(folder) = path.parent() {
            // Between bind and chmod the mode is what the umask leaves of it: the folder keeps others out.
            std::fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(at)?;
        }
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path).map_err(at)?,
            Ok(_) => return Err(ServeError::NoSocket { path: path.to_owned() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(error)),
        }
        let listener = UnixListener::bind(path).map_err(at)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE)).map_err(at)?;
        Ok(Socket { listener, path: path.to_owned() })
    }
}

/// Serves until `stop`.
///
/// # Errors
/// The socket fails.
pub async fn run(socket: Socket, context: Arc<Context>, stop: CancellationToken) -> Result<(), ServeError> {
    let Socket { listener, path } = socket;
    let router = router(context).into_make_service_with_connect_info::<Peer>();
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    // Only tidiness: a file left behind is replaced at the next start.
    let _ = std::fs::remove_file(&path);
    served.map_err(|source| ServeError::Serve { path, source })
}

fn router(context: Arc<Context>) -> Router {
    Router::new()
        .route("/local/status", get(status))
        .route("/local/sites", get(sites))
        .route("/local/sites/{id}", get(site))
        .route("/local/alerts", get(alerts))
        .route("/local/alerts/{id}", get(alert))
        .route("/local/readings", get(readings))
        .route("/local/rejects", get(rejects))
        .route("/local/sinks/{sink}/bad", get(bad_lines))
        .merge(deeds::routes())
        .merge(people::routes())
        .merge(maintenance::routes())
        .merge(exchanges::routes())
        .merge(judging::router())
        .merge(telemetry::router())
        .with_state(context)
}

async fn status(State(context): Shared) -> Result<Json<Status>, Problem> {
    let files = ask(&context, Files::status).await?;
    Ok(Json(context.sensors.over(files)))
}

async fn sites(State(context): Shared) -> Result<Json<Vec<SiteRow>>, Problem> {
    ask(&context, Files::sites).await.map(Json)
}

async fn site(State(context): Shared, InPath(id): InPath<String>) -> Result<Json<SiteAnswer>, Problem> {
    ask(&context, move |files| files.site(&id)).await.map(Json)
}

async fn alerts(
    State(context): Shared,
    Query(filter): Query<AlertFilter>,
) -> Result<Json<Vec<Alert>>, Problem> {
    ask(&context, move |files| files.alerts(&filter)).await.map(Json)
}

async fn alert(State(context): Shared, InPath(id): InPath<String>) -> Result<Json<Alert>, Problem> {
    ask(&context, move |files| files.alert(&id)).await.map(Json)
}

/// Which readings are wanted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingsQuery {
    /// Meter id, `site/meter`.
    pub meter: String,
    /// From, UTC ms.
    pub from: UtcMs,
    /// Up to, not with, UTC ms.
    pub to: UtcMs,
}

async fn readings(
    State(context): Shared,
    Query(query): Query<ReadingsQuery>,
) -> Result<Json<Vec<ReadingRow>>, Problem> {
    ask(&context, move |files| files.readings(&query.meter, query.from, query.to)).await.map(Json)
}

/// Which rejects are wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RejectsQuery {
    /// Only of this reason.
    pub code: Option<String>,
    /// At most so many, newest first.
    pub limit: Option<u32>,
}

async fn rejects(
    State(context): Shared,
    Query(query): Query<RejectsQuery>,
) -> Result<Json<Vec<RejectView>>, Problem> {
    let limit = query.limit.unwrap_or(u32::MAX);
    ask(&context, move |files| files.rejects(query.code.as_deref(), limit)).await.map(Json)
}

async fn bad_lines(
    State(context): Shared,
    InPath(sink): InPath<String>,
    Query(query): Query<RejectsQuery>,
) -> Result<Json<Vec<BadLine>>, Problem> {
    let limit = query.limit.unwrap_or(u32::MAX);
    ask(&context, move |files| files.bad_lines(&sink, limit)).await.map(Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_for_owner_and_group_and_replaces_nothing_but_a_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/api.sock");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let socket = Socket::bind(&path).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap()) & 0o027), (SOCKET_MODE, 0));
        assert!(matches!(Socket::bind(&path), Err(ServeError::InUse { .. })));
        drop(socket);
        Socket::bind(&path).expect("what a daemon left that is gone is replaced");

        let other = folder.path().join("notes.txt");
        std::fs::write(&other, "do not lose").unwrap();
        assert!(matches!(Socket::bind(&other), Err(ServeError::NoSocket { .. })));
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "do not lose");
    }
}
