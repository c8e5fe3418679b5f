//! Requests about what a site is judged by: see it, learn, confirm, refuse, record a commissioning test.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Path as InPath, State};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::context::{Context, Peer, Shared, ask, command};
use super::judged_by::{DecisionRow, JudgedBy};
use super::lesson::{Trial, Tried};
use super::problem::Problem;
use crate::model::command::{Command, Said};
use crate::model::time::UtcMs;

/// What a person says of points.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Point ids; empty for all for which there is something to say.
    pub points: Vec<String>,
    /// Who says so. The user id the kernel gives is put beside it.
    pub who: String,
    /// Why.
    pub note: String,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// What was decided now; empty where there was nothing to decide, or no news.
    pub decided: Vec<DecisionRow>,
    /// What holds now.
    pub judged_by: JudgedBy,
}

/// What came of a test, and of recording it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Commissioned {
    /// What it proves, or why nothing.
    pub tried: Tried,
    /// What was decided, where it was recorded.
    pub decided: Vec<DecisionRow>,
}

/// The routes.
pub fn router() -> Router<Arc<Context>> {
    Router::new()
        .route("/local/sites/{id}/thresholds", get(thresholds))
        .route("/local/sites/{id}/thresholds/learn", post(learn))
        .route("/local/sites/{id}/thresholds/confirm", spoken(Command::Confirm))
        .route("/local/sites/{id}/thresholds/reject", spoken(Command::Reject))
        .route("/local/sites/{id}/commission", post(commission))
}

async fn thresholds(State(context): Shared, InPath(id): InPath<String>) -> Result<Json<JudgedBy>, Problem> {
    ask(&context, move |files| files.judged_by(&id)).await.map(Json)
}

/// The span that is learned from at `now`.
#[must_use]
pub fn window(context: &Context, now: UtcMs) -> (UtcMs, UtcMs) {
    let window_ms = i64::try_from(context.window.as_millis()).unwrap_or(i64::MAX);
    (now.plus(-window_ms), now)
}

async fn learn(State(context): Shared, InPath(id): InPath<String>) -> Result<Json<Answer>, Problem> {
    let (site, span) = (id.clone(), window(&context, context.clock.now()));
    match ask(&context, move |files| files.news(&site, span)).await? {
        Some(news) => obey(&context, id, &Command::Propose(news)).await,
        None => {
            let judged_by = ask(&context, move |files| files.judged_by(&id)).await?;
            Ok(Json(Answer { decided: Vec::new(), judged_by }))
        }
    }
}

async fn obey(context: &Context, id: String, asked: &Command) -> Result<Json<Answer>, Problem> {
    let offset = command(context, asked).await?;
    let answer = move |files: &super::answers::Files| {
        let mut decided = files.decided(&id, Some(offset))?;
        decided.reverse();
        Ok(Answer { decided, judged_by: files.judged_by(&id)? })
    };
    ask(context, answer).await.map(Json)
}

/// What is said, checked: the site and its points exist.
async fn said(context: &Context, peer: Peer, id: &str, verdict: Verdict) -> Result<Said, Problem> {
    let (site, points) = (id.to_owned(), verdict.points.clone());
    ask(context, move |files| {
        let (_, site) = files.registry_with(&site)?;
        let unknown = points.iter().find(|p| !site.points.iter().any(|own| *own.id == ***p));
        unknown.map_or(Ok(()), |point| Err(Problem::not_found("point", point)))
    })
    .await?;
    if verdict.who.trim().is_empty() {
        return Err(Problem::bad_request("nobody is named who says so".into()));
    }
    Ok(Said {
        site: id.into(),
        points: verdict.points.into_iter().map(Into::into).collect(),
        who: peer.named(&verdict.who).into(),
        note: verdict.note.into(),
    })
}

/// What a person says of points becomes a command, and the answer what came of it.
fn spoken(command: fn(Said) -> Command) -> MethodRouter<Arc<Context>> {
    post(
        move |State(context): Shared,
              ConnectInfo(peer): ConnectInfo<Peer>,
              InPath(id): InPath<String>,
              Json(verdict): Json<Verdict>| async move {
            let said = said(&context, peer, &id, verdict).await?;
            obey(&context, id, &command(said)).await
        },
    )
}

async fn commission(
    State(context): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    InPath(id): InPath<String>,
    Json(mut trial): Json<Trial>,
) -> Result<Json<Commissioned>, Problem> {
    if !trial.who.trim().is_empty() {
        trial.who = peer.named(&trial.who);
    }
    let (site, asked, now) = (id.clone(), trial.clone(), context.clock.now());
    // It is worked out here, from what was measured: no record comes in from outside.
    let tried = ask(&context, move |files| files.trial(&site, &asked, now)).await?;
    let Some(record) = tried.record.clone().filter(|_| trial.record) else {
        return Ok(Json(Commissioned { tried, decided: Vec::new() }));
    };
    let process = tried.process.as_str().into();
    let asked = Command::Commission { site: id.as_str().into(), process, record };
    let Json(Answer { decided, .. }) = obey(&context, id, &asked).await?;
    Ok(Json(Commissioned { tried, decided }))
}
