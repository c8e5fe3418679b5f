//! The simulated plants: their units, when each runs, and what its meter shows at any moment. Pure.
//!
//! The same seed gives the same plants. One second stands for one minute of a real plant: a timetable of 60 s is an
//! hour, and the demo's limits are those of the recommended defaults divided by 60. Powers, times and energy are
//! real: a meter's register counts kWh by the seconds that pass.

use crate::model::site::PointKind;
use crate::wording::words::Words;

/// The story takes so long and begins again, s.
pub const ROUND_S: u32 = 60;

/// How the story goes in turn: rounds alternate between so many variations.
pub const N_VARIATIONS: usize = 2;

/// The smallest share of rated power a stopped unit still draws at most (its control cabinet).
const STANDBY_SHARE: f64 = 0.000_8;

/// Random part of a running unit's power, as a share of it.
const NOISE_SHARE: f64 = 0.015;

/// Power in the first second after a start, as a multiple.
const INRUSH: f64 = 1.4;

/// Intervals within a round, s: from (included) to (excluded).
pub type Timetable = &'static [(u32, u32)];

/// How a plant's meters reach the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// A gateway publishes them.
    Mqtt,
    /// The daemon polls them, one slave a meter.
    Modbus,
}

impl Wire {
    /// As people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Wire::Mqtt => "MQTT",
            Wire::Modbus => "Modbus TCP",
        }
    }
}

/// A machine with a meter of its own.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// Point and meter id within the plant.
    pub id: &'static str,
    /// As people call it.
    pub name: Words,
    /// Production or treatment.
    pub kind: PointKind,
    /// Nameplate, kW.
    pub rated_kw: f64,
    /// What it draws while it runs, kW.
    pub load_kw: f64,
    /// Working cycle: period in s, swing as a share of the load.
    pub cycle: (f64, f64),
    /// Power factor under load.
    pub power_factor: f64,
    /// Running from this power up, no longer running from that power down, kW.
    pub running_kw: (f64, f64),
    /// Its register when the demo begins, kWh.
    pub energy_start_kwh: f64,
    /// When it runs, in each variation of the story.
    pub runs: [Timetable; N_VARIATIONS],
    /// When its meter says nothing.
    pub silent: [Timetable; N_VARIATIONS],
}

/// A plant with one process.
#[derive(Clone, Copy, Debug)]
pub struct Plant {
    /// Site id.
    pub id: &'static str,
    /// As people call it.
    pub name: Words,
    /// Industry.
    pub industry: Words,
    /// How its meters reach the daemon.
    pub wire: Wire,
    /// Process id.
    pub process: &'static str,
    /// So many of its treatment units must run.
    pub need: u16,
    /// Its units.
    pub units: &'static [Unit],
}

/// What a meter shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Total active power, kW.
    pub power_kw: f64,
    /// Phase voltages, V.
    pub voltages_v: [f64; 3],
    /// Phase currents, A.
    pub currents_a: [f64; 3],
    /// Power factor.
    pub power_factor: f64,
    /// Import register, kWh.
    pub energy_kwh: f64,
    /// Whether the meter says so: a silent one measures on.
    pub heard: bool,
}

/// The meters of all plants at one moment.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Snapshot {
    /// Since the begin of the story, ms.
    pub elapsed_ms: u64,
    /// By plant, by unit.
    pub plants: Vec<Vec<Measured>>,
}

/// Plants whose meters run on from moment to moment.
#[derive(Clone, Debug)]
pub struct Simulation {
    plants: &'static [Plant],
    seed: u64,
    elapsed_ms: u64,
    energy_kwh: Vec<Vec<f64>>,
}

impl Simulation {
    /// Plants at the begin of the story.
    #[must_use]
    pub fn new(plants: &'static [Plant], seed: u64) -> Simulation {
        let start = |plant: &Plant| plant.units.iter().map(|u| u.energy_start_kwh).collect();
        Simulation { plants, seed, elapsed_ms: 0, energy_kwh: plants.iter().map(start).collect() }
    }

    /// Lets time pass up to `elapsed_ms` and reads every meter. Time does not go back.
    pub fn read(&mut self, elapsed_ms: u64) -> Snapshot {
        let passed_ms = elapsed_ms.saturating_sub(self.elapsed_ms);
        let before_ms = self.elapsed_ms;
        self.elapsed_ms = self.elapsed_ms.max(elapsed_ms);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a demo, far below 2^52")]
        let hours = passed_ms as f64 / 3_600_000.0;
        let mut all = Vec::with_capacity(self.plants.len());
        for (plant, registers) in self.plants.iter().zip(&mut self.energy_kwh) {
            let mut meters = Vec::with_capacity(plant.units.len());
            for (unit, energy_kwh) in plant.units.iter().zip(registers) {
                let (before_kw, now_kw) =
                    (unit.power_kw(self.seed, before_ms), unit.power_kw(self.seed, self.elapsed_ms));
                *energy_kwh += f64::midpoint(before_kw, now_kw) * hours;
                meters.push(unit.measured(self.seed, self.elapsed_ms, *energy_kwh));
            }
            all.push(meters);
        }
        Snapshot { elapsed_ms: self.elapsed_ms, plants: all }
    }
}

impl Unit {
    /// Whether it runs.
    #[must_use]
    pub fn runs_at(&self, elapsed_ms: u64) -> bool {
        interval(&self.runs, elapsed_ms).is_some()
    }

    /// Whether its meter is heard.
    #[must_use]
    pub fn heard_at(&self, elapsed_ms: u64) -> bool {
        interval(&self.silent, elapsed_ms).is_none()
    }

    /// Its power, kW.
    #[must_use]
    pub fn power_kw(&self, seed: u64, elapsed_ms: u64) -> f64 {
        let mut random = self.random(seed, elapsed_ms, 0);
        let Some(begun_s) = interval(&self.runs, elapsed_ms) else {
            return self.rated_kw * STANDBY_SHARE * random.f64();
        };
        let (_, in_round_ms) = place(elapsed_ms);
        let (period_s, swing) = self.cycle;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a demo, far below 2^52")]
        let turn = (elapsed_ms as f64 / 1_000.0 / period_s) * std::f64::consts::TAU;
        let noise = (random.f64() - 0.5) * 2.0 * NOISE_SHARE;
        let started = begun_s > 0 && in_round_ms - u64::from(begun_s) * 1_000 < 1_000;
        let inrush = if started { INRUSH } else { 1.0 };
        self.load_kw * (1.0 + swing * turn.sin() + noise) * inrush
    }

    fn measured(&self, seed: u64, elapsed_ms: u64, energy_kwh: f64) -> Measured {
        let power_kw = self.power_kw(seed, elapsed_ms);
        let mut random = self.random(seed, elapsed_ms, 1);
        let voltages_v = [0.0; 3].map(|_: f64| 230.0 + (random.f64() - 0.5) * 3.0);
        // A stopped unit's cabinet is a small power supply.
        let power_factor = if self.runs_at(elapsed_ms) { self.power_factor } else { 0.6 };
        let currents_a = voltages_v.map(|v| power_kw * 1_000.0 / 3.0 / v / power_factor);
        let heard = self.heard_at(elapsed_ms);
        Measured { power_kw, voltages_v, currents_a, power_factor, energy_kwh, heard }
    }

    /// Random numbers that depend on the seed, the unit, the second and what they are for, and on nothing else.
    fn random(&self, seed: u64, elapsed_ms: u64, purpose: u64) -> fastrand::Rng {
        let mut mixed = seed ^ purpose.rotate_left(48);
        for part in self.name.en.bytes().map(u64::from).chain([elapsed_ms / 1_000]) {
            mixed = (mixed ^ part).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        }
        fastrand::Rng::with_seed(mixed)
    }
}

/// Variation of the story and time within it, ms.
#[must_use]
pub fn place(elapsed_ms: u64) -> (usize, u64) {
    let round_ms = u64::from(ROUND_S) * 1_000;
    let round = usize::try_from(elapsed_ms / round_ms).unwrap_or(usize::MAX);
    (round % N_VARIATIONS, elapsed_ms % round_ms)
}

/// The begin of the interval that holds at a moment, s.
fn interval(tables: &[Timetable; N_VARIATIONS], elapsed_ms: u64) -> Option<u32> {
    let (variation, in_round_ms) = place(elapsed_ms);
    let holds =
        |(from, to): &&(u32, u32)| (u64::from(*from) * 1_000..u64::from(*to) * 1_000).contains(&in_round_ms);
    tables[variation].iter().find(holds).map(|(from, _)| *from)
}

#[cfg(test)]
mod tests {
    use super::super::story::PLANTS;
    use super::*;

    fn unit(plant: &str, id: &str) -> &'static Unit {
        PLANTS.iter().find(|p| p.id == plant).unwrap().units.iter().find(|u| u.id == id).unwrap()
    }

    #[test]
    fn a_running_unit_is_clearly_running_and_a_stopped_one_clearly_off() {
        for plant in &PLANTS {
            for unit in plant.units {
                let (above, below) = unit.running_kw;
                for second in 0..u64::from(ROUND_S) * 4 {
                    let (ms, power_kw) = (second * 1_000, unit.power_kw(7, second * 1_000));
                    if unit.runs_at(ms) {
                        assert!(power_kw > above * 1.1, "{}/{} {second}: {power_kw}", plant.id, unit.id);
                        assert!(power_kw < unit.rated_kw * INRUSH, "{}/{}: {power_kw}", plant.id, unit.id);
                    } else {
                        assert!(
                            (0.0..below / 5.0).contains(&power_kw),
                            "{}/{}: {power_kw}",
                            plant.id,
                            unit.id
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_register_counts_what_the_power_delivers() {
        let mut simulation = Simulation::new(&PLANTS, 1);
        let first = simulation.read(0);
        let mut sum_kwh = 0.0;
        let mut before_kw = first.plants[1][0].power_kw;
        let mut last = first.clone();
        for second in 1..=120 {
            last = simulation.read(second * 1_000);
            let now_kw = last.plants[1][0].power_kw;
            sum_kwh += f64::midpoint(before_kw, now_kw) / 3_600.0;
            before_kw = now_kw;
        }
        let counted_kwh = last.plants[1][0].energy_kwh - first.plants[1][0].energy_kwh;
        assert!((counted_kwh - sum_kwh).abs() < 1e-9, "{counted_kwh} {sum_kwh}");
        assert!((2.2..2.6).contains(&counted_kwh), "two minutes of about 71 kW: {counted_kwh}");
    }

    #[test]
    fn voltage_current_and_power_factor_make_the_power() {
        let mut simulation = Simulation::new(&PLANTS, 3);
        for meter in simulation.read(25_000).plants.iter().flatten() {
            let apparent_kva: f64 =
                meter.voltages_v.iter().zip(meter.currents_a).map(|(u, i)| u * i / 1_000.0).sum();
            assert!((apparent_kva * meter.power_factor - meter.power_kw).abs() < 1e-6, "{meter:?}");
        }
    }

    #[test]
    fn the_same_seed_tells_the_same_story_and_another_seed_another_one() {
        let run = |seed| Simulation::new(&PLANTS, seed).read(17_000);
        assert_eq!(run(5), run(5));
        assert_ne!(run(5), run(6));
    }

    #[test]
    fn a_start_draws_more_for_a_second_but_not_where_the_story_begins_anew() {
        let scrubber = unit("plant-b", "scrubber");
        let (back_ms, load) = (38_000, scrubber.load_kw);
        assert!(scrubber.power_kw(1, back_ms) > load * 1.3);
        assert!(scrubber.power_kw(1, back_ms + 1_000) < load * 1.1);
        assert!(scrubber.power_kw(1, u64::from(ROUND_S) * 1_000) < load * 1.1);
    }
}
