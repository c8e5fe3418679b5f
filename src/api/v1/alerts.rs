//! Alerts: a list by whatever is asked for, and one in full.
#![expect(unused_qualifications, reason = "the macro that describes a route writes them")]

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::sites::{is_called, limit, seen};
use super::take::{Json, Path, Query};
use crate::accounts::role::{Act, Scope};
use crate::alerts::alert::{Alert, Status};
use crate::api::board::plant::Board;
use crate::api::caller::Caller;
use crate::api::context::{Context, Shared, ask};
use crate::api::problem::Problem;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;
use crate::store::alert_list::{AlertQuery, Place, Text};
use crate::wording::words;

/// Alerts in one answer, at most.
const N_ALERTS_MAX: usize = 500;
/// Alerts of a page.
pub const N_ALERTS: usize = 50;

/// Which alerts are wanted; what is not said does not matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertsQuery {
    /// `open`, `cleared` or `retracted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// At least this grave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// By this rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Of this site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Of sites in this district.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Of sites of this industry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub industry: Option<String>,
    /// About this process, point or gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether somebody took note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<bool>,
    /// Whether nobody is told of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<bool>,
    /// Who is to see to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<String>,
    /// Raised at this moment or later, UTC ms.
    #[param(value_type = Option<i64>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<UtcMs>,
    /// Raised before this moment, UTC ms.
    #[param(value_type = Option<i64>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<UtcMs>,
    /// A text: in the name of site or subject, what a rule is called, or the begin of an id.
    #[param(max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only those after this place of the list: `next` of the page before.
    #[param(pattern = "^-?[0-9]{1,18}-[0-9A-Za-z]+$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many, 1 to 500; 50 if it is not said.
    #[param(minimum = 1, maximum = 500)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// A text that is looked for is no longer than this, characters.
const TEXT_CHARS_MAX: usize = 200;

/// A page of alerts, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlertsPage {
    /// The alerts.
    pub items: Vec<Alert>,
    /// What to ask for next as `after`; none where this is the last page.
    pub next: Option<String>,
}

fn text(typed: &str, board: &Board, caller: &Caller) -> Text {
    let low = typed.to_lowercase();
    let fits = |rule: &&Rule| {
        let said = words::rule(**rule);
        said.zh.contains(typed) || said.en.contains(&low) || rule.id().eq_ignore_ascii_case(typed)
    };
    let mut text = Text {
        typed: typed.to_owned(),
        rules: Rule::ALL.iter().filter(fits).copied().collect(),
        ..Text::default()
    };
    for plant in seen(board, caller) {
        if is_called(plant, typed) {
            text.sites.push(plant.site.id.clone());
            continue;
        }
        let points = plant.site.points.iter().map(|p| (&p.id, &p.name));
        let parts = points.chain(plant.site.processes.iter().map(|p| (&p.id, &p.name)));
        let fits =
            parts.filter(|(id, name)| id.to_lowercase().contains(&low) || name.to_lowercase().contains(&low));
        text.subjects.extend(fits.map(|(id, _)| (plant.site.id.clone(), id.clone())));
    }
    text
}

impl AlertsQuery {
    /// What to ask the store, within what somebody sees.
    ///
    /// # Errors
    /// Something that was asked for cannot be meant.
    pub fn within(&self, board: &Board, caller: &Caller) -> Result<AlertQuery, Problem> {
        let after = self.after.as_deref().map(str::parse::<Place>).transpose();
        let after = after
            .map_err(|()| Problem::bad_request("after is no place of the list: take it from next".into()))?;
        if self.q.as_ref().is_some_and(|q| q.chars().nth(TEXT_CHARS_MAX).is_some()) {
            return Err(Problem::bad_request(format!("q is longer than {TEXT_CHARS_MAX} characters")));
        }
        let is_whole = self.site.is_none() && self.region.is_none() && self.industry.is_none();
        let sites = (!is_whole || caller.actor.scope != Scope::All).then(|| {
            let wanted = seen(board, caller).map(|p| &p.site).filter(|site| {
                self.site.as_ref().is_none_or(|id| *site.id == **id)
                    && self.region.as_ref().is_none_or(|r| *site.region == **r)
                    && self.industry.as_ref().is_none_or(|i| *site.industry == **i)
            });
            let mut ids: Vec<Box<str>> = wanted.map(|site| site.id.clone()).collect();
            // A site that is no longer configured still has its alerts.
            if let (true, Some(id), Scope::All) = (ids.is_empty(), &self.site, &caller.actor.scope) {
                ids.push(id.as_str().into());
            }
            ids
        });
        let typed = self.q.as_deref().map(str::trim).filter(|q| !q.is_empty());
        Ok(AlertQuery {
            status: self.status,
            level: self.level,
            rule: self.rule,
            sites,
            subject: self.subject.clone(),
            acknowledged: self.acknowledged,
            suppressed: self.suppressed,
            assigned: self.assigned.clone(),
            since: self.since,
            until: self.until,
            text: typed.map(|q| text(q, board, caller)),
            after,
        })
    }
}

/// A page of what is wanted.
///
/// # Errors
/// It cannot be meant, or the store cannot be read.
pub async fn page(context: &Context, caller: &Caller, query: &AlertsQuery) -> Result<AlertsPage, Problem> {
    caller.must(Act::See)?;
    let limit = limit(query.limit, N_ALERTS, N_ALERTS_MAX)?;
    let wanted = query.within(&context.board.borrow(), caller)?;
    let mut items = ask(context, move |files| files.alert_list(&wanted, limit + 1)).await?;
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| has_more).map(|last| Place::after(last).to_string());
    Ok(AlertsPage { items, next })
}

/// An alert by its id, if its site is in sight.
///
/// # Errors
/// There is none, or it is out of sight.
pub async fn of_id(context: &Context, caller: &Caller, id: &str) -> Result<Alert, Problem> {
    caller.must(Act::See)?;
    let wanted = id.to_owned();
    let alert = ask(context, move |files| files.alert_of_id(&wanted)).await?;
    let region = context.board.borrow().plant(&alert.site).map(|plant| plant.site.region.clone());
    if caller.actor.sees(&alert.site, region.as_deref().unwrap_or_default()) {
        Ok(alert)
    } else {
        Err(Problem::not_found("alert", id))
    }
}

/// Alerts, the newest first.
#[utoipa::path(get, path = "/alerts", tag = "alerts", params(AlertsQuery),
    responses((status = 200, body = AlertsPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn alerts(
    State(context): Shared,
    caller: Caller,
    Query(query): Query<AlertsQuery>,
) -> Result<Json<AlertsPage>, Problem> {
    page(&context, &caller, &query).await.map(Json)
}

/// One alert, with its evidence and all that happened to it.
#[utoipa::path(get, path = "/alerts/{id}", tag = "alerts", params(("id" = String, Path, description = "alert id")),
    responses((status = 200, body = Alert), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn alert(
    State(context): Shared,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Alert>, Problem> {
    of_id(&context, &caller, &id).await.map(Json)
}
