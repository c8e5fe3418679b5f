//! Plants, their points and processes, and what they do.
#![expect(unused_qualifications, reason = "the macro that describes a route writes them")]

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::take::{Json, Path, Query};
use super::window;
use crate::accounts::role::Act;
use crate::api::board::plant::{Board, Plant};
use crate::api::caller::Caller;
use crate::api::context::{Context, Shared, ask};
use crate::api::problem::Problem;
use crate::model::rule::Level;
use crate::model::site::{Category, Grade, PointKind};
use crate::model::state::State as UnitState;
use crate::model::time::UtcMs;
use crate::store::views::StateView;

/// Plants in one answer, at most.
const N_SITES_MAX: usize = 1_000;
const N_SITES: usize = 100;

/// A plant in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SiteItem {
    /// Id.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// District.
    pub region: String,
    /// Industry.
    pub industry: String,
    /// Supervision category.
    pub category: Category,
    /// Performance grade.
    pub grade: Grade,
    /// IANA time zone.
    pub time_zone: String,
    /// Points that run.
    pub n_running: usize,
    /// Points that idle.
    pub n_idle: usize,
    /// Points that are off.
    pub n_off: usize,
    /// Points of which nothing is known.
    pub n_unknown: usize,
    /// Open alerts.
    pub n_open: usize,
    /// The gravest of them that somebody is told of.
    pub worst: Option<Level>,
}

impl SiteItem {
    /// Of a plant.
    #[must_use]
    pub fn of(plant: &Plant) -> SiteItem {
        let [n_running, n_idle, n_off, n_unknown] = plant.states();
        let site = &plant.site;
        SiteItem {
            id: site.id.to_string(),
            name: site.name.to_string(),
            region: site.region.to_string(),
            industry: site.industry.to_string(),
            category: site.category,
            grade: site.grade,
            time_zone: site.time_zone.to_string(),
            n_running,
            n_idle,
            n_off,
            n_unknown,
            n_open: plant.open().count(),
            worst: plant.worst(),
        }
    }
}

/// A metered unit and what it does.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PointItem {
    /// Id, unique within the plant.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// What it is.
    pub kind: PointKind,
    /// Meter id.
    pub meter: String,
    /// Name of what it falls silent with.
    pub gateway: String,
    /// Rated power, kW.
    pub rated_kw: f64,
    /// Running from this power up, kW.
    pub running_above_kw: f64,
    /// No longer running from this power down, kW.
    pub running_below_kw: f64,
    /// State.
    pub state: UnitState,
    /// Since when, UTC ms; none where nothing was ever known of it.
    pub since_ms: Option<i64>,
}

/// Treatment units of which some must run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TreatmentItem {
    /// Point ids.
    pub points: Vec<String>,
    /// How many of them must run.
    pub need: u16,
}

/// Which treatment must run while which production runs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProcessItem {
    /// Id, unique within the plant.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// Ids of production points: production runs if any of them runs.
    pub production: Vec<String>,
    /// Every group must have its number of units running.
    pub treatment: Vec<TreatmentItem>,
}

/// A plant in full.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SiteFull {
    /// In short.
    #[serde(flatten)]
    pub site: SiteItem,
    /// Its points.
    pub points: Vec<PointItem>,
    /// Its processes.
    pub processes: Vec<ProcessItem>,
}

/// The points of a plant, with what they do.
#[must_use]
pub fn points_of(plant: &Plant) -> Vec<PointItem> {
    let row = |(point, unit): (&crate::model::site::Point, &crate::api::board::plant::Unit)| {
        let meter = plant.meter(point);
        PointItem {
            id: point.id.to_string(),
            name: point.name.to_string(),
            kind: point.kind,
            meter: meter.map_or_else(String::new, |m| m.id.to_string()),
            gateway: meter.map_or_else(String::new, |m| m.gateway.to_string()),
            rated_kw: point.rated_w / 1_000.0,
            running_above_kw: point.thresholds.running_above_w / 1_000.0,
            running_below_kw: point.thresholds.running_below_w / 1_000.0,
            state: unit.state,
            since_ms: unit.since.map(|t| t.0),
        }
    };
    plant.site.points.iter().zip(&plant.units).map(row).collect()
}

fn processes_of(plant: &Plant) -> Vec<ProcessItem> {
    let id = |i: &u16| plant.site.points.get(usize::from(*i)).map_or_else(String::new, |p| p.id.to_string());
    let row = |process: &crate::model::site::Process| ProcessItem {
        id: process.id.to_string(),
        name: process.name.to_string(),
        production: process.production.iter().map(id).collect(),
        treatment: process
            .treatment
            .iter()
            .map(|group| TreatmentItem { points: group.points.iter().map(id).collect(), need: group.need })
            .collect(),
    };
    plant.site.processes.iter().map(row).collect()
}

/// The plants somebody sees.
pub fn seen<'a>(board: &'a Board, caller: &'a Caller) -> impl Iterator<Item = &'a Plant> {
    let plants = board.plants.iter().map(|plant| &**plant);
    plants.filter(|plant| caller.actor.sees(&plant.site.id, &plant.site.region))
}

/// A plant by its id; one that is out of sight is as good as none.
///
/// # Errors
/// There is none, or it is out of sight.
pub fn plant(context: &Context, caller: &Caller, id: &str) -> Result<std::sync::Arc<Plant>, Problem> {
    caller.must(Act::See)?;
    let board = context.board.borrow();
    let own = board.plant(id).filter(|plant| caller.actor.sees(&plant.site.id, &plant.site.region));
    own.cloned().ok_or_else(|| Problem::not_found("site", id))
}

/// Which plants are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SitesQuery {
    /// Of this district.
    pub region: Option<String>,
    /// Of this industry.
    pub industry: Option<String>,
    /// With this text in id, name, district or industry.
    pub q: Option<String>,
    /// Only those with an open alert at least this grave.
    pub level: Option<Level>,
    /// Only those after this id: `next` of the page before.
    pub after: Option<String>,
    /// At most so many, 1 to 1000; 100 if it is not said.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

/// Whether a plant has a text in what it is called; upper and lower case are the same.
#[must_use]
pub fn is_called(plant: &Plant, text: &str) -> bool {
    let text = text.to_lowercase();
    let site = &plant.site;
    [&site.id, &site.name, &site.region, &site.industry].iter().any(|own| own.to_lowercase().contains(&text))
}

impl SitesQuery {
    /// Whether a plant is wanted.
    #[must_use]
    pub fn fits(&self, plant: &Plant) -> bool {
        self.region.as_ref().is_none_or(|r| *plant.site.region == **r)
            && self.industry.as_ref().is_none_or(|i| *plant.site.industry == **i)
            && self.level.is_none_or(|level| plant.worst() >= Some(level))
            && self.q.as_ref().is_none_or(|text| is_called(plant, text))
    }
}

/// A page of plants, by id.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SitesPage {
    /// The plants.
    pub items: Vec<SiteItem>,
    /// What to ask for next as `after`; none where this is the last page.
    pub next: Option<String>,
}

/// Plants, by id.
#[utoipa::path(get, path = "/sites", tag = "sites", params(SitesQuery),
    responses((status = 200, body = SitesPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn sites(
    State(context): Shared,
    caller: Caller,
    Query(query): Query<SitesQuery>,
) -> Result<Json<SitesPage>, Problem> {
    caller.must(Act::See)?;
    let limit = limit(query.limit, N_SITES, N_SITES_MAX)?;
    let board = std::sync::Arc::clone(&context.board.borrow());
    let mut found: Vec<&Plant> = seen(&board, &caller).filter(|plant| query.fits(plant)).collect();
    found.sort_by(|a, b| a.site.id.cmp(&b.site.id));
    let after = query.after.as_deref().unwrap_or_default();
    let mut rest = found.into_iter().filter(|plant| *plant.site.id > *after).map(SiteItem::of);
    let items: Vec<SiteItem> = rest.by_ref().take(limit).collect();
    let next = rest.next().and_then(|_| items.last().map(|item| item.id.clone()));
    Ok(Json(SitesPage { items, next }))
}

/// How many are wanted.
///
/// # Errors
/// Too many or none.
pub fn limit(asked: Option<usize>, usual: usize, most: usize) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(usual);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::bad_request(format!("limit is 1 to {most}, not {limit}")))
}

/// One plant, with its points and processes.
#[utoipa::path(get, path = "/sites/{id}", tag = "sites", params(("id" = String, Path, description = "site id")),
    responses((status = 200, body = SiteFull), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn site(
    State(context): Shared,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<SiteFull>, Problem> {
    let plant = plant(&context, &caller, &id)?;
    Ok(Json(SiteFull {
        site: SiteItem::of(&plant),
        points: points_of(&plant),
        processes: processes_of(&plant),
    }))
}

/// Of when changes of state are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatesQuery {
    /// From, UTC ms.
    #[param(value_type = i64, minimum = 0, maximum = 7258118400000_i64)]
    pub from: UtcMs,
    /// Up to, not with, UTC ms.
    #[param(value_type = i64, minimum = 0, maximum = 7258118400000_i64)]
    pub to: UtcMs,
}

/// Changes of a unit's state in a span of time, the one in force at its begin first.
#[utoipa::path(get, path = "/sites/{id}/points/{point}/states", tag = "sites",
    params(("id" = String, Path, description = "site id"), ("point" = String, Path, description = "point id"), StatesQuery),
    responses((status = 200, body = Vec<StateView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub async fn states(
    State(context): Shared,
    caller: Caller,
    Path((id, point)): Path<(String, String)>,
    Query(query): Query<StatesQuery>,
) -> Result<Json<Vec<StateView>>, Problem> {
    let plant = plant(&context, &caller, &id)?;
    if !plant.site.points.iter().any(|p| *p.id == *point) {
        return Err(Problem::not_found("point", &point));
    }
    let span = window::span(query.from, query.to)?;
    ask(&context, move |files| files.states(&id, &point, span)).await.map(Json)
}
