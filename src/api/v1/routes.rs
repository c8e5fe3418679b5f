//! The routes of the API, and the document that describes them, made from them.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApiBuilder, SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{alerts, daemon, deeds, live, people, readings, sites};
use crate::api::caller::SESSION_COOKIE;
use crate::api::context::Context;
use crate::api::problem::Problem;

/// Where it lies.
pub const ROOT: &str = "/api/v1";

const ABOUT: &str = "What sub-metered plants do, the alerts that follow from it, and what people do about them. Moments are \
UTC in ms since 1970, powers kW where the name says so. A request needs a token (`Authorization: Bearer smd_…`), or the \
session of a browser with its secret in `x-csrf-token` where something is changed. A token sees what its scope lets it see; \
what is out of sight is as good as not there.";

fn described() -> OpenApiRouter<Arc<Context>> {
    OpenApiRouter::new()
        .routes(routes!(daemon::overview))
        .routes(routes!(daemon::health))
        .routes(routes!(daemon::rejects))
        .routes(routes!(daemon::trail))
        .routes(routes!(live::stream))
        .routes(routes!(sites::sites))
        .routes(routes!(sites::site))
        .routes(routes!(sites::states))
        .routes(routes!(readings::readings))
        .routes(routes!(alerts::alerts))
        .routes(routes!(alerts::alert))
        .routes(routes!(deeds::acknowledge))
        .routes(routes!(deeds::comment))
        .routes(routes!(deeds::assign))
        .routes(routes!(deeds::declare))
        .routes(routes!(deeds::confirm))
        .routes(routes!(deeds::refuse))
        .routes(routes!(deeds::maintenance, deeds::file_maintenance))
        .routes(routes!(people::users, people::add_user))
        .routes(routes!(people::change_user))
        .routes(routes!(people::set_password))
        .routes(routes!(people::tokens, people::add_token))
        .routes(routes!(people::revoke_token))
}

/// All of it, with the document at `/api/v1/openapi.json`.
pub fn router() -> Router<Arc<Context>> {
    let info = InfoBuilder::new()
        .title("submeterd")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)));
    let (router, paths) = OpenApiRouter::new().nest(ROOT, described()).split_for_parts();
    let mut document = OpenApiBuilder::new().info(info).build().merge_from(paths);
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", bearer);
    components.add_security_scheme("session", cookie);
    let none: [&str; 0] = [];
    document.security =
        Some(vec![SecurityRequirement::new("token", none), SecurityRequirement::new("session", none)]);
    let text: Arc<str> = document.to_json().unwrap_or_default().into();
    let served = move || {
        let text = Arc::clone(&text);
        async move { ([("content-type", "application/json")], text.to_string()) }
    };
    let all = router.route(&format!("{ROOT}/openapi.json"), get(served));
    all.route(&format!("{ROOT}/{{*rest}}"), axum::routing::any(nothing))
        .method_not_allowed_fallback(no_method)
}

async fn nothing(uri: Uri) -> Problem {
    Problem::not_found("resource", uri.path())
}

async fn no_method(uri: Uri) -> Problem {
    Problem::rejected(StatusCode::METHOD_NOT_ALLOWED, format!("{} knows other methods", uri.path()))
}
