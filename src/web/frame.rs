//! What stands around every page: head, ways to the others, language, who is logged in.

use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::view::{Look, View};
use crate::accounts::role::{Act, Scope};
use crate::wording::words::Lang;

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · submeterd" }
            link rel="icon" type="image/svg+xml" href=(assets::path("icon.svg"));
            link rel="stylesheet" href=(assets::path("uplot.css"));
            link rel="stylesheet" href=(assets::path("style.css"));
            script defer src=(assets::path("uplot.js")) {}
            script defer src=(assets::path("chart.js")) {}
            script defer src=(assets::path("page.js")) {}
        }
    }
}

fn code(lang: Lang) -> &'static str {
    lang.say("en", "zh-CN")
}

/// The other language, by its own name.
fn other_language(look: &Look) -> Markup {
    let (to, name) = match look.lang {
        Lang::En => ("zh", "中文"),
        Lang::Zh => ("en", "English"),
    };
    let back = serde_urlencoded::to_string([("back", &look.here)]).unwrap_or_default();
    html! { a.lang href={"/like/lang/" (to) "?" (back)} lang=(to) { (name) } }
}

/// A page for somebody who is logged in.
#[must_use]
pub fn page(view: &View, title: &str, body: &Markup) -> Markup {
    let path = view.look.here.split('?').next().unwrap_or_default();
    let way = |to: &str, name: &str| {
        let is_here = if to == "/" { path == "/" } else { path.starts_with(to) };
        html! { a href=(to) aria-current=[is_here.then_some("page")] { (name) } }
    };
    let sees_all = view.caller.actor.scope == Scope::All;
    html! {
        (DOCTYPE)
        html lang=(code(view.lang())) data-light=(view.look.light) {
            (head(title))
            body data-csrf=(view.csrf()) data-live {
                a.skip href="#main" { (view.say("To the content", "跳到正文")) }
                header.top {
                    a.brand href="/" { img src=(assets::path("icon.svg")) alt="" width="24" height="24"; "submeterd" }
                    nav aria-label=(view.say("Pages", "页面")) {
                        (way("/", view.say("Overview", "总览")))
                        (way("/alerts", view.say("Alerts", "告警")))
                        (way("/sites", view.say("Sites", "企业")))
                        @if sees_all {
                            (way("/links", view.say("Meters and links", "电表与链路")))
                            (way("/rejects", view.say("Rejects", "拒收报文")))
                        }
                        @if view.caller.actor.may(Act::Audit) && sees_all {
                            (way("/trail", view.say("Audit trail", "操作记录")))
                        }
                        (way("/settings", view.say("Settings", "设置")))
                    }
                    div.who {
                        span.live #live role="status" title=(view.say("live", "实时")) { "●" }
                        span { (view.caller.actor.name) }
                        (other_language(&view.look))
                        form method="post" action="/log-out" {
                            input type="hidden" name="csrf" value=(view.csrf());
                            button.plain { (view.say("Log out", "退出")) }
                        }
                    }
                }
                main #main tabindex="-1" { h1 { (title) } (body) }
            }
        }
    }
}

/// A page for anybody.
#[must_use]
pub fn bare(look: &Look, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(code(look.lang)) data-light=(look.light) {
            (head(title))
            body.bare {
                main #main {
                    p.brand { img src=(assets::path("icon.svg")) alt="" width="32" height="32"; "submeterd" }
                    h1 { (title) }
                    (body)
                    p { (other_language(look)) }
                }
            }
        }
    }
}
