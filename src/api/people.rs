//! Users and tokens over the socket, for root and the group: the way back in when an administrator's password is lost.
//! The rules are those of the API; this only says who asks.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::context::{Context, Peer, Shared};
use super::problem::Problem;
use super::told::Told;
use super::v1::people::{
    AddToken, AddUser, NewPassword, NewTokenItem, TokenItem, UserItem, do_add_token, do_add_user,
    do_change_user, do_revoke_token, do_set_password, list_tokens, list_users, scope,
};
use crate::accounts::role::Role;
use crate::accounts::users::Change;

/// What of a user changes; what is not said stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeSome {
    /// Role.
    pub role: Option<Role>,
    /// What they see: `all`, `region:NAME` or `site:ID`.
    pub scope: Option<String>,
    /// Whether they may log in.
    pub is_enabled: Option<bool>,
}

type Answer<T> = Result<Json<T>, Problem>;
type Socket = ConnectInfo<Peer>;

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/local/users", get(users).post(add_user))
        .route("/local/users/{name}/change", post(change_user))
        .route("/local/users/{name}/password", post(set_password))
        .route("/local/tokens", get(tokens).post(add_token))
        .route("/local/tokens/{id}/revoke", post(revoke_token))
}

/// Who only looks leaves nothing in the journal, so need not be named.
const WHO_LOOKS: &str = "socket";

async fn users(State(context): Shared, ConnectInfo(peer): Socket) -> Answer<Vec<UserItem>> {
    list_users(&context, &Caller::of_socket(peer, WHO_LOOKS)?).await.map(Json)
}

async fn add_user(
    State(context): Shared,
    ConnectInfo(peer): Socket,
    Json(told): Json<Told<AddUser>>,
) -> Answer<UserItem> {
    do_add_user(&context, &Caller::of_socket(peer, &told.who)?, told.what).await.map(Json)
}

async fn change_user(
    State(context): Shared,
    ConnectInfo(peer): Socket,
    Path(name): Path<String>,
    Json(told): Json<Told<ChangeSome>>,
) -> Answer<UserItem> {
    let caller = Caller::of_socket(peer, &told.who)?;
    let ChangeSome { role, scope: text, is_enabled } = told.what;
    let change = Change { role, scope: text.as_deref().map(scope).transpose()?, is_enabled };
    do_change_user(&context, &caller, name, change).await.map(Json)
}

async fn set_password(
    State(context): Shared,
    ConnectInfo(peer): Socket,
    Path(name): Path<String>,
    Json(told): Json<Told<NewPassword>>,
) -> Answer<UserItem> {
    do_set_password(&context, &Caller::of_socket(peer, &told.who)?, name, told.what).await.map(Json)
}

async fn tokens(State(context): Shared, ConnectInfo(peer): Socket) -> Answer<Vec<TokenItem>> {
    list_tokens(&context, &Caller::of_socket(peer, WHO_LOOKS)?).await.map(Json)
}

async fn add_token(
    State(context): Shared,
    ConnectInfo(peer): Socket,
    Json(told): Json<Told<AddToken>>,
) -> Answer<NewTokenItem> {
    do_add_token(&context, &Caller::of_socket(peer, &told.who)?, told.what).await.map(Json)
}

async fn revoke_token(
    State(context): Shared,
    ConnectInfo(peer): Socket,
    Path(id): Path<i64>,
    Json(told): Json<Told<()>>,
) -> Answer<()> {
    do_revoke_token(&context, &Caller::of_socket(peer, &told.who)?, id).await.map(Json)
}
