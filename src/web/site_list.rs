//! Plants, as a list that can be searched.

use std::sync::Arc;

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame;
use super::parts;
use super::view::View;
use crate::accounts::role::Act;
use crate::api::board::plant::Plant;
use crate::api::context::Shared;
use crate::api::problem::Problem;
use crate::api::v1::sites::{SitesQuery, seen};
use crate::model::state::State as UnitState;

/// Plants of a page.
const N_SITES: usize = 100;

/// What is looked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    region: String,
    after: String,
}

/// The list.
///
/// # Errors
/// They may not see anything.
pub async fn list(
    State(context): Shared,
    view: View,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Problem> {
    view.caller.must(Act::See)?;
    let board = Arc::clone(&context.board.borrow());
    let text = |t: &str| Some(t.trim().to_owned()).filter(|t| !t.is_empty());
    let query = SitesQuery { q: text(&wanted.q), region: text(&wanted.region), ..SitesQuery::default() };
    let mut found: Vec<&Plant> = seen(&board, &view.caller).filter(|plant| query.fits(plant)).collect();
    found.sort_by(|a, b| a.site.id.cmp(&b.site.id));
    let n = found.len();
    let rest: Vec<&Plant> = found.into_iter().filter(|plant| *plant.site.id > *wanted.after).collect();
    let next = (rest.len() > N_SITES).then(|| rest[N_SITES - 1].site.id.to_string());
    let body = html! {
        form.filters method="get" action="/sites" role="search" {
            label.wide { (view.say("Search", "搜索"))
                input type="search" name="q" value=(wanted.q) maxlength="200"
                    placeholder=(view.say("name, id, district, industry", "名称、编号、区县、行业")); }
            button.main { (view.say("Show", "查询")) }
            span.quiet { (n) " " (view.say("sites", "家企业")) }
        }
        @if rest.is_empty() { (parts::nothing(view.say("No site fits.", "没有符合条件的企业。"))) } @else { (table(&view, &rest)) }
        @if let Some(next) = next {
            @let more = serde_urlencoded::to_string([("q", &wanted.q), ("region", &wanted.region), ("after", &next)]);
            p.pages { a.button rel="next" href={"/sites?" (more.unwrap_or_default())} { (view.say("More", "更多")) } }
        }
    };
    Ok(frame::page(&view, view.say("Sites", "企业"), &body))
}

fn table(view: &View, plants: &[&Plant]) -> Markup {
    let lang = view.lang();
    html! {
        table.cards data-keys {
            thead { tr {
                th { (view.say("Site", "企业")) } th { (view.say("District", "区县")) } th { (view.say("Industry", "行业")) }
                th { (view.say("Points", "监测点")) } th { (view.say("Open alerts", "未解除告警")) }
            } }
            tbody { @for plant in plants.iter().take(N_SITES) { tr {
                td.what { a href={"/sites/" (plant.site.id)} { (plant.site.name) } " " code { (plant.site.id) } }
                td { (plant.site.region) }
                td { (plant.site.industry) }
                td { @for (state, n) in UnitState::ALL.into_iter().zip(plant.states()) { @if n > 0 {
                    (parts::state(state, lang)) " " (n) " "
                } } }
                td { @match plant.worst() {
                    Some(worst) => { (parts::level(worst, lang)) " " (plant.open().count()) },
                    None => span.quiet { "—" },
                } }
            } } }
        }
    }
}
