//! Follows the store: whole at the begin and after a change of the configuration, else only what has changed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::news::News;
use super::plant::{Board, N_HOURS, Plant, Unit};
use crate::engine::book::Page;
use crate::engine::run::Progress;
use crate::model::reading::Offset;
use crate::model::time::{HOUR_MS, UtcMs};
use crate::outbox::lent::blocking;
use crate::store::error::StoreError;
use crate::store::schema::{OpenError, STORE_FILE};
use crate::store::views::Views;
use crate::store::{learned, overview};

/// Not more often than this, however fast messages come.
const EVERY: Duration = Duration::from_millis(400);

/// Why the board cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The store does not open.
    #[error("the store cannot be opened to follow it")]
    Open(#[source] OpenError),
    /// The store cannot be read.
    #[error("the store cannot be followed")]
    Read(#[source] StoreError),
    /// What was learned of a site cannot be read.
    #[error("what was learned of the site {site} cannot be read")]
    Page {
        /// Its id.
        site: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Who reads the store for the board.
#[derive(Debug)]
pub struct Follower {
    views: Views,
    board: Board,
    /// The messages by which configuration and what was learned came.
    configured_by: (Offset, Offset),
}

impl Follower {
    /// Opens the store of a data folder.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(data_dir: &std::path::Path) -> Result<Follower, FollowError> {
        let views = Views::open(&data_dir.join(STORE_FILE)).map_err(FollowError::Open)?;
        Ok(Follower { views, board: Board::empty(), configured_by: (0, 0) })
    }

    /// The board as it is.
    #[must_use]
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Brings the board up to date, and tells what is new. `now` is how far the engine has come.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn follow(&mut self, now: UtcMs) -> Result<Vec<News>, FollowError> {
        let conn = self.views.conn();
        // One moment of the store: what is read later belongs to what was read first.
        let _moment = conn
            .unchecked_transaction()
            .map_err(|source| FollowError::Read(StoreError::Sql { operation: "begin to read", source }))?;
        let passed = self.views.cursor().map_err(FollowError::Read)?;
        let before = self.board.passed;
        let configured_by = overview::configured_by(conn).map_err(FollowError::Read)?;
        (self.board.passed, self.board.now) = (passed, now);
        let mut news = Vec::new();
        if configured_by.0 != self.configured_by.0 {
            self.board = whole(&self.views, Board { passed, now, ..Board::empty() })?;
            news.push(News::of_config(passed));
        } else {
            news.extend(changed(&self.views, &mut self.board, before)?);
            if configured_by.1 != self.configured_by.1 {
                lay_over(&self.views, &mut self.board, self.configured_by.1)?;
            }
        }
        self.configured_by = configured_by;
        Ok(news)
    }
}

/// Since when alerts that ended are kept.
fn since(now: UtcMs) -> UtcMs {
    now.plus(-i64::try_from(N_HOURS).unwrap_or(i64::MAX) * HOUR_MS)
}

fn whole(views: &Views, mut board: Board) -> Result<Board, FollowError> {
    let conn = views.conn();
    let registry = views.registry().map_err(FollowError::Read)?.map(|stored| stored.registry);
    let registry = registry.unwrap_or_default();
    let places = (0_u32..).zip(&registry.sites).map(|(i, s)| (s.id.clone(), i)).collect();
    board.places = Arc::new(places);
    board.plants = registry.sites.into_iter().map(|s| Arc::new(Plant::new(s, &registry.meters))).collect();
    board.profiles = Arc::new(registry.profiles);
    lay_over(views, &mut board, 0)?;
    for unit in overview::all_units(conn).map_err(FollowError::Read)? {
        set_unit(&mut board, &unit);
    }
    let open = overview::open(conn).map_err(FollowError::Read)?;
    let ended = overview::ended_since(conn, since(board.now)).map_err(FollowError::Read)?;
    let since = since(board.now);
    for brief in open.into_iter().chain(ended) {
        if let Some(plant) = board.plant_mut(&brief.site) {
            plant.note(brief, since);
        }
    }
    Ok(board)
}

fn set_unit(board: &mut Board, unit: &overview::UnitNow) {
    let Some(plant) = board.plant_mut(&unit.site) else { return };
    let place = plant.site.points.iter().position(|p| p.id == unit.point);
    if let Some(own) = place.and_then(|i| plant.units.get_mut(i)) {
        *own = Unit { state: unit.state, since: Some(unit.since) };
    }
}

fn changed(views: &Views, board: &mut Board, before: Offset) -> Result<Vec<News>, FollowError> {
    let mut news = Vec::new();
    if board.passed == before {
        return Ok(news);
    }
    let since = since(board.now);
    for brief in overview::changed_after(views.conn(), before).map_err(FollowError::Read)? {
        news.push(News::of_alert(&brief));
        if let Some(plant) = board.plant_mut(&brief.site) {
            plant.note(brief, since);
        }
    }
    // After the alerts: whoever breaks off between them and goes on from the last it heard misses nothing.
    for unit in overview::units_after(views.conn(), before).map_err(FollowError::Read)? {
        news.push(News::of_state(&unit, board.passed));
        set_unit(board, &unit);
    }
    Ok(news)
}

fn lay_over(views: &Views, board: &mut Board, after: Offset) -> Result<(), FollowError> {
    for (site, body) in learned::pages_after(views.conn(), after).map_err(FollowError::Read)? {
        let mut page: Page =
            serde_json::from_str(&body).map_err(|source| FollowError::Page { site: site.clone(), source })?;
        if let Some(plant) = board.plant_mut(&site) {
            page.lay_over(&mut plant.site);
        }
    }
    Ok(())
}

/// Keeps the board until `stop`.
///
/// # Errors
/// The store can no longer be read.
pub async fn run(
    data_dir: PathBuf,
    mut progress: watch::Receiver<Progress>,
    board: watch::Sender<Arc<Board>>,
    news: broadcast::Sender<News>,
    stop: CancellationToken,
) -> Result<(), FollowError> {
    let mut follower = blocking(move || Follower::open(&data_dir)).await?;
    loop {
        let now = progress.borrow_and_update().now;
        let (back, outcome) = blocking(move || {
            let outcome = follower.follow(now);
            (follower, outcome)
        })
        .await;
        follower = back;
        let fresh = outcome?;
        // Whoever is told looks at a board that has it.
        board.send_replace(Arc::new(follower.board()));
        for one in fresh {
            // Nobody listens: nobody is to be told.
            let _ = news.send(one);
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            changed = progress.changed() => if changed.is_err() { return Ok(()) },
        }
    }
}

/// An empty board for a daemon that has none to serve.
#[must_use]
pub fn channel() -> (watch::Sender<Arc<Board>>, watch::Receiver<Arc<Board>>) {
    watch::channel(Arc::new(Board::empty()))
}
