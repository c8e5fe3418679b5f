//! How people get in: the first of all by a code, the others by their password.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Form, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame;
use super::signed::Signed;
use super::view::Look;
use super::way::{Back, safe_way, see_other};
use crate::accounts::role::Actor;
use crate::api::caller::{Caller, SESSION_COOKIE, cookie, origin};
use crate::api::context::{Context, Shared, with_accounts};
use crate::api::problem::Problem;
use crate::api::v1::people::record;
use crate::model::time::SECOND_MS;

fn field(label: &str, name: &str, kind: &str, autocomplete: &str) -> Markup {
    html! {
        label { (label) input type=(kind) name=(name) autocomplete=(autocomplete) required; }
    }
}

fn log_in_page(look: &Look, back: &str, why: Option<&str>) -> Markup {
    let lang = look.lang;
    let form = html! {
        @if let Some(why) = why { p.wrong role="alert" { (why) } }
        form.stack method="post" action="/log-in" {
            input type="hidden" name="back" value=(back);
            (field(lang.say("Name", "用户名"), "name", "text", "username"))
            (field(lang.say("Password", "密码"), "password", "password", "current-password"))
            button.main { (lang.say("Log in", "登录")) }
        }
    };
    frame::bare(look, lang.say("Log in", "登录"), &form)
}

/// Where one logs in.
pub async fn log_in_form(look: Look, Query(query): Query<Back>) -> Markup {
    log_in_page(&look, safe_way(query.back.as_deref()), None)
}

/// Name and password.
#[derive(Deserialize)]
pub struct LogIn {
    name: String,
    password: String,
    #[serde(default)]
    back: String,
}

fn session_cookie(context: &Context, value: &str, age_s: i64) -> String {
    let secure = if context.is_secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}")
}

/// Whether a form was sent from our own page, as the browser says. Logging in has no session whose secret could say so.
fn is_own(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none")
}

/// Logs in.
///
/// # Errors
/// The accounts cannot be read, or the journal does not take it.
pub async fn log_in(
    State(context): Shared,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    look: Look,
    Form(own): Form<LogIn>,
) -> Result<Response, Problem> {
    if !is_own(&headers) {
        return Err(Problem::wrong_csrf());
    }
    let from = origin(&context, peer, &headers);
    let (name, password, address) = (own.name, own.password, from.clone());
    let entered =
        with_accounts(&context, move |accounts, now| accounts.log_in(&name, &password, &address, now)).await;
    let session = match entered {
        Ok(session) => session,
        Err(problem) if problem.status < 500 => {
            let page = log_in_page(&look, safe_way(Some(&own.back)), Some(&said(&problem, &look)));
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::FORBIDDEN);
            return Ok((status, page).into_response());
        }
        Err(problem) => return Err(problem),
    };
    let caller = Caller { actor: session.actor.clone(), origin: from, csrf: None };
    record(&context, &caller, "log_in", &session.actor.name, String::new()).await?;
    let age_s = session.expires.since(context.clock.now()) / SECOND_MS;
    let cookie = session_cookie(&context, &session.cookie, age_s);
    Ok(([(SET_COOKIE, cookie)], see_other(safe_way(Some(&own.back)))).into_response())
}

/// A refusal in the reader's language.
fn said(problem: &Problem, look: &Look) -> String {
    match problem.status {
        429 => {
            look.lang.say("Too many tries. Wait a little and try again.", "尝试次数过多，请稍后再试。").into()
        }
        403 => look
            .lang
            .say("That is not right. Check what you typed and try again.", "输入有误，请核对后重试。")
            .into(),
        _ => problem.detail.clone(),
    }
}

/// Logs out.
///
/// # Errors
/// The form is not our own, or the accounts cannot be written.
pub async fn log_out(
    State(context): Shared,
    headers: HeaderMap,
    Signed(_): Signed<Back>,
) -> Result<Response, Problem> {
    if let Some(own) = cookie(&headers, SESSION_COOKIE).map(str::to_owned) {
        with_accounts(&context, move |accounts, _| accounts.log_out(&own)).await?;
    }
    Ok(([(SET_COOKIE, session_cookie(&context, "", 0))], see_other("/log-in")).into_response())
}

fn set_up_page(look: &Look, why: Option<&str>) -> Markup {
    let lang = look.lang;
    let form = html! {
        p { (lang.say(
            "The first administrator is made here. The daemon printed a code when it started; with systemd: journalctl -u submeterd",
            "在此创建第一位管理员。守护进程启动时输出了初始代码；systemd 下可用 journalctl -u submeterd 查看",
        )) }
        @if let Some(why) = why { p.wrong role="alert" { (why) } }
        form.stack method="post" action="/setup" {
            (field(lang.say("Code", "初始代码"), "code", "text", "off"))
            (field(lang.say("Name", "用户名"), "name", "text", "username"))
            (field(lang.say("Password, at least 10 characters", "密码（至少 10 个字符）"), "password", "password", "new-password"))
            button.main { (lang.say("Make the administrator", "创建管理员")) }
        }
    };
    frame::bare(look, lang.say("First log-in", "首次登录"), &form)
}

/// Where the first administrator is made; gone once there is one.
///
/// # Errors
/// The accounts cannot be read.
pub async fn set_up_form(State(context): Shared, look: Look) -> Result<Response, Problem> {
    let is_open = with_accounts(&context, |accounts, _| accounts.needs_set_up()).await?;
    Ok(if is_open { set_up_page(&look, None).into_response() } else { see_other("/log-in") })
}

/// The code, and who the first administrator is.
#[derive(Deserialize)]
pub struct SetUp {
    code: String,
    name: String,
    password: String,
}

/// Makes the first administrator.
///
/// # Errors
/// The accounts cannot be written, or the journal does not take it.
pub async fn set_up(
    State(context): Shared,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    look: Look,
    Form(own): Form<SetUp>,
) -> Result<Response, Problem> {
    if !is_own(&headers) {
        return Err(Problem::wrong_csrf());
    }
    let from = origin(&context, peer, &headers);
    let address = from.clone();
    let made = with_accounts(&context, move |accounts, now| {
        accounts.set_up(&own.code, &own.name, &own.password, &address, now)
    })
    .await;
    match made {
        Ok(user) => {
            let actor: Actor = user.actor();
            let name = actor.name.to_string();
            let caller = Caller { actor, origin: from, csrf: None };
            record(&context, &caller, "set_up", &name, String::new()).await?;
            Ok(see_other("/log-in"))
        }
        Err(problem) if problem.status < 500 => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::FORBIDDEN);
            Ok((status, set_up_page(&look, Some(&said(&problem, &look)))).into_response())
        }
        Err(problem) => Err(problem),
    }
}
