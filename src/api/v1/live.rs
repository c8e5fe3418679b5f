//! What happens, as it happens: server-sent events, taken up again after a break where they broke off.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_core::Stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::accounts::role::{Act, Actor};
use crate::api::board::news::News;
use crate::api::caller::Caller;
use crate::api::context::{Context, Shared, ask};
use crate::api::problem::Problem;
use crate::model::reading::Offset;

/// Something is sent at least so often: a proxy that closes silent connections leaves this one alone.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// What happened during a break is told one by one up to so much; beyond, the listener is told to look again.
const N_MISSED_MAX: usize = 2_000;

/// Where a listener's way stands.
struct Listener {
    context: Arc<Context>,
    actor: Actor,
    news: Receiver<News>,
    /// What is still to be told from before.
    missed: std::vec::IntoIter<News>,
}

impl Listener {
    fn sees(&self, news: &News) -> bool {
        if news.site.is_empty() {
            return true;
        }
        let board = self.context.board.borrow();
        let region = board.plant(&news.site).map(|plant| &*plant.site.region);
        self.actor.sees(&news.site, region.unwrap_or_default())
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            let news = match self.missed.next() {
                Some(news) => news,
                None => match self.news.recv().await {
                    Ok(news) => news,
                    // Too slow for what came: everything is to be looked at again.
                    Err(RecvError::Lagged(_)) => News::of_config(self.context.board.borrow().passed),
                    Err(RecvError::Closed) => return None,
                },
            };
            if self.sees(&news) {
                return Some(event(&news));
            }
        }
    }
}

fn event(news: &News) -> Event {
    Event::default().event(news.kind.name()).id(news.offset.to_string()).data(&*news.body)
}

async fn missed(context: &Context, after: Offset) -> Result<Vec<News>, Problem> {
    let (news, passed) = ask(context, move |files| files.news_after(after)).await?;
    Ok(if news.len() > N_MISSED_MAX { vec![News::of_config(passed)] } else { news })
}

/// What happens, as server-sent events: `alert` and `state` with a JSON body, `config` when everything is to be looked at
/// again. The id of an event is the last message it comes from; whoever comes back with it in `Last-Event-ID` is told what
/// happened in between.
#[utoipa::path(get, path = "/stream", tag = "overview",
    params(("Last-Event-ID" = Option<u64>, Header, description = "id of the last event that was heard")),
    responses((status = 200, content_type = "text/event-stream", body = String),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn stream(
    State(context): Shared,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    caller.must(Act::See)?;
    // Subscribed before the store is asked: what comes meanwhile may be told twice, and is not missed.
    let news = context.news.subscribe();
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()?.parse::<i64>().ok());
    let missed = match last.and_then(|l| Offset::try_from(l).ok()) {
        Some(last) => missed(&context, last).await?,
        None => Vec::new(),
    };
    let listener = Listener { context, actor: caller.actor, news, missed: missed.into_iter() };
    let events = futures_util::stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}
