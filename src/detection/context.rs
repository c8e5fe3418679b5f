//! What follows from a site's configuration alone, worked out once and looked up for every reading.

use jiff::tz::TimeZone;

use super::meters::limits::{MeterLimits, SiteLimits, Times};
use super::process::{ProcessContext, ProcessJudge};
use super::rules::data_missing::SilenceLimits;
use super::rules::scene::level_max;
use super::sample::{Bucket, energy_gap_ms};
use super::state::UnitLimits;
use crate::model::meter::Meter;
use crate::model::rule::{Level, Rule};
use crate::model::site::{RuleLimits, Site};
use crate::model::time::UtcMs;

/// A point is unknown, and stale, only after this many of its periods.
const PERIODS_MIN: u32 = 3;

/// What a point in no process is judged by.
static DEFAULT: RuleLimits = RuleLimits::DEFAULT;

/// What follows from a site's configuration alone; made anew from it, never saved.
#[derive(Clone, Debug)]
pub struct SiteContext {
    /// Its zone.
    pub zone: TimeZone,
    /// Names of what falls silent together.
    pub gateways: Vec<Box<str>>,
    pub(super) silence: Vec<SilenceLimits>,
    /// In order: a point, and a process it belongs to.
    memberships: Vec<(u16, u16)>,
    /// By point that is in a process: its gateway.
    pub(super) judged_behind: Vec<Option<u16>>,
    /// By process: the most that what is said of it is worth.
    levels_max: Vec<Level>,
    /// What the rules about meters compare with.
    pub meters: SiteLimits,
    /// By point: the gap after which it is unknown where it says energy alone, ms.
    alone_ms: Vec<i64>,
}

impl SiteContext {
    /// Works it out. An unknown zone counts as UTC; the config stage refuses one.
    #[must_use]
    pub fn new(site: &Site, meters: &[Meter]) -> SiteContext {
        let n_points = site.points.len();
        let mut context = SiteContext {
            zone: TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC),
            gateways: Vec::new(),
            silence: Vec::with_capacity(n_points),
            memberships: Vec::new(),
            judged_behind: Vec::with_capacity(n_points),
            levels_max: site.processes.iter().map(|process| level_max(site, process)).collect(),
            meters: SiteLimits::new(&site.rules, n_points),
            alone_ms: Vec::with_capacity(n_points),
        };
        for (index, process) in (0_u16..).zip(&site.processes) {
            let judge = ProcessJudge::new(process, UtcMs::MIN);
            for point in judge.points() {
                context.memberships.push((point, index));
            }
        }
        context.memberships.sort_unstable();
        for (index, point) in (0_u16..).zip(&site.points) {
            let Some(meter) = meters.get(point.meter as usize) else { continue };
            let own = context.processes_of(index).next();
            let rules = own.map_or(&DEFAULT, |p| &site.processes[usize::from(p)].rules);
            let gateway = context.gateways.iter().position(|g| *g == meter.gateway).unwrap_or_else(|| {
                context.gateways.push(meter.gateway.clone());
                context.gateways.len() - 1
            });
            let gateway = u16::try_from(gateway).unwrap_or(u16::MAX);
            context.judged_behind.push(own.map(|_| gateway));
            let period_ms = meter.period_ms;
            let heartbeat_ms = meter.heartbeat_ms.max(period_ms);
            let period_step_ms = period_ms.max(site.step_ms);
            let gap_ms = site.gap_ms.max(period_step_ms.saturating_mul(PERIODS_MIN)).max(heartbeat_ms);
            let times = Times { period_ms, heartbeat_ms, gap_ms };
            context.meters.push(MeterLimits::new(point, meter, &site.rules, times), gateway);
            let step_kwh = context.meters.points.last().map_or(0.0, |m| m.register.least_step_kwh());
            let (period_step_ms, gap_ms) = (i64::from(period_step_ms), i64::from(gap_ms));
            context.alone_ms.push(energy_gap_ms(&point.thresholds, step_kwh, period_step_ms, gap_ms));
            let silent_ms = period_ms.saturating_mul(PERIODS_MIN).max(heartbeat_ms);
            context.silence.push(SilenceLimits {
                gateway,
                stale_ms: rules.stale_ms.max(silent_ms),
                offline_ms: rules.offline_ms.max(silent_ms),
                alarm_ms: rules.offline_alarm_ms,
                clear_ms: rules.clear_ms,
                is_on: site.rules.is_on(Rule::DataMissing),
            });
        }
        context.gateways.shrink_to_fit();
        context.memberships.shrink_to_fit();
        context
    }

    /// How many readings wait for their time where all points speak as often as they should.
    pub(super) fn n_waiting(&self, site: &Site) -> usize {
        let reorder_ms = i64::from(site.reorder_ms);
        let n: i64 = self.meters.points.iter().map(|own| reorder_ms / own.period_ms().max(1)).sum();
        usize::try_from(n + 1).unwrap_or_default()
    }

    /// The processes a point belongs to.
    pub(super) fn processes_of(&self, point: u16) -> impl Iterator<Item = u16> {
        let first = self.memberships.partition_point(|(p, _)| *p < point);
        self.memberships[first..].iter().take_while(move |(p, _)| *p == point).map(|(_, process)| *process)
    }

    /// The points that are in a process.
    pub(super) fn judged_points(&self) -> impl Iterator<Item = u16> {
        (0_u16..).zip(&self.judged_behind).filter(|(_, gateway)| gateway.is_some()).map(|(point, _)| point)
    }

    /// What judging one of its processes needs.
    pub(super) fn of_process<'a>(&'a self, site: &'a Site, index: u16) -> ProcessContext<'a> {
        let level_max = self.levels_max[usize::from(index)];
        let process = &site.processes[usize::from(index)];
        ProcessContext { site, process, zone: &self.zone, index, level_max }
    }
}

/// What the state machine of a unit needs to know of its point and meter.
pub(super) fn unit_limits<'a>(
    site: &'a Site,
    context: &SiteContext,
    point: u16,
    bucket: &Bucket,
) -> UnitLimits<'a> {
    let own = &context.meters.points[usize::from(point)];
    let step_ms = i64::from(site.step_ms);
    UnitLimits {
        thresholds: &site.points[usize::from(point)].thresholds,
        period_ms: own.period_ms().max(step_ms),
        heartbeat_ms: own.heartbeat_ms().max(step_ms),
        gap_ms: if bucket.is_energy_alone() { context.alone_ms[usize::from(point)] } else { own.gap_ms() },
    }
}
