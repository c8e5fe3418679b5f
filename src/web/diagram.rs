//! A process as a line from production to treatment, each unit with its state: what an electrician knows from the cabinet door.

use maud::{Markup, html};

use super::parts;
use super::view::View;
use crate::api::board::plant::{Plant, Unit};
use crate::model::site::Process;
use crate::model::state::State;

/// The line of a process.
#[must_use]
pub fn line(view: &View, plant: &Plant, process: &Process) -> Markup {
    html! {
        div.line {
            div.group {
                span.label { (view.say("Production, any of", "生产（任一）")) }
                div.units { @for point in &process.production { (unit(view, plant, *point)) } }
            }
            @for group in &process.treatment {
                span.wire aria-hidden="true" { "━▶" }
                div.group {
                    span.label { (need(view, usize::from(group.need), group.points.len())) }
                    div.units { @for point in &group.points { (unit(view, plant, *point)) } }
                }
            }
        }
    }
}

fn need(view: &View, need: usize, of: usize) -> String {
    match (need == of, of) {
        (true, 1) => view.say("Treatment, must run", "治污（须运行）").to_owned(),
        (true, _) => view.say("Treatment, all must run", "治污（须全部运行）").to_owned(),
        (false, _) => format!("{} {need}/{of}", view.say("Treatment, must run", "治污（须运行）")),
    }
}

fn unit(view: &View, plant: &Plant, point: u16) -> Markup {
    let place = usize::from(point);
    let (Some(point), Some(Unit { state, .. })) = (plant.site.points.get(place), plant.units.get(place))
    else {
        return html! {};
    };
    let state: State = *state;
    html! { div class={"unit " (state.name())} { b { (point.name) } (parts::state(state, view.lang())) } }
}
