//! What others see of the daemon: the socket, the page and the API, what Prometheus asks.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};

use super::build::DaemonError;
use super::tasks::Tasks;
use crate::accounts::accounts::Accounts;
use crate::api::board::follow;
use crate::api::board::news::N_NEWS_MAX;
use crate::api::context::Context;
use crate::api::serve::{self, Listener, WebError};
use crate::api::server::{self, Socket};
use crate::api::status::Sensors;
use crate::api::telemetry;
use crate::config::Config;
use crate::engine::run::Progress;
use crate::journal::Journal;
use crate::model::time::Clock;
use crate::web::routes;

/// What is bound already.
pub(super) struct Doors {
    pub(super) socket: Socket,
    pub(super) telemetry: Option<TcpListener>,
    pub(super) web: Option<(Listener, Accounts)>,
}

/// What is behind them.
pub(super) struct House<'a> {
    pub(super) config: &'a Config,
    pub(super) clock: Clock,
    pub(super) journal: &'a Journal,
    pub(super) sensors: Sensors,
    pub(super) progress: watch::Receiver<Progress>,
}

/// Opens the doors.
///
/// # Errors
/// The accounts cannot be read.
pub(super) fn open(doors: Doors, house: House<'_>, tasks: &mut Tasks) -> Result<(), DaemonError> {
    let Doors { socket, telemetry: own_telemetry, web } = doors;
    let House { config, clock, journal, sensors, progress } = house;
    let (board_tx, board) = follow::channel();
    let (news, _) = broadcast::channel(N_NEWS_MAX);
    let data_dir = config.daemon.data_dir.clone();
    let context = Arc::new(Context {
        data_dir: data_dir.clone(),
        journal: journal.clone(),
        clock,
        sensors,
        window: config.learning.window,
        accounts: web.as_ref().map(|(_, accounts)| accounts.clone()),
        board,
        news: news.clone(),
        behind_proxy: config.web.as_ref().is_some_and(|web| web.behind_proxy),
        is_secure: config.web.as_ref().is_some_and(|web| web.behind_proxy || web.tls.is_some()),
    });
    if let Some((listener, accounts)) = web {
        let stop = tasks.stop();
        tasks.spawn("board", follow::run(data_dir, progress, board_tx, news, stop.clone()));
        say_where(&listener, &accounts, &context)?;
        let router = routes::router(Arc::clone(&context));
        tasks.spawn("web", async move {
            serve::run(listener, router, stop).await;
            Ok::<(), WebError>(())
        });
    }
    tasks.spawn("api", server::run(socket, Arc::clone(&context), tasks.stop()));
    if let Some(listener) = own_telemetry {
        tasks.spawn("telemetry", telemetry::run(listener, context, tasks.stop()));
    }
    Ok(())
}

/// Says where the page is, and how to get in where nobody can yet.
fn say_where(listener: &Listener, accounts: &Accounts, context: &Context) -> Result<(), DaemonError> {
    let address = listener.address();
    match accounts.set_up_code(context.clock.now()).map_err(DaemonError::Accounts)? {
        Some(code) => tracing::warn!(
            ?address,
            code,
            "Nobody can log in yet: open /setup and use this code once to make the first administrator."
        ),
        None => tracing::info!(?address, "The page is served."),
    }
    Ok(())
}
