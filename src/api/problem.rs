//! What went wrong with a request, as the problem document a caller gets.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::accounts::error::AccountsError;

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

    /// Nobody known asks.
    #[must_use]
    pub fn unauthorized() -> Problem {
        Problem {
            status: 401,
            title: "log in first".into(),
            detail: "this needs a session, or a token in the header Authorization: Bearer".into(),
        }
    }

    /// Nothing is served over the network, so there are no accounts.
    #[must_use]
    pub fn no_accounts() -> Problem {
        Problem {
            status: 409,
            title: "there are no accounts".into(),
            detail: "there are no users and no tokens: nothing is served over the network; \
                     hint: give [web] in the configuration an address, `listen = \"127.0.0.1:8080\"`, and restart the daemon"
                .into(),
        }
    }

    /// Whoever asks may not.
    #[must_use]
    pub fn forbidden(role: &str) -> Problem {
        Problem {
            status: 403,
            title: "not allowed".into(),
            detail: format!("the role {role}, within its scope, may not do that"),
        }
    }

    /// A request that changes something came without what tells that its own page sent it.
    #[must_use]
    pub fn wrong_csrf() -> Problem {
        Problem {
            status: 403,
            title: "not sent by its own page".into(),
            detail: "the secret of the session is missing or another one; reload the page and try again"
                .into(),
        }
    }

    /// What the accounts say no to.
    #[must_use]
    pub fn of_accounts(error: &AccountsError) -> Problem {
        let (status, title) = match error {
            AccountsError::Throttled { .. } | AccountsError::Busy => (429, "too many tries"),
            AccountsError::WrongLogin | AccountsError::WrongCode => (403, "not let in"),
            AccountsError::NoUser { .. } | AccountsError::NoToken { .. } => (404, "no such account"),
            AccountsError::Taken { .. } | AccountsError::LastAdmin { .. } | AccountsError::AlreadySetUp => {
                (409, "does not go with what is there")
            }
            AccountsError::Name { .. }
            | AccountsError::Password { .. }
            | AccountsError::Scope { .. }
            | AccountsError::Expiry => (422, "not taken"),
            _ => return Problem::internal(error),
        };
        Problem { status, title: title.into(), detail: chain(error) }
    }

    /// The daemon cannot do it now.
    #[must_use]
    pub fn unavailable(detail: String) -> Problem {
        Problem { status: 503, title: "cannot be done now".into(), detail }
    }

    /// A failure below, with its whole chain of reasons.
    #[must_use]
    pub fn internal(error: &dyn std::error::Error) -> Problem {
        Problem { status: 500, title: "the daemon failed to answer".into(), detail: chain(error) }
    }

    /// As axum tells it: a path, a query or a body that cannot be taken.
    #[must_use]
    pub fn rejected(status: StatusCode, detail: String) -> Problem {
        Problem { status: status.as_u16(), title: "the request cannot be understood".into(), detail }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut detail = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        detail.push_str(": ");
        detail.push_str(&cause.to_string());
        source = cause.source();
    }
    detail
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
