//! What somebody likes, their password; users and tokens for who administers.

use axum::extract::{Path, Query, State};
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame;
use super::people;
use super::signed::Signed;
use super::view::{LANG_COOKIE, LIGHT_COOKIE, View};
use super::way::{Back, safe_way_of, see_other};
use crate::accounts::role::Act;
use crate::api::context::{Shared, with_accounts};
use crate::api::problem::Problem;
use crate::api::v1::people::record;

/// The page.
///
/// # Errors
/// The accounts cannot be read.
pub async fn show(State(context): Shared, view: View) -> Result<Markup, Problem> {
    page(&context, &view, None).await
}

/// The page, with something to say at the top.
///
/// # Errors
/// The accounts cannot be read.
pub async fn page(
    context: &crate::api::context::Context,
    view: &View,
    told: Option<&Markup>,
) -> Result<Markup, Problem> {
    let administers = view.caller.actor.may(Act::Administer);
    let people = if administers {
        people::people(context, view).await?
    } else {
        html! {}
    };
    let light = |to: &str, name: &str| {
        html! {
            a.button href={"/like/light/" (to) "?back=/settings"}
                aria-current=[(view.look.light == to.trim_start_matches("system")).then_some("true")] { (name) }
        }
    };
    let own = &view.caller.actor;
    let body = html! {
        @if let Some(told) = told { (told) }
        section {
            h2 { (view.say("You", "当前用户")) }
            p { b { (own.name) } " · " (own.role) " · " (own.scope) }
            p.chips { (light("system", view.say("Light as the system", "跟随系统"))) " "
                (light("light", view.say("Light", "浅色"))) " " (light("dark", view.say("Dark", "深色"))) }
            form.stack.card method="post" action="/settings/password" {
                input type="hidden" name="csrf" value=(view.csrf());
                input type="text" name="name" value=(own.name) autocomplete="username" hidden;
                label { (view.say("Password now", "当前密码"))
                    input type="password" name="old" autocomplete="current-password" required; }
                label { (view.say("New password, at least 10 characters", "新密码（至少 10 个字符）"))
                    input type="password" name="new" autocomplete="new-password" minlength="10" required; }
                button.main { (view.say("Change the password", "修改密码")) }
            }
        }
        (people)
        section {
            h2 { "API" }
            p { (view.say("Programs use tokens. What they can ask is described here: ", "程序通过令牌访问，接口说明见："))
                a href="/api/v1/openapi.json" { "/api/v1/openapi.json" } }
        }
    };
    Ok(frame::page(view, view.say("Settings", "设置"), &body))
}

/// Two passwords.
#[derive(Deserialize)]
pub struct NewOwn {
    old: String,
    new: String,
}

/// Changes one's own password; all sessions end, this one too.
///
/// # Errors
/// The old one is wrong, the new one is not taken, or the accounts cannot be written.
pub async fn set_own_password(
    State(context): Shared,
    view: View,
    Signed(own): Signed<NewOwn>,
) -> Result<Response, Problem> {
    let (name, origin) = (view.caller.who(), view.caller.origin.clone());
    let changed = with_accounts(&context, move |accounts, now| {
        accounts.log_in(&name, &own.old, &origin, now)?;
        accounts.set_password(&name, &own.new).map(drop)
    })
    .await;
    match changed {
        Ok(()) => {
            record(&context, &view.caller, "set_own_password", &view.caller.who(), String::new()).await?;
            Ok(see_other("/log-in"))
        }
        Err(problem) if problem.status < 500 => {
            let told = html! { p.wrong role="alert" { (problem.detail) } };
            Ok(page(&context, &view, Some(&told)).await?.into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// Keeps what somebody likes, and goes back.
pub async fn like(Path((what, how)): Path<(String, String)>, Query(back): Query<Back>) -> Response {
    let cookie = match (&*what, &*how) {
        ("lang", "zh" | "en") => Some((LANG_COOKIE, how.as_str())),
        ("light", "light" | "dark") => Some((LIGHT_COOKIE, how.as_str())),
        ("light", _) => Some((LIGHT_COOKIE, "")),
        _ => None,
    };
    let to = see_other(safe_way_of(&back));
    match cookie {
        Some((name, value)) => {
            let kept = format!("{name}={value}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax");
            ([(SET_COOKIE, kept)], to).into_response()
        }
        None => to,
    }
}
