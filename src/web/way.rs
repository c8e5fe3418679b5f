//! Ways from page to page: on after a form, to where one logs in, back to where one came from.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::api::context::{Context, with_accounts};

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Back {
    /// A page of ours.
    pub back: Option<String>,
}

/// A way back, only to a page of ours.
#[must_use]
pub fn safe_way(back: Option<&str>) -> &str {
    let is_ours = |way: &&str| {
        way.starts_with('/')
            && !way.starts_with("//")
            && !way.contains('\\')
            && !way.contains(char::is_control)
    };
    back.filter(is_ours).unwrap_or("/")
}

/// The way back that a request asks for.
#[must_use]
pub fn safe_way_of(back: &Back) -> &str {
    safe_way(back.back.as_deref())
}

/// To another page.
pub fn see_other(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, to.to_owned())]).into_response()
}

/// To where one logs in, or sets up where nobody can yet.
pub async fn to_log_in(context: &Arc<Context>, here: &str) -> Response {
    match with_accounts(context, |accounts, _| accounts.needs_set_up()).await {
        Ok(true) => see_other("/setup"),
        Ok(false) => {
            let back = serde_urlencoded::to_string([("back", here)]).unwrap_or_default();
            see_other(&format!("/log-in?{back}"))
        }
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::safe_way;

    #[test]
    fn the_way_back_leads_to_a_page_of_ours() {
        for (asked, goes) in [
            (Some("/alerts?status=open"), "/alerts?status=open"),
            (Some("//evil.example"), "/"),
            (Some("https://evil.example"), "/"),
            (Some("/\\evil.example"), "/"),
            (Some("/a\r\nSet-Cookie: x=y"), "/"),
            (None, "/"),
        ] {
            assert_eq!(safe_way(asked), goes, "{asked:?}");
        }
    }
}
