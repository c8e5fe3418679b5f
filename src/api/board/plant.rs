//! The board: every plant as it is configured, and what it does now.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::meter::{Meter, Profile};
use crate::model::reading::Offset;
use crate::model::rule::Level;
use crate::model::site::{Point, Site};
use crate::model::state::State;
use crate::model::time::{HOUR_MS, UtcMs};
use crate::store::overview::Brief;

/// So many hours are shown of the past.
pub const N_HOURS: usize = 24;

/// A unit now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// State.
    pub state: State,
    /// Since when, if anything was ever known of it.
    pub since: Option<UtcMs>,
}

impl Unit {
    const UNKNOWN: Unit = Unit { state: State::Unknown, since: None };
}

/// A plant.
#[derive(Clone, Debug)]
pub struct Plant {
    /// As configured, with what was learned laid over it; its points name meters by their place in `meters`.
    pub site: Site,
    /// Its meters.
    pub meters: Vec<Meter>,
    /// By point: what it does.
    pub units: Vec<Unit>,
    /// Its alerts that are open, and those that ended within the last day.
    pub alerts: Vec<Brief>,
}

/// How many units are running, idle, off and unknown.
pub type States = [usize; 4];

impl Plant {
    pub(super) fn new(mut site: Site, all: &[Meter]) -> Plant {
        let mut meters = Vec::with_capacity(site.points.len());
        for point in &mut site.points {
            if let Some(meter) = all.get(point.meter as usize) {
                point.meter = u32::try_from(meters.len()).unwrap_or(u32::MAX);
                meters.push(meter.clone());
            }
        }
        let units = vec![Unit::UNKNOWN; site.points.len()];
        Plant { site, meters, units, alerts: Vec::new() }
    }

    /// The meter of a point.
    #[must_use]
    pub fn meter(&self, point: &Point) -> Option<&Meter> {
        self.meters.get(point.meter as usize)
    }

    /// Its open alerts.
    pub fn open(&self) -> impl Iterator<Item = &Brief> {
        self.alerts.iter().filter(|a| a.is_open)
    }

    /// The gravest of them that somebody is to be told of.
    #[must_use]
    pub fn worst(&self) -> Option<Level> {
        self.open().filter(|a| !a.is_suppressed).map(|a| a.level).max()
    }

    /// Its units by state.
    #[must_use]
    pub fn states(&self) -> States {
        let mut states = [0; 4];
        for unit in &self.units {
            states[State::ALL.iter().position(|s| *s == unit.state).unwrap_or(3)] += 1;
        }
        states
    }

    /// The gravest alert of each of the last hours, the oldest first.
    #[must_use]
    pub fn hours(&self, now: UtcMs) -> [Option<Level>; N_HOURS] {
        let mut hours = [None; N_HOURS];
        let end = UtcMs((now.0.div_euclid(HOUR_MS) + 1) * HOUR_MS);
        for alert in self.alerts.iter().filter(|a| !a.is_retracted && !a.is_suppressed) {
            for (ago, hour) in (1_i64..).zip(hours.iter_mut().rev()) {
                let from = end.plus(-ago * HOUR_MS);
                let is_over = alert.cleared.is_some_and(|cleared| cleared <= from);
                if alert.first < from.plus(HOUR_MS) && !is_over {
                    *hour = (*hour).max(Some(alert.level));
                }
            }
        }
        hours
    }

    pub(super) fn note(&mut self, brief: Brief, since: UtcMs) {
        self.alerts.retain(|a| a.id != brief.id && a.cleared.is_none_or(|cleared| cleared >= since));
        if !brief.is_retracted {
            self.alerts.push(brief);
        }
    }
}

/// Every plant.
#[derive(Clone, Debug)]
pub struct Board {
    /// The last message that is in it.
    pub passed: Offset,
    /// How far time has gone, as the journal tells it.
    pub now: UtcMs,
    /// By index.
    pub plants: Vec<Arc<Plant>>,
    /// Register profiles that are in use.
    pub profiles: Arc<Vec<Profile>>,
    pub(super) places: Arc<HashMap<Box<str>, u32>>,
}

impl Board {
    pub(super) fn empty() -> Board {
        let (places, profiles) = (Arc::default(), Arc::default());
        Board { passed: 0, now: UtcMs::MIN, plants: Vec::new(), profiles, places }
    }

    /// A plant by its id.
    #[must_use]
    pub fn plant(&self, site: &str) -> Option<&Arc<Plant>> {
        self.plants.get(*self.places.get(site)? as usize)
    }

    pub(super) fn plant_mut(&mut self, site: &str) -> Option<&mut Plant> {
        let place = *self.places.get(site)? as usize;
        self.plants.get_mut(place).map(Arc::make_mut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::press_and_fan;
    use crate::model::rule::Rule;

    fn brief(id: &str, level: Level, first: i64, cleared: Option<i64>) -> Brief {
        Brief {
            id: id.into(),
            site: "plant".into(),
            rule: Rule::TreatmentOff,
            subject: "line".into(),
            level,
            first: UtcMs(first),
            raised: UtcMs(first),
            cleared: cleared.map(UtcMs),
            is_open: cleared.is_none(),
            is_retracted: false,
            is_acknowledged: false,
            is_suppressed: false,
            offset: 1,
        }
    }

    #[test]
    fn an_hour_shows_the_gravest_alert_that_lies_in_it() {
        let mut plant = Plant::new(press_and_fan::site(), &press_and_fan::meters());
        let now = UtcMs(48 * HOUR_MS + 5);
        let at = |hours_ago: i64| 48 * HOUR_MS - hours_ago * HOUR_MS;
        plant.note(brief("a", Level::Warning, at(3), Some(at(1))), UtcMs::MIN);
        plant.note(brief("b", Level::Alarm, at(2) + 1, Some(at(2) + 2)), UtcMs::MIN);
        plant.note(brief("c", Level::Critical, at(30), Some(at(24))), UtcMs::MIN);
        let hours = plant.hours(now);
        // The last hour has just begun; the alert that ended when the one before it began is not in that one.
        assert_eq!(&hours[20..], [Some(Level::Warning), Some(Level::Alarm), None, None]);
        assert!(hours[..20].iter().all(Option::is_none), "{hours:?}");
        plant.note(brief("d", Level::Notice, at(40), None), UtcMs::MIN);
        assert!(plant.hours(now).iter().all(Option::is_some), "what is open reaches to the present");
        assert_eq!((plant.worst(), plant.open().count()), (Some(Level::Notice), 1));
    }

    #[test]
    fn what_ended_long_ago_is_let_go_when_something_new_comes() {
        let mut plant = Plant::new(press_and_fan::site(), &press_and_fan::meters());
        plant.note(brief("a", Level::Warning, 0, Some(5)), UtcMs(0));
        plant.note(brief("b", Level::Warning, 0, None), UtcMs(6));
        let ids: Vec<&str> = plant.alerts.iter().map(|a| &*a.id).collect();
        assert_eq!(ids, ["b"]);
        let mut gone = brief("b", Level::Warning, 0, None);
        (gone.is_open, gone.is_retracted) = (false, true);
        plant.note(gone, UtcMs(6));
        assert!(plant.alerts.is_empty());
    }
}
