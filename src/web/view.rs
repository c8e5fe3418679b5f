//! How somebody looks at the page: who they are, in which language, by which light.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;

use super::way::to_log_in;
use crate::api::caller::{Caller, cookie};
use crate::api::context::Context;
use crate::wording::words::Lang;

/// Cookies of what somebody likes.
pub const LANG_COOKIE: &str = "submeterd_lang";
/// Light or dark, where it is not what the system says.
pub const LIGHT_COOKIE: &str = "submeterd_light";

/// Who looks, and how.
#[derive(Clone, Debug)]
pub struct Look {
    /// The language.
    pub lang: Lang,
    /// `light`, `dark`, or nothing for what the system says.
    pub light: &'static str,
    /// Where they are, with the query.
    pub here: String,
}

impl Look {
    fn of(parts: &Parts) -> Look {
        let said = cookie(&parts.headers, LANG_COOKIE);
        let accepted = parts.headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
        let lang = Lang::of_locale(said.or(accepted).unwrap_or_default());
        let light = match cookie(&parts.headers, LIGHT_COOKIE) {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "",
        };
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |own| &own.0);
        Look { lang, light, here: uri.path_and_query().map_or_else(String::new, ToString::to_string) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Look {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Look, Self::Rejection> {
        Ok(Look::of(parts))
    }
}

/// Who looks at a page that is not for everybody.
#[derive(Clone, Debug)]
pub struct View {
    /// How.
    pub look: Look,
    /// Who.
    pub caller: Caller,
}

impl View {
    /// One of two texts, by the language.
    #[must_use]
    pub const fn say(&self, en: &'static str, zh: &'static str) -> &'static str {
        self.look.lang.say(en, zh)
    }

    /// The language.
    #[must_use]
    pub const fn lang(&self) -> Lang {
        self.look.lang
    }

    /// What a form must bring along.
    #[must_use]
    pub fn csrf(&self) -> &str {
        self.caller.csrf.as_deref().unwrap_or_default()
    }
}

impl FromRequestParts<Arc<Context>> for View {
    type Rejection = axum::response::Response;

    async fn from_request_parts(parts: &mut Parts, context: &Arc<Context>) -> Result<View, Self::Rejection> {
        let look = Look::of(parts);
        match parts.extensions.get::<Caller>() {
            Some(caller) => Ok(View { look, caller: caller.clone() }),
            None => Err(to_log_in(context, &look.here).await),
        }
    }
}
