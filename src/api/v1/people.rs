//! Users and tokens: for who administers.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::take::{Json, Path};
use crate::accounts::accounts::Accounts;
use crate::accounts::role::{Act, Role, Scope};
use crate::accounts::tokens::{NewToken, TokenInfo};
use crate::accounts::users::{Change, NewUser, User};
use crate::api::caller::Caller;
use crate::api::context::{Context, Shared, command_from, with_accounts};
use crate::api::problem::Problem;
use crate::model::command::Command;
use crate::model::time::UtcMs;

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserItem {
    /// Name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// What they see: `all`, `region:NAME` or `site:ID`.
    #[schema(pattern = "^(all|region:[^\\s].{0,60}[^\\s]|site:[0-9A-Za-z._-]{1,60})$")]
    pub scope: String,
    /// Whether they may log in.
    pub is_enabled: bool,
    /// Since when there is such a user, UTC ms.
    pub created_ms: i64,
}

impl UserItem {
    fn of(user: &User) -> UserItem {
        UserItem {
            name: user.name.to_string(),
            role: user.role,
            scope: user.scope.to_string(),
            is_enabled: user.is_enabled,
            created_ms: user.created.0,
        }
    }
}

/// A user to be.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddUser {
    /// Name; upper and lower case do not make another one.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// Password.
    #[schema(min_length = 10, max_length = 256)]
    pub password: String,
    /// Role.
    pub role: Role,
    /// What they see: `all`, `region:NAME` or `site:ID`.
    #[schema(pattern = "^(all|region:[^\\s].{0,60}[^\\s]|site:[0-9A-Za-z._-]{1,60})$")]
    pub scope: String,
}

/// What a user may do from now on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    /// Role.
    pub role: Role,
    /// What they see: `all`, `region:NAME` or `site:ID`.
    #[schema(pattern = "^(all|region:[^\\s].{0,60}[^\\s]|site:[0-9A-Za-z._-]{1,60})$")]
    pub scope: String,
    /// Whether they may log in.
    pub is_enabled: bool,
}

/// A password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The new one.
    #[schema(min_length = 10, max_length = 256)]
    pub password: String,
}

/// A token, without its secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenItem {
    /// Number.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// Role.
    pub role: Role,
    /// What it sees.
    pub scope: String,
    /// Who made it.
    pub by: String,
    /// When, UTC ms.
    pub created_ms: i64,
    /// From when on it is none, if ever, UTC ms.
    pub expires_ms: Option<i64>,
    /// When it was last used, to the minute, UTC ms.
    pub last_used_ms: Option<i64>,
}

impl TokenItem {
    fn of(token: &TokenInfo) -> TokenItem {
        TokenItem {
            id: token.id,
            name: token.name.to_string(),
            role: token.role,
            scope: token.scope.to_string(),
            by: token.by.to_string(),
            created_ms: token.created.0,
            expires_ms: token.expires.map(|t| t.0),
            last_used_ms: token.last_used.map(|t| t.0),
        }
    }
}

/// A token to be.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToken {
    /// What it is for.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// Role.
    pub role: Role,
    /// What it sees: `all`, `region:NAME` or `site:ID`.
    #[schema(pattern = "^(all|region:[^\\s].{0,60}[^\\s]|site:[0-9A-Za-z._-]{1,60})$")]
    pub scope: String,
    /// From when on it is none, UTC ms; without, it is one until it is revoked.
    #[serde(default)]
    pub expires_ms: Option<i64>,
}

/// A token with its secret, which is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewTokenItem {
    /// The token.
    pub token: TokenItem,
    /// What a program sends in `Authorization: Bearer`.
    pub secret: String,
}

/// A scope from its text.
///
/// # Errors
/// It is none.
pub fn scope(text: &str) -> Result<Scope, Problem> {
    text.parse().map_err(|error: crate::accounts::role::WordError| Problem::bad_request(error.to_string()))
}

/// Puts what was done to an account into the journal.
///
/// # Errors
/// The journal does not take it.
pub async fn record(
    context: &Context,
    caller: &Caller,
    what: &str,
    subject: &str,
    note: String,
) -> Result<(), Problem> {
    let (what, subject) = (what.to_owned(), subject.to_owned());
    let command = Command::Note { who: caller.who(), what, subject, note };
    command_from(context, &command, &caller.origin).await.map(drop)
}

/// Adds a user and puts it on record.
///
/// # Errors
/// They may not, or the user is not taken.
pub async fn do_add_user(context: &Context, caller: &Caller, own: AddUser) -> Result<UserItem, Problem> {
    caller.must(Act::Administer)?;
    let new = NewUser { scope: scope(&own.scope)?, name: own.name, password: own.password, role: own.role };
    let user = with_accounts(context, move |accounts, now| accounts.add_user(&new, now)).await?;
    record(context, caller, "add_user", &user.name, format!("{} {}", user.role, user.scope)).await?;
    Ok(UserItem::of(&user))
}

/// Changes what a user may do and puts it on record.
///
/// # Errors
/// They may not, or it is not taken.
pub async fn do_change_user(
    context: &Context,
    caller: &Caller,
    name: String,
    change: Change,
) -> Result<UserItem, Problem> {
    caller.must(Act::Administer)?;
    let user = with_accounts(context, move |accounts, _| accounts.change_user(&name, &change)).await?;
    let enabled = if user.is_enabled { "" } else { " disabled" };
    let note = format!("{} {}{enabled}", user.role, user.scope);
    record(context, caller, "change_user", &user.name, note).await?;
    Ok(UserItem::of(&user))
}

/// Gives a user another password and puts that on record; their sessions end.
///
/// # Errors
/// They may not, there is no such user, or the password is not taken.
pub async fn do_set_password(
    context: &Context,
    caller: &Caller,
    name: String,
    own: NewPassword,
) -> Result<UserItem, Problem> {
    caller.must(Act::Administer)?;
    let set = move |accounts: &Accounts, _| accounts.set_password(&name, &own.password);
    let user = with_accounts(context, set).await?;
    record(context, caller, "set_password", &user.name, String::new()).await?;
    Ok(UserItem::of(&user))
}

/// Makes a token and puts it on record, without its secret.
///
/// # Errors
/// They may not, or it is not taken.
pub async fn do_add_token(
    context: &Context,
    caller: &Caller,
    own: AddToken,
) -> Result<NewTokenItem, Problem> {
    caller.must(Act::Administer)?;
    let (scope, expires) = (scope(&own.scope)?, own.expires_ms.map(UtcMs));
    let new = NewToken { name: own.name, role: own.role, scope, expires };
    let by = caller.who();
    let (token, secret) =
        with_accounts(context, move |accounts, now| accounts.add_token(&new, &by, now)).await?;
    let note = format!("{} {} {}", token.name, token.role, token.scope);
    record(context, caller, "add_token", &token.id.to_string(), note).await?;
    Ok(NewTokenItem { token: TokenItem::of(&token), secret })
}

/// Revokes a token and puts it on record.
///
/// # Errors
/// They may not, or there is none.
pub async fn do_revoke_token(context: &Context, caller: &Caller, id: i64) -> Result<(), Problem> {
    caller.must(Act::Administer)?;
    with_accounts(context, move |accounts, _| accounts.revoke_token(id)).await?;
    record(context, caller, "revoke_token", &id.to_string(), String::new()).await
}

/// Every user.
///
/// # Errors
/// They may not, or the accounts cannot be read.
pub async fn list_users(context: &Context, caller: &Caller) -> Result<Vec<UserItem>, Problem> {
    caller.must(Act::Administer)?;
    let users = with_accounts(context, |accounts, _| accounts.users()).await?;
    Ok(users.iter().map(UserItem::of).collect())
}

/// Every token.
///
/// # Errors
/// They may not, or the accounts cannot be read.
pub async fn list_tokens(context: &Context, caller: &Caller) -> Result<Vec<TokenItem>, Problem> {
    caller.must(Act::Administer)?;
    let tokens = with_accounts(context, |accounts, _| accounts.tokens()).await?;
    Ok(tokens.iter().map(TokenItem::of).collect())
}

/// Every user.
#[utoipa::path(get, path = "/users", tag = "accounts",
    responses((status = 200, body = Vec<UserItem>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn users(State(context): Shared, caller: Caller) -> Result<Json<Vec<UserItem>>, Problem> {
    list_users(&context, &caller).await.map(Json)
}

/// Adds a user.
#[utoipa::path(post, path = "/users", tag = "accounts", request_body = AddUser,
    responses((status = 200, body = UserItem), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn add_user(
    State(context): Shared,
    caller: Caller,
    Json(own): Json<AddUser>,
) -> Result<Json<UserItem>, Problem> {
    do_add_user(&context, &caller, own).await.map(Json)
}

/// Changes what a user may do; it holds from their next request on.
#[utoipa::path(put, path = "/users/{name}", tag = "accounts", request_body = ChangeUser,
    params(("name" = String, Path, description = "name of the user")),
    responses((status = 200, body = UserItem), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn change_user(
    State(context): Shared,
    caller: Caller,
    Path(name): Path<String>,
    Json(own): Json<ChangeUser>,
) -> Result<Json<UserItem>, Problem> {
    caller.must(Act::Administer)?;
    let change = Change::whole(own.role, scope(&own.scope)?, own.is_enabled);
    do_change_user(&context, &caller, name, change).await.map(Json)
}

/// Gives a user another password; their sessions end.
#[utoipa::path(put, path = "/users/{name}/password", tag = "accounts", request_body = NewPassword,
    params(("name" = String, Path, description = "name of the user")),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn set_password(
    State(context): Shared,
    caller: Caller,
    Path(name): Path<String>,
    Json(own): Json<NewPassword>,
) -> Result<axum::http::StatusCode, Problem> {
    do_set_password(&context, &caller, name, own).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

/// Every token, without its secret.
#[utoipa::path(get, path = "/tokens", tag = "accounts",
    responses((status = 200, body = Vec<TokenItem>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn tokens(State(context): Shared, caller: Caller) -> Result<Json<Vec<TokenItem>>, Problem> {
    list_tokens(&context, &caller).await.map(Json)
}

/// Makes a token. Its secret is shown this once.
#[utoipa::path(post, path = "/tokens", tag = "accounts", request_body = AddToken,
    responses((status = 200, body = NewTokenItem), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn add_token(
    State(context): Shared,
    caller: Caller,
    Json(own): Json<AddToken>,
) -> Result<Json<NewTokenItem>, Problem> {
    do_add_token(&context, &caller, own).await.map(Json)
}

/// Revokes a token.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "accounts",
    params(("id" = i64, Path, description = "number of the token")),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn revoke_token(
    State(context): Shared,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<axum::http::StatusCode, Problem> {
    do_revoke_token(&context, &caller, id).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}
