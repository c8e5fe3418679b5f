//! R13 a by the reverse register: energy that comes to it at a load that generates nothing flows through a transformer the wrong
//! way round, also where the meter says powers without their sign, or none. Source: rule catalogue, R13 a.
//!
//! It grows if what came since it last moved is at least `share` of rated power in the mean. A register that counts coarsely
//! moves seldom: until it has moved, or has stood for as long as a step takes at that power, nothing is said.

use serde::{Deserialize, Serialize};

use super::limits::MeterLimits;
use super::pair::Pair;
use super::phases::Before;
use super::register::{Shown, mean_w};
use crate::detection::debounce::Truth;
use crate::model::time::UtcMs;

/// A reverse register that moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moving {
    /// When it moved last.
    moved: UtcMs,
    /// Up to here was told what it shows.
    told: UtcMs,
}

/// What the register shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// There is none, or nothing can be made of it.
    Nothing,
    /// Energy has come to it, from that moment on.
    Grows(UtcMs),
    /// None has, or too little, from that moment on.
    Stands(UtcMs),
    /// That cannot be told yet.
    NotYet,
}

/// A stretch of time and whether power flowed backwards in it.
pub type Stretch = (UtcMs, UtcMs, Truth);

/// What is to be told of power that flows backwards: by `phases` from the reading before, and by the register.
pub fn take(
    moving: &mut Option<Moving>,
    before: &Before,
    phases: Truth,
    pair: &Pair<'_>,
    (own, shown, share): (&MeterLimits, Shown, f64),
    mut tell: impl FnMut(Stretch),
) {
    let now = pair.now.at;
    let counts_w = share * own.unit.rated_w;
    let is_load = |power_w: Option<f64>| power_w.is_some_and(|w| w >= counts_w);
    match shows(moving, before, pair, (own, shown, counts_w)) {
        Shows::Grows(since) => tell((since, now, Truth::Yes)),
        Shows::NotYet if phases != Truth::Yes => {}
        Shows::Nothing | Shows::NotYet => {
            if let Some(moving) = moving {
                moving.told = now;
            }
            tell((before.at, now, phases));
        }
        Shows::Stands(since) => {
            if since < before.at {
                tell((since, before.at, Truth::Unknown));
            }
            // Where no phase says anything, forward power beside a reverse register that stands is the proof.
            let is_forward =
                !pair.now.has_phase_powers() && is_load(pair.was_w) && is_load(pair.now.power_w.get());
            let is_alone = phases == Truth::Unknown && is_forward;
            tell((before.at, now, if is_alone { Truth::No } else { phases }));
        }
    }
}

fn shows(
    moving: &mut Option<Moving>,
    before: &Before,
    pair: &Pair<'_>,
    (own, shown, counts_w): (&MeterLimits, Shown, f64),
) -> Shows {
    let now = pair.now.at;
    let dt_ms = now.since(before.at);
    let both = before.export_wh.zip(pair.now.export_wh());
    let known = both.filter(|_| dt_ms <= own.gap_ms() && !own.unit.is_total);
    let Some((was_wh, wh)) = known else {
        *moving = None;
        return Shows::Nothing;
    };
    let came_kwh = f64::from(wh.wrapping_sub(was_wh)) / 1e3;
    let step_kwh = own.register.step_kwh(f64::from(wh) / 1e3, shown);
    if came_kwh > own.register.most_kwh(dt_ms, None) + 2.0 * step_kwh {
        // It was set to zero, or is that of another meter.
        *moving = None;
        return Shows::Nothing;
    }
    let Moving { moved, told } = moving.unwrap_or(Moving { moved: before.at, told: before.at });
    if came_kwh > 0.0 {
        *moving = Some(Moving { moved: now, told: now });
        let grows = mean_w(came_kwh, now.since(moved)) >= counts_w;
        return if grows { Shows::Grows(told) } else { Shows::Stands(told) };
    }
    if moving.is_some() && mean_w(step_kwh, now.since(moved)) >= counts_w {
        return Shows::NotYet;
    }
    *moving = None;
    Shows::Stands(told)
}
