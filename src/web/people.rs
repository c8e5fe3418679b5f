//! Users and tokens, for who administers.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::parts;
use super::view::View;
use crate::accounts::role::Role;
use crate::api::context::Context;
use crate::api::problem::Problem;
use crate::api::v1::people::{list_tokens, list_users};
use crate::model::time::UtcMs;
use crate::wording::people as words;

/// Users and tokens.
///
/// # Errors
/// They may not, or the accounts cannot be read.
pub async fn people(context: &Context, view: &View) -> Result<Markup, Problem> {
    let (users, tokens) =
        (list_users(context, &view.caller).await?, list_tokens(context, &view.caller).await?);
    let zone = TimeZone::system();
    Ok(html! {
        section {
            h2 { (view.say("Users", "用户")) }
            div.scroll { table {
                thead { tr { th { (view.say("Name", "用户名")) } th { (view.say("May", "权限")) } th { (view.say("Since", "创建时间")) } } }
                tbody { @for user in &users { tr {
                    td { b { (user.name) } @if !user.is_enabled { " " span.quiet { (view.say("disabled", "已停用")) } } }
                    td { form.row method="post" action="/settings/users/change" {
                        input type="hidden" name="csrf" value=(view.csrf());
                        input type="hidden" name="name" value=(user.name);
                        (role(view, user.role)) (scope(view, &user.scope))
                        label.check { input type="checkbox" name="is_enabled" value="true" checked[user.is_enabled]; (view.say("may log in", "可登录")) }
                        button { (view.say("Save", "保存")) }
                    } }
                    td { (parts::moment(UtcMs(user.created_ms), &zone)) }
                } } }
            } }
            form.row.card method="post" action="/settings/users" {
                input type="hidden" name="csrf" value=(view.csrf());
                label { (view.say("Name", "用户名")) input name="name" maxlength="64" autocomplete="off" required; }
                label { (view.say("Password", "密码")) input type="password" name="password" minlength="10" autocomplete="new-password" required; }
                (role(view, Role::Viewer)) (scope(view, "all"))
                button.main { (view.say("Add user", "新增用户")) }
            }
        }
        section {
            h2 { (view.say("Tokens for programs", "程序令牌")) }
            @if !tokens.is_empty() { div.scroll { table {
                thead { tr { th { (view.say("For", "用途")) } th { (view.say("May", "权限")) } th { (view.say("Made", "创建")) } th { (view.say("Last used", "最近使用")) } th {} } }
                tbody { @for token in &tokens { tr {
                    td { b { (token.name) } } td { (token.role) " · " (token.scope) }
                    td { (parts::moment(UtcMs(token.created_ms), &zone)) " " span.quiet { (token.by) } }
                    td { @match token.last_used_ms { Some(ms) => (parts::moment(UtcMs(ms), &zone)), None => (view.say("never", "从未")) } }
                    td { form method="post" action="/settings/tokens/revoke" {
                        input type="hidden" name="csrf" value=(view.csrf());
                        input type="hidden" name="id" value=(token.id);
                        button { (view.say("Revoke", "吊销")) }
                    } }
                } } }
            } } }
            form.row.card method="post" action="/settings/tokens" {
                input type="hidden" name="csrf" value=(view.csrf());
                label { (view.say("For", "用途")) input name="name" maxlength="64" required; }
                (role(view, Role::Viewer)) (scope(view, "all"))
                button.main { (view.say("Make a token", "新增令牌")) }
            }
        }
    })
}

fn role(view: &View, chosen: Role) -> Markup {
    html! { label { (view.say("Role", "角色")) select name="role" {
        @for role in Role::ALL { option value=(role.name()) selected[role == chosen] { (words::role(role).in_lang(view.lang())) } }
    } } }
}

fn scope(view: &View, value: &str) -> Markup {
    html! { label { (view.say("Sees: all, region:NAME or site:ID", "范围：all、region:区县 或 site:编号"))
    input name="scope" value=(value) required; } }
}
