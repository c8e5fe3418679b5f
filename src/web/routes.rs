//! All that is served over the network: the pages, what they are made of, and the API beside them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::html;

use super::view::Look;
use super::{
    actions, alert_list, alert_page, assets, enter, frame, links, overview, people_forms, rejects, settings,
    site_list, site_page, trail,
};
use crate::api::caller::identify;
use crate::api::context::{Context, Shared};
use crate::api::problem::Problem;
use crate::api::v1::routes as v1;

/// No form or command is larger, bytes.
const BODY_BYTES_MAX: usize = 64 * 1_024;

/// An answer is there within this long; the stream of what happens begins so, and then goes on.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A year.
const TLS_KEPT: &str = "max-age=31536000";

/// Everything, as it is served.
pub fn router(context: Arc<Context>) -> Router {
    Router::new()
        .route("/", get(overview::show))
        .route("/alerts", get(alert_list::list))
        .route("/alerts/acknowledge", post(actions::acknowledge_many))
        .route("/alerts/{id}", get(alert_page::show))
        .route("/alerts/{id}/{act}", post(actions::act))
        .route("/sites", get(site_list::list))
        .route("/sites/{id}", get(site_page::show))
        .route("/links", get(links::show))
        .route("/rejects", get(rejects::list))
        .route("/trail", get(trail::list))
        .route("/settings", get(settings::show))
        .route("/settings/password", post(settings::set_own_password))
        .route("/settings/users", post(people_forms::add_user))
        .route("/settings/users/change", post(people_forms::change_user))
        .route("/settings/tokens", post(people_forms::add_token))
        .route("/settings/tokens/revoke", post(people_forms::revoke_token))
        .route("/like/{what}/{how}", get(settings::like))
        .route("/log-in", get(enter::log_in_form).post(enter::log_in))
        .route("/log-out", post(enter::log_out))
        .route("/setup", get(enter::set_up_form).post(enter::set_up))
        .route("/assets/{mark}/{name}", get(assets::file))
        .fallback(|| async { Problem::not_found("page", "by that address") })
        .merge(v1::router())
        .layer(from_fn_with_state(Arc::clone(&context), identify))
        .layer(from_fn_with_state(Arc::clone(&context), around))
        .layer(from_fn(in_time))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(context)
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("no answer was ready in time".into()).into_response(),
    }
}

/// What every answer carries; and where a page is wanted, what went wrong is told as one.
async fn around(State(context): Shared, look: Look, request: Request, next: Next) -> Response {
    let wants_page =
        request.headers().get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|a| a.contains("text/html"));
    let is_asset = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    let is_problem = response.headers().get(CONTENT_TYPE).is_some_and(|t| t == "application/problem+json");
    if wants_page && is_problem {
        response = told(response, &look).await;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if !is_asset {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if context.is_secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TLS_KEPT));
    }
    response
}

/// A problem document is small; ours are.
const PROBLEM_BYTES_MAX: usize = 64 * 1_024;

async fn told(response: Response, look: &Look) -> Response {
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), PROBLEM_BYTES_MAX).await.unwrap_or_default();
    let problem: Option<Problem> = serde_json::from_slice(&body).ok();
    let lang = look.lang;
    let title = match status {
        StatusCode::NOT_FOUND => lang.say("Not there", "未找到"),
        StatusCode::FORBIDDEN => lang.say("Not allowed", "无权限"),
        _ => lang.say("That did not work", "操作未成功"),
    };
    let page = html! {
        @if let Some(problem) = &problem { p { (problem.detail) } }
        p { a.button href="/" { (lang.say("To the overview", "返回总览")) } }
    };
    (status, frame::bare(look, title, &page)).into_response()
}
