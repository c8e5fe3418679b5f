//! What the forms of an alert do: the same as the API, then back to where they were sent from.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::signed::Signed;
use super::view::View;
use super::way::{safe_way, see_other};
use crate::api::context::Shared;
use crate::api::problem::Problem;
use crate::api::v1::deeds::{do_acknowledge, do_act};
use crate::model::deed::{Act, Cause};
use crate::model::reading::Offset;

/// Alerts of one bulk acknowledgement, at most: as many as a page shows.
const N_AT_ONCE_MAX: usize = 500;

/// What a form brings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Said {
    note: String,
    to: String,
    cause: Option<Cause>,
    declaration: Offset,
    back: Option<String>,
    ids: String,
}

/// Takes note of one alert, or does something else about it.
///
/// # Errors
/// They may not, there is no such alert, or the journal does not take it.
pub async fn act(
    State(context): Shared,
    view: View,
    Path((id, act)): Path<(String, String)>,
    Signed(said): Signed<Said>,
) -> Result<Response, Problem> {
    let caller = &view.caller;
    let act = match &*act {
        "acknowledge" => {
            do_acknowledge(&context, caller, &id, &said.note).await?;
            return Ok(see_other(&format!("/alerts/{id}")));
        }
        "comment" => Act::Comment,
        "assign" => Act::Assign { to: Some(said.to.trim()).filter(|to| !to.is_empty()).map(Into::into) },
        "declare" => {
            let cause = said.cause.ok_or_else(|| Problem::bad_request("a cause is missing".into()))?;
            Act::Declare { cause }
        }
        "confirm" => Act::Confirm { declaration: said.declaration },
        "refuse" => Act::Refuse { declaration: said.declaration },
        other => return Err(Problem::not_found("action", other)),
    };
    do_act(&context, caller, &id, act, &said.note).await?;
    Ok(see_other(&format!("/alerts/{id}")))
}

/// Takes note of many at once. What cannot be is told, and what came before it is done.
///
/// # Errors
/// As [`act`].
pub async fn acknowledge_many(
    State(context): Shared,
    view: View,
    Signed(said): Signed<Said>,
) -> Result<Response, Problem> {
    let ids: Vec<&str> = said.ids.split_whitespace().collect();
    if ids.len() > N_AT_ONCE_MAX {
        return Err(Problem::bad_request(format!("{N_AT_ONCE_MAX} alerts at a time")));
    }
    for id in ids {
        do_acknowledge(&context, &view.caller, id, &said.note).await?;
    }
    Ok(see_other(safe_way(said.back.as_deref())))
}
