//! The story of the demo: three plants, and what happens in each. Data only.
//!
//! Round one: an honest plant; one that switches its scrubber off while it produces, then on again; one whose
//! treatment meter goes silent while production runs. Round two, for whoever watches on: the second plant toggles its
//! scrubber inside the alert's delay; the third falls silent as a whole. Then again from the begin.

use super::plant::{Plant, ROUND_S, Unit, Wire, place};
use crate::model::site::PointKind::{Production, Treatment};
use crate::wording::words::{Words, words};

/// All of a round.
const ALWAYS: [(u32, u32); 1] = [(0, ROUND_S)];

/// The plants.
pub const PLANTS: [Plant; 3] = [
    Plant {
        id: "plant-a",
        name: words("Honest foundry", "守信铸造"),
        industry: words("foundry", "铸造"),
        wire: Wire::Mqtt,
        process: "melting",
        need: 1,
        units: &[
            Unit {
                id: "furnace",
                name: words("Induction furnace", "中频炉"),
                kind: Production,
                rated_kw: 600.0,
                load_kw: 432.0,
                cycle: (11.0, 0.12),
                power_factor: 0.94,
                running_kw: (90.0, 60.0),
                energy_start_kwh: 48_210.5,
                runs: [&[(0, 28), (49, ROUND_S)], &[(0, 34), (52, ROUND_S)]],
                silent: [&[], &[]],
            },
            Unit {
                id: "baghouse-1",
                name: words("Baghouse fan 1", "布袋除尘风机1"),
                kind: Treatment,
                rated_kw: 75.0,
                load_kw: 55.0,
                cycle: (23.0, 0.03),
                power_factor: 0.87,
                running_kw: (12.0, 8.0),
                energy_start_kwh: 9_120.25,
                runs: [&[(0, 15), (46, ROUND_S)], &[(0, 40), (48, ROUND_S)]],
                silent: [&[], &[]],
            },
            Unit {
                id: "baghouse-2",
                name: words("Baghouse fan 2", "布袋除尘风机2"),
                kind: Treatment,
                rated_kw: 75.0,
                load_kw: 53.0,
                cycle: (19.0, 0.03),
                power_factor: 0.87,
                running_kw: (12.0, 8.0),
                energy_start_kwh: 8_707.0,
                runs: [&[(12, 33)], &[]],
                silent: [&[], &[]],
            },
        ],
    },
    Plant {
        id: "plant-b",
        name: words("Furniture works", "某家具厂"),
        industry: words("furniture", "家具制造"),
        wire: Wire::Mqtt,
        process: "line-1",
        need: 1,
        units: &[
            Unit {
                id: "press",
                name: words("Hot press line", "热压线"),
                kind: Production,
                rated_kw: 110.0,
                load_kw: 71.2,
                cycle: (7.0, 0.06),
                power_factor: 0.88,
                running_kw: (50.0, 40.0),
                energy_start_kwh: 20_331.75,
                runs: [&ALWAYS, &ALWAYS],
                silent: [&[], &[]],
            },
            Unit {
                id: "scrubber",
                name: words("Scrubber", "喷淋塔"),
                kind: Treatment,
                rated_kw: 30.0,
                load_kw: 22.4,
                cycle: (13.0, 0.04),
                power_factor: 0.85,
                running_kw: (12.0, 10.0),
                energy_start_kwh: 4_015.5,
                runs: [
                    &[(0, 6), (38, ROUND_S)],
                    &[(0, 4), (12, 15), (23, 26), (34, 37), (45, 48), (56, ROUND_S)],
                ],
                silent: [&[], &[]],
            },
        ],
    },
    Plant {
        id: "plant-c",
        name: words("Coating shop", "某涂装厂"),
        industry: words("coating", "表面涂装"),
        wire: Wire::Modbus,
        process: "coating",
        need: 1,
        units: &[
            Unit {
                id: "line",
                name: words("Coating line", "涂装线"),
                kind: Production,
                rated_kw: 180.0,
                load_kw: 118.0,
                cycle: (9.0, 0.05),
                power_factor: 0.9,
                running_kw: (45.0, 30.0),
                energy_start_kwh: 31_204.0,
                runs: [&ALWAYS, &ALWAYS],
                silent: [&[], &[(6, 46)]],
            },
            Unit {
                id: "rto-fan",
                name: words("Oxidizer fan", "蓄热燃烧炉风机"),
                kind: Treatment,
                rated_kw: 45.0,
                load_kw: 33.5,
                cycle: (17.0, 0.03),
                power_factor: 0.86,
                running_kw: (7.0, 5.0),
                energy_start_kwh: 7_450.0,
                runs: [&ALWAYS, &ALWAYS],
                silent: [&[(4, 46)], &[(6, 46)]],
            },
        ],
    },
];

/// Something that happens in the story, for the audience. The daemon is told nothing of it: it sees meters only.
#[derive(Clone, Copy, Debug)]
pub struct Beat {
    /// When, s within the round.
    pub at_s: u32,
    /// In which plant.
    pub plant: &'static str,
    /// What.
    pub what: Words,
}

const fn beat(at_s: u32, plant: &'static str, en: &'static str, zh: &'static str) -> Beat {
    Beat { at_s, plant, what: words(en, zh) }
}

/// What happens, by variation, in order of time.
pub const BEATS: [&[Beat]; 2] = [
    &[
        beat(
            4,
            "plant-c",
            "the treatment meter falls silent; the line runs on",
            "治污电表不再上报，生产继续",
        ),
        beat(6, "plant-b", "the scrubber is switched off; the press runs on", "喷淋塔被关停，热压线继续生产"),
        beat(
            12,
            "plant-a",
            "fan 2 takes over from fan 1: one of two is enough",
            "2 号风机接替 1 号风机：两台运行一台即可",
        ),
        beat(
            28,
            "plant-a",
            "production ends; the fan runs on, then stops: no alert",
            "停产，风机延时后停机：不告警",
        ),
        beat(38, "plant-b", "the scrubber is switched on again", "喷淋塔重新开启"),
        beat(46, "plant-c", "the treatment meter is heard again", "治污电表恢复上报"),
        beat(49, "plant-a", "production begins again, the fan first", "先开风机，再恢复生产"),
    ],
    &[
        beat(
            4,
            "plant-b",
            "the scrubber is off again and again, each time too short for an alert",
            "喷淋塔反复短时关停，每次都短于告警时限",
        ),
        beat(6, "plant-c", "the whole gateway falls silent", "整个网关离线"),
        beat(
            34,
            "plant-a",
            "production ends; the fan runs on, then stops: no alert",
            "停产，风机延时后停机：不告警",
        ),
        beat(46, "plant-c", "the gateway is back", "网关恢复在线"),
        beat(52, "plant-a", "production begins again, the fan first", "先开风机，再恢复生产"),
    ],
];

/// What happened after `after_ms` and up to `elapsed_ms`, with its time since the begin, ms.
#[must_use]
pub fn beats_between(after_ms: Option<u64>, elapsed_ms: u64) -> Vec<(u64, Beat)> {
    let round_ms = u64::from(ROUND_S) * 1_000;
    let mut found = Vec::new();
    for round in after_ms.unwrap_or(0) / round_ms..=elapsed_ms / round_ms {
        let begin_ms = round * round_ms;
        let (variation, _) = place(begin_ms);
        let dated = BEATS[variation].iter().map(|b| (begin_ms + u64::from(b.at_s) * 1_000, *b));
        found.extend(dated.filter(|(at, _)| after_ms.is_none_or(|after| *at > after) && *at <= elapsed_ms));
    }
    found
}

/// The last thing that happened in a plant of this round, if anything did yet, with its time since the begin, ms.
#[must_use]
pub fn last_beat(plant: &str, elapsed_ms: u64) -> Option<(u64, Beat)> {
    let (_, in_round_ms) = place(elapsed_ms);
    let mut beats = beats_between((elapsed_ms - in_round_ms).checked_sub(1), elapsed_ms);
    beats.retain(|(_, beat)| beat.plant == plant);
    beats.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Limits of the demo's sites, s: what the files of the demo say is tested beside them.
    const RAISE_S: u32 = 10;
    const CLEAR_S: u32 = 5;
    const FRAGMENTED_S: u32 = 30;

    fn units(plant: &str) -> &'static [Unit] {
        PLANTS.iter().find(|p| p.id == plant).unwrap().units
    }

    /// Stretches of a variation in which the plant produces with too few treatment units running, s.
    fn off_stretches(plant: &Plant, variation: u32) -> Vec<u32> {
        let mut lengths = vec![0];
        for second in 0..ROUND_S {
            let ms = u64::from(variation * ROUND_S + second) * 1_000;
            let on = |kind| plant.units.iter().filter(|u| u.kind == kind && u.runs_at(ms)).count();
            if on(Production) > 0 && on(Treatment) < usize::from(plant.need) {
                *lengths.last_mut().unwrap() += 1;
            } else if lengths.last() != Some(&0) {
                lengths.push(0);
            }
        }
        lengths.retain(|l| *l > 0);
        lengths
    }

    #[test]
    fn the_honest_plant_never_produces_untreated() {
        assert_eq!(off_stretches(&PLANTS[0], 0), [] as [u32; 0]);
        assert_eq!(off_stretches(&PLANTS[0], 1), [] as [u32; 0]);
    }

    #[test]
    fn the_second_plant_is_off_long_enough_to_be_raised_and_back_long_enough_to_be_cleared() {
        let [off_s] = off_stretches(&PLANTS[1], 0)[..] else { panic!("one stretch") };
        assert!(off_s > RAISE_S * 3, "it rises to an alarm: {off_s}");
        let (back_s, _) = units("plant-b")[1].runs[0][1];
        assert!(back_s + CLEAR_S < 45, "cleared well within the first minute");
    }

    #[test]
    fn the_toggles_of_round_two_are_each_too_short_and_together_too_long() {
        let lengths = off_stretches(&PLANTS[1], 1);
        assert!(lengths.iter().all(|l| *l + 1 < RAISE_S), "{lengths:?}");
        assert!(lengths.iter().sum::<u32>() > FRAGMENTED_S, "{lengths:?}");
    }

    #[test]
    fn the_third_plant_is_silent_in_treatment_only_then_as_a_whole() {
        let [line, fan] = units("plant-c") else { panic!("two units") };
        assert!(line.heard_at(20_000) && !fan.heard_at(20_000) && fan.runs_at(20_000));
        assert!(line.heard_at(50_000) && fan.heard_at(50_000));
        assert!(!line.heard_at(80_000) && !fan.heard_at(80_000));
    }

    #[test]
    fn no_timetable_breaks_where_one_round_ends_and_the_next_begins() {
        for unit in PLANTS.iter().flat_map(|p| p.units) {
            let round_ms = u64::from(ROUND_S) * 1_000;
            for round in 1..4 {
                let (before, after) = (round * round_ms - 1, round * round_ms);
                assert_eq!(unit.runs_at(before), unit.runs_at(after), "{} round {round}", unit.id);
                assert_eq!(unit.heard_at(before), unit.heard_at(after), "{} round {round}", unit.id);
            }
        }
    }

    #[test]
    fn every_beat_comes_once_in_order_also_over_the_end_of_a_round() {
        let all: Vec<u64> = beats_between(None, 125_000).iter().map(|(at, _)| *at).collect();
        assert!(all.is_sorted());
        assert_eq!(all.len(), BEATS[0].len() + BEATS[1].len() + 1);
        let mut pieces = Vec::new();
        let mut after = None;
        for now in (0..=125_000).step_by(250) {
            pieces.extend(beats_between(after, now).iter().map(|(at, _)| *at));
            after = Some(now);
        }
        assert_eq!(pieces, all);
        assert_eq!(last_beat("plant-b", 22_000).map(|(at_ms, _)| at_ms), Some(6_000));
        assert_eq!(last_beat("plant-b", 63_000).map(|(at_ms, _)| at_ms), None, "a new round, a new story");
        assert!(BEATS.iter().flat_map(|b| b.iter()).all(|b| PLANTS.iter().any(|p| p.id == b.plant)));
    }
}
