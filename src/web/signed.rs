//! A form of our own page: it brings the secret of the session along, or it is not taken.

use axum::extract::{FromRequest, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::accounts::secrets;
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
        if expected.is_none_or(|secret| !secrets::same(secret.as_bytes(), given.csrf.as_bytes())) {
            return Err(Problem::wrong_csrf());
        }
        serde_urlencoded::from_bytes(&body).map(Signed).map_err(wrong)
    }
}
