//! What people do about alerts, and maintenance they file. All of it goes through the journal.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::alerts::of_id;
use super::sites::plant;
use super::take::{Json, Path, Query};
use crate::accounts::credentials::NAME_CHARS_MAX;
use crate::accounts::role::Act as May;
use crate::alerts::alert::Alert;
use crate::api::caller::Caller;
use crate::api::context::{Context, Shared, ask, command_from};
use crate::api::maintenance::MaintenanceQuery;
use crate::api::problem::Problem;
use crate::model::command::Command;
use crate::model::deed::{Act, Cause, NOTE_CHARS_MAX};
use crate::model::maintenance::{Filing, Scope};
use crate::model::reading::Offset;
use crate::model::time::UtcMs;
use crate::store::suppressing::Maintenance;

/// What is said with something that is done.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// What is written down; may be empty where the deed says it all.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}

/// Who is to see to an alert.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// Who; nobody in particular where it is left away.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub to: Option<String>,
    /// What is written down.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}

/// Why it happened, as a plant declares it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Declare {
    /// The cause.
    pub cause: Cause,
    /// What happened.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}

/// A text as it is kept: without blanks around it, and not longer than is kept.
///
/// # Errors
/// It is too long.
pub fn note(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().nth(NOTE_CHARS_MAX).is_some() {
        return Err(Problem::bad_request(format!("a note has {NOTE_CHARS_MAX} characters at most")));
    }
    Ok(text.to_owned())
}

/// Takes note of an alert.
///
/// # Errors
/// They may not, there is no such alert, or the journal does not take it.
pub async fn do_acknowledge(
    context: &Context,
    caller: &Caller,
    id: &str,
    text: &str,
) -> Result<Alert, Problem> {
    caller.must(May::Handle)?;
    let alert = of_id(context, caller, id).await?.id.to_string();
    let command = Command::Acknowledge { alert, who: caller.who(), note: note(text)? };
    command_from(context, &command, &caller.origin).await?;
    of_id(context, caller, id).await
}

/// Does something else about an alert.
///
/// # Errors
/// As [`do_acknowledge`]; or there is nothing in it.
pub async fn do_act(
    context: &Context,
    caller: &Caller,
    id: &str,
    act: Act,
    text: &str,
) -> Result<Alert, Problem> {
    caller.must(if matches!(act, Act::Declare { .. }) { May::Declare } else { May::Handle })?;
    let alert = of_id(context, caller, id).await?;
    let note = note(text)?;
    match &act {
        Act::Comment if note.is_empty() => {
            return Err(Problem::bad_request("a comment has something in it".into()));
        }
        Act::Assign { to: Some(to) } if to.chars().nth(NAME_CHARS_MAX).is_some() => {
            return Err(Problem::bad_request(format!("a name has {NAME_CHARS_MAX} characters at most")));
        }
        Act::Declare { cause: Cause::Other } if note.is_empty() => {
            return Err(Problem::bad_request("another cause is told in the note".into()));
        }
        Act::Confirm { declaration } | Act::Refuse { declaration } => {
            let is_there = |d: &crate::model::deed::Deed| {
                d.offset == *declaration && matches!(d.act, Act::Declare { .. })
            };
            if !alert.deeds.iter().any(is_there) {
                return Err(Problem::not_found("declaration", &declaration.to_string()));
            }
        }
        _ => {}
    }
    let command = Command::Deed { alert: alert.id.to_string(), who: caller.who(), note, act };
    command_from(context, &command, &caller.origin).await?;
    of_id(context, caller, id).await
}

/// Takes note of an alert. The first acknowledgement stands; later ones are added to its history.
#[utoipa::path(post, path = "/alerts/{id}/acknowledge", tag = "alerts", request_body = Said,
    params(("id" = String, Path, description = "alert id")),
    responses((status = 200, body = Alert), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn acknowledge(
    State(context): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Json(said): Json<Said>,
) -> Result<Json<Alert>, Problem> {
    do_acknowledge(&context, &caller, &id, &said.note).await.map(Json)
}

/// Writes something down about an alert.
#[utoipa::path(post, path = "/alerts/{id}/comment", tag = "alerts", request_body = Said,
    params(("id" = String, Path, description = "alert id")),
    responses((status = 200, body = Alert), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn comment(
    State(context): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Json(said): Json<Said>,
) -> Result<Json<Alert>, Problem> {
    do_act(&context, &caller, &id, Act::Comment, &said.note).await.map(Json)
}

/// Says who is to see to an alert.
#[utoipa::path(post, path = "/alerts/{id}/assign", tag = "alerts", request_body = Assign,
    params(("id" = String, Path, description = "alert id")),
    responses((status = 200, body = Alert), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn assign(
    State(context): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Json(own): Json<Assign>,
) -> Result<Json<Alert>, Problem> {
    let to = own.to.as_deref().map(str::trim).filter(|to| !to.is_empty());
    let act = Act::Assign { to: to.map(Into::into) };
    do_act(&context, &caller, &id, act, &own.note).await.map(Json)
}

/// Declares a cause: for the plant itself. It explains, and changes nothing of what was judged.
#[utoipa::path(post, path = "/alerts/{id}/declare", tag = "alerts", request_body = Declare,
    params(("id" = String, Path, description = "alert id")),
    responses((status = 200, body = Alert), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn declare(
    State(context): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Json(own): Json<Declare>,
) -> Result<Json<Alert>, Problem> {
    do_act(&context, &caller, &id, Act::Declare { cause: own.cause }, &own.note).await.map(Json)
}

/// Takes a declaration as true.
#[utoipa::path(post, path = "/alerts/{id}/declarations/{declaration}/confirm", tag = "alerts", request_body = Said,
    params(("id" = String, Path, description = "alert id"),
           ("declaration" = u64, Path, description = "offset of the deed that declared it")),
    responses((status = 200, body = Alert), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn confirm(
    State(context): Shared,
    caller: Caller,
    Path((id, declaration)): Path<(String, Offset)>,
    Json(said): Json<Said>,
) -> Result<Json<Alert>, Problem> {
    do_act(&context, &caller, &id, Act::Confirm { declaration }, &said.note).await.map(Json)
}

/// Refuses a declaration.
#[utoipa::path(post, path = "/alerts/{id}/declarations/{declaration}/refuse", tag = "alerts", request_body = Said,
    params(("id" = String, Path, description = "alert id"),
           ("declaration" = u64, Path, description = "offset of the deed that declared it")),
    responses((status = 200, body = Alert), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn refuse(
    State(context): Shared,
    caller: Caller,
    Path((id, declaration)): Path<(String, Offset)>,
    Json(said): Json<Said>,
) -> Result<Json<Alert>, Problem> {
    do_act(&context, &caller, &id, Act::Refuse { declaration }, &said.note).await.map(Json)
}

/// Maintenance to be filed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMaintenance {
    /// Site id.
    pub site: String,
    /// What of it; the whole site where nothing is named.
    #[serde(default)]
    pub scope: Scope,
    /// Begin, UTC ms. What is filed only once it has begun is a declaration, and changes nothing.
    #[schema(value_type = i64)]
    pub from: UtcMs,
    /// End, UTC ms.
    #[schema(value_type = i64)]
    pub to: UtcMs,
    /// What is done, and why.
    #[schema(min_length = 1, max_length = 2000)]
    pub note: String,
}

/// Files maintenance.
#[utoipa::path(post, path = "/maintenance", tag = "maintenance", request_body = NewMaintenance,
    responses((status = 200, body = Maintenance), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn file_maintenance(
    State(context): Shared,
    caller: Caller,
    Json(own): Json<NewMaintenance>,
) -> Result<Json<Maintenance>, Problem> {
    caller.must(May::Handle)?;
    let plant = plant(&context, &caller, &own.site)?;
    super::window::span(own.from, own.to)?;
    let filing = Filing {
        site: own.site,
        scope: own.scope,
        from: own.from,
        to: own.to,
        who: caller.who(),
        note: note(&own.note)?,
    };
    filing.check(&plant.site).map_err(|error| Problem::bad_request(error.to_string()))?;
    let offset = command_from(&context, &Command::FileMaintenance(filing), &caller.origin).await?;
    ask(&context, move |files| files.maintenance_by_id(&Maintenance::id_of(offset))).await.map(Json)
}

/// Maintenance that was filed, the last first.
#[utoipa::path(get, path = "/maintenance", tag = "maintenance",
    params(("site" = Option<String>, Query, description = "of this site alone")),
    responses((status = 200, body = Vec<Maintenance>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn maintenance(
    State(context): Shared,
    caller: Caller,
    Query(query): Query<MaintenanceQuery>,
) -> Result<Json<Vec<Maintenance>>, Problem> {
    caller.must(May::See)?;
    if let Some(site) = &query.site {
        plant(&context, &caller, site)?;
    }
    let all = ask(&context, move |files| files.maintenance(query.site.as_deref())).await?;
    let board = std::sync::Arc::clone(&context.board.borrow());
    let is_seen = |own: &Maintenance| {
        let region = board.plant(&own.filing.site).map(|plant| &*plant.site.region);
        caller.actor.sees(&own.filing.site, region.unwrap_or_default())
    };
    Ok(Json(all.into_iter().filter(is_seen).collect()))
}
