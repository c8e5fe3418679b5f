//! What the forms about users and tokens do; what is refused is told at the top of the settings.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::html;
use serde::Deserialize;

use super::settings;
use super::signed::Signed;
use super::view::View;
use super::way::see_other;
use crate::accounts::role::Role;
use crate::accounts::users::Change;
use crate::api::context::{Context, Shared};
use crate::api::problem::Problem;
use crate::api::v1::people::{
    AddToken, AddUser, do_add_token, do_add_user, do_change_user, do_revoke_token, scope,
};

/// What a form brings.
#[derive(Deserialize)]
pub struct UserForm {
    name: String,
    #[serde(default)]
    password: String,
    role: Role,
    scope: String,
    #[serde(default)]
    is_enabled: Option<String>,
}

/// What was refused, at the top of the page.
async fn told(context: &Context, view: &View, outcome: Result<(), Problem>) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(see_other("/settings")),
        Err(problem) if problem.status < 500 => {
            let told = html! { p.wrong role="alert" { (problem.detail) } };
            Ok(settings::page(context, view, Some(&told)).await?.into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// Adds a user.
///
/// # Errors
/// The accounts or the journal cannot be written.
pub async fn add_user(
    State(context): Shared,
    view: View,
    Signed(own): Signed<UserForm>,
) -> Result<Response, Problem> {
    let new = AddUser { name: own.name, password: own.password, role: own.role, scope: own.scope };
    let outcome = do_add_user(&context, &view.caller, new).await.map(drop);
    told(&context, &view, outcome).await
}

/// Changes what a user may do.
///
/// # Errors
/// The accounts or the journal cannot be written.
pub async fn change_user(
    State(context): Shared,
    view: View,
    Signed(own): Signed<UserForm>,
) -> Result<Response, Problem> {
    let outcome = match scope(&own.scope) {
        Ok(scope) => {
            let change = Change::whole(own.role, scope, own.is_enabled.is_some());
            do_change_user(&context, &view.caller, own.name, change).await.map(drop)
        }
        Err(problem) => Err(problem),
    };
    told(&context, &view, outcome).await
}

/// A token to be.
#[derive(Deserialize)]
pub struct TokenForm {
    name: String,
    role: Role,
    scope: String,
}

/// Makes a token and shows its secret this once.
///
/// # Errors
/// The accounts or the journal cannot be written.
pub async fn add_token(
    State(context): Shared,
    view: View,
    Signed(own): Signed<TokenForm>,
) -> Result<Response, Problem> {
    let new = AddToken { name: own.name, role: own.role, scope: own.scope, expires_ms: None };
    match do_add_token(&context, &view.caller, new).await {
        Ok(made) => {
            let shown = html! { p.card role="status" {
                (view.say("The token is shown this once. Keep it where only its program reads it: ", "令牌仅显示这一次，请妥善保存："))
                code { (made.secret) }
            } };
            Ok(settings::page(&context, &view, Some(&shown)).await?.into_response())
        }
        Err(problem) => told(&context, &view, Err(problem)).await,
    }
}

/// Which token.
#[derive(Deserialize)]
pub struct Revoke {
    id: i64,
}

/// Revokes a token.
///
/// # Errors
/// The accounts or the journal cannot be written.
pub async fn revoke_token(
    State(context): Shared,
    view: View,
    Signed(own): Signed<Revoke>,
) -> Result<Response, Problem> {
    let outcome = do_revoke_token(&context, &view.caller, own.id).await;
    told(&context, &view, outcome).await
}
