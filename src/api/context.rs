//! What the server's handlers share: how they read the files, and how they put a command into the journal.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;
use tokio::net::unix::UCred;
use tokio::sync::{broadcast, watch};

use super::answers::Files;
use super::board::news::News;
use super::board::plant::Board;
use super::problem::Problem;
use super::status::Sensors;
use crate::accounts::accounts::Accounts;
use crate::accounts::error::AccountsError;
use crate::journal::Journal;
use crate::model::command::Command;
use crate::model::message::{Delivery, Kind, Message};
use crate::model::reading::Offset;
use crate::model::time::Clock;
use crate::model::time::UtcMs;

/// How long a command waits for the engine to pass it.
const COMMAND_WAIT: Duration = Duration::from_secs(15);

/// What the handlers need.
#[derive(Debug)]
pub struct Context {
    /// Where journal and store lie.
    pub data_dir: PathBuf,
    /// The one door in.
    pub journal: Journal,
    /// When a command was received.
    pub clock: Clock,
    /// The living parts.
    pub sensors: Sensors,
    /// How far back is looked for learning.
    pub window: Duration,
    /// Who may do what over the network, where anything is served there.
    pub accounts: Option<Accounts>,
    /// What is going on, where anything is served over the network.
    pub board: watch::Receiver<Arc<Board>>,
    /// What has just changed.
    pub news: broadcast::Sender<News>,
    /// Whether a proxy before us says truly who asks.
    pub behind_proxy: bool,
    /// Whether browsers come by TLS, to us or to the proxy before us.
    pub is_secure: bool,
}

/// The context as a handler gets it.
pub type Shared = State<Arc<Context>>;

/// Who is on the other end, as the kernel says.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub Option<UCred>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Peer {
        Peer(stream.io().peer_cred().ok())
    }
}

impl Peer {
    /// The name somebody gives, with the user id the kernel gives beside it.
    #[must_use]
    pub fn named(self, who: &str) -> String {
        match self.0 {
            Some(peer) => format!("{who} (uid {})", peer.uid()),
            None => who.to_owned(),
        }
    }
}

/// Reads the files off the runtime's threads: SQLite blocks.
///
/// # Errors
/// The question cannot be answered.
pub async fn ask<T: Send + 'static>(
    context: &Context,
    question: impl FnOnce(&Files) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let folder = context.data_dir.clone();
    let answer = tokio::task::spawn_blocking(move || question(&Files::open(&folder)?)).await;
    answer.map_err(|error| Problem::internal(&error))?
}

/// Asks the accounts, off the runtime's threads: a password takes a while to be checked.
///
/// # Errors
/// There are none, or what is asked is refused.
pub async fn with_accounts<T: Send + 'static>(
    context: &Context,
    question: impl FnOnce(&Accounts, UtcMs) -> Result<T, AccountsError> + Send + 'static,
) -> Result<T, Problem> {
    let Some(accounts) = context.accounts.clone() else { return Err(Problem::no_accounts()) };
    let now = context.clock.now();
    let answer = tokio::task::spawn_blocking(move || question(&accounts, now)).await;
    answer.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::of_accounts(&error))
}

/// Journals a command that came over the socket and waits until the engine has passed it; the message it became.
///
/// # Errors
/// The journal does not take it, or the engine does not come to it in time.
pub async fn command(context: &Context, command: &Command) -> Result<Offset, Problem> {
    command_from(context, command, "").await
}

/// The same of one that came from that address.
///
/// # Errors
/// As [`command`].
pub async fn command_from(context: &Context, command: &Command, origin: &str) -> Result<Offset, Problem> {
    let payload = serde_json::to_vec(command).map_err(|error| Problem::internal(&error))?;
    let message = Message {
        kind: Kind::Command,
        delivery: Delivery::PLAIN,
        received: context.clock.now(),
        source: if origin.is_empty() { "socket" } else { "web" },
        topic: origin,
        payload: &payload,
    };
    let appended = context.journal.append_durable(&message).await;
    let offset = appended.map_err(|error| Problem::unavailable(error.to_string()))?;
    let mut progress = context.sensors.progress.clone();
    let passed = progress.wait_for(|p| p.passed >= offset);
    match tokio::time::timeout(COMMAND_WAIT, passed).await {
        Ok(Ok(_)) => Ok(offset),
        Ok(Err(_)) => {
            Err(Problem::unavailable(format!("message {offset} is kept, but the engine has stopped")))
        }
        Err(_) => Err(Problem::unavailable(format!(
            "message {offset} is kept and will count; the engine has not reached it within {} s",
            COMMAND_WAIT.as_secs()
        ))),
    }
}
