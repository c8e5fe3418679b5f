//! What went wrong with a request, as the problem document a caller gets.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// A problem document (RFC 9457), the parts we use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// What kind of problem, in a few words.
    pub title: String,
    /// What exactly.
    pub detail: String,
}

impl Problem {
    /// Nothing there by that name.
    #[must_use]
    pub fn not_found(what: &str, name: &str) -> Problem {
        Problem {
            status: 404,
            title: format!("no such {what}"),
            detail: format!("there is no {what} {name:?}"),
        }
    }

    /// The request itself is wrong.
    #[must_use]
    pub fn bad_request(detail: String) -> Problem {
        Problem { status: 400, title: "the request cannot be understood".into(), detail }
    }

    /// The daemon cannot do it now.
    #[must_use]
    pub fn unavailable(detail: String) -> Problem {
        Problem { status: 503, title: "cannot be done now".into(), detail }
    }

    /// A failure below, with its whole chain of reasons.
    #[must_use]
    pub fn internal(error: &dyn std::error::Error) -> Problem {
        let mut detail = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            detail.push_str(": ");
            detail.push_str(&cause.to_string());
            source = cause.source();
        }
        Problem { status: 500, title: "the daemon failed to answer".into(), detail }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(self)).into_response()
    }
}
