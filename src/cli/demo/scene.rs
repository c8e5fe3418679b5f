//! What the demo shows at a moment: what the meters say, and what the daemon has found. Pure.

use std::collections::{HashMap, VecDeque};

use super::plant::{Plant, Snapshot};
use crate::alerts::alert::Alert;
use crate::model::site::PointKind;
use crate::model::state::State;

/// Powers kept for the sparklines: more than the widest terminal shows, one a second.
const POWERS_MAX: usize = 300;

/// What the daemon has found, as its store says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// State of each unit, by site and point.
    pub states: HashMap<(String, String), State>,
    /// Alerts, newest first.
    pub alerts: Vec<Alert>,
}

impl Findings {
    /// State of a unit; unknown until the daemon says something else.
    #[must_use]
    pub fn state(&self, site: &str, point: &str) -> State {
        self.states.get(&(site.to_owned(), point.to_owned())).copied().unwrap_or(State::Unknown)
    }
}

/// One side of a process: its production or its treatment.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// State by the daemon.
    pub state: State,
    /// Rated power of the units of which the side needs to run, kW.
    pub rated_kw: f64,
    /// Power of its units together, oldest first, one a second; `None` where a meter was silent.
    pub powers_kw: Vec<Option<f64>>,
}

/// One process.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Site id.
    pub plant: String,
    /// `plant-a/melting`
    pub name: String,
    /// Its production.
    pub production: Side,
    /// Its treatment.
    pub treatment: Side,
}

/// Everything that is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Since the begin of the story, ms.
    pub elapsed_ms: u64,
    /// The processes.
    pub rows: Vec<Row>,
    /// What the daemon has found.
    pub findings: Findings,
}

/// Powers of the last minutes.
#[derive(Clone, Debug)]
pub struct Past {
    plants: &'static [Plant],
    /// By plant: production and treatment.
    powers_kw: Vec<[VecDeque<Option<f64>>; 2]>,
}

impl Past {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(plants: &'static [Plant]) -> Past {
        Past { plants, powers_kw: vec![[VecDeque::new(), VecDeque::new()]; plants.len()] }
    }

    /// Adds what the meters say now.
    pub fn add(&mut self, snapshot: &Snapshot) {
        for ((plant, meters), kept) in self.plants.iter().zip(&snapshot.plants).zip(&mut self.powers_kw) {
            for (kind, powers_kw) in [PointKind::Production, PointKind::Treatment].into_iter().zip(kept) {
                let own = plant.units.iter().zip(meters).filter(|(unit, _)| unit.kind == kind);
                let sum_kw = own.map(|(_, m)| m.heard.then_some(m.power_kw)).sum();
                powers_kw.push_back(sum_kw);
                if powers_kw.len() > POWERS_MAX {
                    powers_kw.pop_front();
                }
            }
        }
    }

    /// The scene at a moment since the begin, with what the daemon has found.
    #[must_use]
    pub fn scene(&self, elapsed_ms: u64, findings: Findings) -> Scene {
        let side = |plant: &Plant, kind: PointKind, kept: &VecDeque<Option<f64>>| {
            let need = if kind == PointKind::Treatment { usize::from(plant.need) } else { 1 };
            let units: Vec<_> = plant.units.iter().filter(|u| u.kind == kind).collect();
            let states: Vec<State> = units.iter().map(|u| findings.state(plant.id, u.id)).collect();
            Side {
                state: together(&states, need),
                rated_kw: units.iter().take(need).map(|u| u.rated_kw).sum(),
                powers_kw: kept.iter().copied().collect(),
            }
        };
        let row = |(plant, [production, treatment]): (&Plant, &[VecDeque<Option<f64>>; 2])| Row {
            plant: plant.id.to_owned(),
            name: format!("{}/{}", plant.id, plant.process),
            production: side(plant, PointKind::Production, production),
            treatment: side(plant, PointKind::Treatment, treatment),
        };
        let rows = self.plants.iter().zip(&self.powers_kw).map(row).collect();
        Scene { elapsed_ms, rows, findings }
    }
}

/// The state of units of which `need` must run: running if so many do, unknown if the unknown ones could decide it.
fn together(states: &[State], need: usize) -> State {
    let count = |state| states.iter().filter(|s| **s == state).count();
    let running = count(State::Running);
    if running >= need {
        State::Running
    } else if running + count(State::Unknown) >= need {
        State::Unknown
    } else if count(State::Idle) > 0 {
        State::Idle
    } else {
        State::Off
    }
}

#[cfg(test)]
mod tests {
    use super::super::plant::Simulation;
    use super::super::story::PLANTS;
    use super::*;

    #[test]
    fn a_group_runs_if_enough_of_it_runs_and_nothing_is_guessed() {
        use State::{Idle, Off, Running, Unknown};
        assert_eq!(together(&[Off, Running], 1), Running);
        assert_eq!(together(&[Off, Unknown], 1), Unknown);
        assert_eq!(together(&[Off, Idle], 1), Idle);
        assert_eq!(together(&[Off, Off], 1), Off);
        assert_eq!(together(&[Off, Running], 2), Off);
    }

    #[test]
    fn a_silent_meter_leaves_a_hole_and_a_standby_unit_adds_its_power() {
        let mut simulation = Simulation::new(&PLANTS, 1);
        let mut past = Past::new(&PLANTS);
        for second in 0..=20 {
            past.add(&simulation.read(second * 1_000));
        }
        let scene = past.scene(20_000, Findings::default());
        assert!(scene.rows[2].production.powers_kw.iter().all(Option::is_some));
        let fan = &scene.rows[2].treatment.powers_kw;
        assert!(fan[3].is_some() && fan[4..].iter().all(Option::is_none), "{fan:?}");
        let fans = &scene.rows[0].treatment;
        assert!(fans.powers_kw[13].unwrap() > 100.0 && fans.powers_kw[5].unwrap() < 60.0, "both run at 13 s");
        assert!((fans.rated_kw - 75.0).abs() < 1e-9, "one of two is enough");
        assert_eq!(fans.state, State::Unknown, "the daemon has said nothing yet");
    }
}
