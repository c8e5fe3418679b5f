//! A form of our own page: it brings the secret of the session along, or it is not taken.

use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::caller::Caller;
use crate::api::problem::Problem;

/// A form that was sent by our own page.
#[derive(Clone, Debug)]
pub struct Signed<T>(pub T);

#[derive(Deserialize)]
struct Secret {
    #[serde(default)]
    csrf: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Signed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Signed<T>, Problem> {
        let expected = request.extensions().get::<Caller>().and_then(|caller| caller.csrf.clone());
        let body = axum::body::Bytes::from_request(request, state).await;
        let body = body.map_err(|error| Problem::rejected(error.status(), error.body_text()))?;
        let wrong = |error: serde_urlencoded::de::Error| Problem::bad_request(error.to_string());
        let given: Secret = serde_urlencoded::from_bytes(&body).map_err(wrong)?;
        if expected.is_none_or(|secret| !is_same(&secret, &given.csrf)) {
            return Err(Problem::wrong_csrf());
        }
        serde_urlencoded::from_bytes(&body).map(Signed).map_err(wrong)
    }
}

/// In a time that does not tell where they differ.
fn is_same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    one.len() == other.len() && pairs.fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn a_secret_is_the_same_whole_or_not_at_all() {
        assert!(is_same("abc", "abc") && is_same("", ""));
        assert!(!is_same("abc", "abd") && !is_same("abc", "ab") && !is_same("", "a"));
    }
}
