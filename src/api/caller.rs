//! Who asks over the network, and what they may: by a token, or by the session of a browser.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::context::{Context, Peer, Shared, with_accounts};
use super::problem::Problem;
use crate::accounts::role::{Act, Actor, Role, Scope};

/// Name of the cookie a session lies in.
pub const SESSION_COOKIE: &str = "submeterd";

/// A request that changes something and comes by a session brings the session's secret along in this header, so that
/// another site's page cannot make a browser send it.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who, and what they may.
    pub actor: Actor,
    /// From where: an address; empty where they come over the socket.
    pub origin: String,
    /// What a form must bring along, where they come by a session.
    pub csrf: Option<String>,
}

impl Caller {
    /// Who comes over the daemon's socket: root and the group may everything there. The user id the kernel gives stands
    /// beside the name they give. No origin is given: the journal says `socket` by itself.
    ///
    /// # Errors
    /// Nobody is named.
    pub fn of_socket(peer: Peer, who: &str) -> Result<Caller, Problem> {
        let who = who.trim();
        if who.is_empty() {
            return Err(Problem::bad_request("nobody is named who says so".into()));
        }
        let actor = Actor { name: peer.named(who).into(), role: Role::Admin, scope: Scope::All };
        Ok(Caller { actor, origin: String::new(), csrf: None })
    }

    /// Refuses what they may not.
    ///
    /// # Errors
    /// They may not.
    pub fn must(&self, act: Act) -> Result<(), Problem> {
        if self.actor.may(act) { Ok(()) } else { Err(Problem::forbidden(self.actor.role.name())) }
    }

    /// Their name, as it lies in the journal; where they come from stands beside it.
    #[must_use]
    pub fn who(&self) -> String {
        self.actor.name.to_string()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Problem> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(Problem::unauthorized)
    }
}

/// A cookie by its name.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// From where a request comes: the other end of the connection, or who the proxy before us says it is.
#[must_use]
pub fn origin(context: &Context, peer: SocketAddr, headers: &HeaderMap) -> String {
    let said = headers.get("x-forwarded-for").filter(|_| context.behind_proxy);
    // The last of them is what our own proxy saw; those before may be anybody's invention.
    let said =
        said.and_then(|v| v.to_str().ok()?.rsplit(',').next()?.trim().parse::<std::net::IpAddr>().ok());
    said.unwrap_or_else(|| peer.ip()).to_string()
}

/// Finds out who asks; who is nobody goes on as nobody, and is refused where somebody is wanted.
///
/// # Errors
/// The accounts cannot be read, a token is none, or a session changes something without its secret.
pub async fn identify(
    State(context): Shared,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let origin = origin(&context, peer, request.headers());
    if let Some(token) = bearer(request.headers())? {
        let actor = with_accounts(&context, move |accounts, now| accounts.by_token(&token, now)).await?;
        let actor = actor.ok_or_else(Problem::unauthorized)?;
        request.extensions_mut().insert(Caller { actor, origin, csrf: None });
    } else if let Some(own) = cookie(request.headers(), SESSION_COOKIE).map(str::to_owned) {
        let session = with_accounts(&context, move |accounts, now| accounts.session(&own, now)).await?;
        if let Some(session) = session {
            let given = request.headers().get(CSRF_HEADER).and_then(|v| v.to_str().ok());
            // Forms of pages bring it along in their body; whoever takes one looks there.
            let is_form = !request.uri().path().starts_with("/api/");
            if changes(request.method()) && !is_form && !given.is_some_and(|g| session.is_csrf(g)) {
                return Err(Problem::wrong_csrf());
            }
            let csrf = Some(session.csrf);
            request.extensions_mut().insert(Caller { actor: session.actor, origin, csrf });
        }
    }
    Ok(next.run(request).await)
}

/// Whether a request may change something.
fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Problem::unauthorized())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(Problem::unauthorized)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(token.trim().to_owned()))
    } else {
        Err(Problem::unauthorized())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_only_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=1; submeterd=x.y; submeterd2=no".parse().unwrap());
        headers.append(COOKIE, "lang=zh".parse().unwrap());
        assert_eq!(cookie(&headers, SESSION_COOKIE), Some("x.y"));
        assert_eq!(cookie(&headers, "lang"), Some("zh"));
        assert_eq!(cookie(&headers, "ubmeterd"), None);
    }

    #[test]
    fn only_a_bearer_token_is_one() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            bearer(&headers)
        };
        assert_eq!(of("Bearer smd_x").unwrap().as_deref(), Some("smd_x"));
        assert_eq!(of("bearer  smd_x ").unwrap().as_deref(), Some("smd_x"));
        assert!(of("Basic bmFtZQ==").is_err() && of("smd_x").is_err());
        assert_eq!(bearer(&HeaderMap::new()).unwrap(), None);
    }
}
