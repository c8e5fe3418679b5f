//! The daily job: what history teaches of every site, as proposals in the journal.
//!
//! It reads the files as any other reader, a site at a time, and rests between sites for several times as long as one took:
//! what is judged live goes first. What was proposed before and has not changed is not proposed again.

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::answers::Files;
use crate::api::problem::Problem;
use crate::config::settings::Learning;
use crate::journal::{AppendError, Journal};
use crate::model::command::Command;
use crate::model::message::{Delivery, Kind, Message};
use crate::model::proposal::Proposal;
use crate::model::time::{Clock, MINUTE_MS, UtcMs};

/// Between two looks at the clock: it may be set meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// After a site it rests for so many times as long as the site took.
const REST: u32 = 4;

/// The next moment after `now` at which it is `at_ms` after midnight in `zone`.
#[must_use]
pub fn next(now: UtcMs, at_ms: i64, zone: &TimeZone) -> UtcMs {
    let tomorrow = now.plus(24 * 60 * MINUTE_MS);
    let Ok(moment) = Timestamp::from_millisecond(now.0) else { return tomorrow };
    let today = moment.to_zoned_datetime(zone.clone()).date();
    let of_day = |days: i64| {
        let day = today.checked_add(days.days()).ok()?;
        let civil = day.at(0, 0, 0, 0).checked_add(SignedDuration::from_millis(at_ms)).ok()?;
        Some(UtcMs(civil.to_zoned_datetime(zone.clone()).ok()?.timestamp().as_millisecond()))
    };
    [0, 1].into_iter().filter_map(of_day).find(|at| *at > now).unwrap_or(tomorrow)
}

/// Learns once a day until `stop`. A site that cannot be learned of is told in the log, and tried again the next day.
///
/// # Errors
/// The journal is closed or broken.
pub async fn run(
    settings: Learning,
    folder: PathBuf,
    clock: Clock,
    journal: Journal,
    stop: CancellationToken,
) -> Result<(), AppendError> {
    let zone = TimeZone::system();
    let mut due = next(clock.now(), settings.at_ms, &zone);
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return Ok(()),
        }
        if clock.now() < due {
            continue;
        }
        due = next(clock.now(), settings.at_ms, &zone);
        tokio::select! {
            learned = all_sites(settings, &folder, &clock, &journal) => learned?,
            () = stop.cancelled() => return Ok(()),
        }
    }
}

async fn all_sites(
    settings: Learning,
    folder: &std::path::Path,
    clock: &Clock,
    journal: &Journal,
) -> Result<(), AppendError> {
    let window_ms = i64::try_from(settings.window.as_millis()).unwrap_or(i64::MAX);
    let to = clock.now();
    let span = (to.plus(-window_ms), to);
    let ids = read(folder, |files| Ok(files.sites()?.into_iter().map(|s| s.id).collect::<Vec<_>>())).await;
    let ids = ids.unwrap_or_else(|problem| {
        tracing::warn!(%problem, "The sites cannot be listed; nothing is learned today.");
        Vec::new()
    });
    let (n_sites, mut n_news) = (ids.len(), 0);
    for id in ids {
        let begun = Instant::now();
        let site = id.clone();
        match read(folder, move |files| files.news(&site, span)).await {
            Ok(Some(news)) => {
                propose(news, clock, journal).await?;
                n_news += 1;
            }
            Ok(None) => {}
            Err(problem) => tracing::warn!(site = id, %problem, "Nothing was learned of this site."),
        }
        tokio::time::sleep(begun.elapsed() * REST).await;
    }
    tracing::info!(n_sites, n_news, "Learned from history.");
    Ok(())
}

async fn read<T: Send + 'static>(
    folder: &std::path::Path,
    question: impl FnOnce(&Files) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let folder = folder.to_owned();
    let answer = tokio::task::spawn_blocking(move || question(&Files::open(&folder)?)).await;
    answer.map_err(|error| Problem::internal(&error))?
}

async fn propose(news: Proposal, clock: &Clock, journal: &Journal) -> Result<(), AppendError> {
    let payload = serde_json::to_vec(&Command::Propose(news)).unwrap_or_default();
    journal.room().await;
    let message = Message {
        kind: Kind::Command,
        delivery: Delivery::PLAIN,
        received: clock.now(),
        source: "learning",
        topic: "",
        payload: &payload,
    };
    match journal.append(&message) {
        // Tomorrow it is still news.
        Ok(_) | Err(AppendError::Full { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_once_a_day_at_its_time() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let now = UtcMs(1_661_789_400_000); // 2022-08-30 00:10 in Shanghai
        let at = 3 * 3_600_000;
        let first = next(now, at, &zone);
        assert_eq!(first.local(&zone), "2022-08-30 03:00:00");
        assert_eq!(next(first, at, &zone).local(&zone), "2022-08-31 03:00:00");
        assert_eq!(next(first.plus(-1), at, &zone), first);
    }

    #[tokio::test]
    async fn without_sites_it_learns_nothing_and_stops_when_told() {
        use crate::journal::writer::Retention;
        let folder = tempfile::tempdir().unwrap();
        let manual = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(1_661_789_400_000));
        let clock = Clock::Manual(std::sync::Arc::clone(&manual));
        let store = crate::store::write::Store::open(&folder.path().join(crate::store::schema::STORE_FILE));
        drop(store.unwrap());
        let keep = Retention { max_age_days: 10_000, max_bytes: 1 << 40 };
        let (journal, thread) = Journal::open(folder.path(), keep, clock.clone()).unwrap();
        let settings = Learning { on: true, at_ms: 0, window: Duration::from_secs(28 * 86_400) };
        // A store without sites: it goes through, and stops when it is told to.
        all_sites(settings, folder.path(), &clock, &journal).await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        run(settings, folder.path().to_owned(), clock, journal, stop).await.unwrap();
        thread.finish().unwrap();
    }
}
