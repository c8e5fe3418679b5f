//! R4 `treatment_underload`: treatment runs, and draws far less than it usually does at this much production.
//!
//! The power of a treatment unit that runs while production runs is below `share` of its usual one at the present level of
//! production, or its power factor is lower by `power_factor_drop` or more at a voltage near the nominal one. Warning after
//! `raise`, alarm after `alarm` of certain time; cleared after `clear_ms` of certainly not. The level is the production
//! points' power together over their rated power together. Where the unit's usual power at that level is not known the
//! condition waits; where anything else is not known it starts afresh. What rests on a usual power that is only proposed is
//! worth a warning and no more. Source: rule catalogue, R4 and 2.4.

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::member::{self, Member};
use super::scene::{Piece, Scene};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::Tally;
use crate::detection::debounce::{Limits, OnUnknown, Transition, Truth};
use crate::detection::sample::Known;
use crate::model::baseline::{Baseline, level};
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::state::State;

/// What can be told of a unit, or of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
enum Load {
    /// It draws what it should, or has not to run.
    #[default]
    Usual,
    /// What it usually draws at this level of production is not known.
    NoLevel,
    /// It cannot be told.
    Unseen,
    /// It draws far too little.
    Under,
}

/// What a unit drew while it drew too little.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Shown {
    point: u16,
    n_samples: u32,
    /// Sum of its powers over what it usually draws at the level of the time.
    sum: f64,
    /// What it usually draws at the last level, W.
    usual_w: f32,
}

/// State of the rule for one process.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Underload {
    case: Case,
    load: Load,
    /// Whether all that draw too little are judged by a proposal.
    is_proposed: bool,
    shown: Vec<Shown>,
}

impl Underload {
    /// The condition.
    #[must_use]
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// A unit changed its state or was sampled: it is looked at anew.
    pub fn look(&mut self, sampled: Option<(u16, &Known)>, scene: &Scene<'_>) {
        (self.load, self.is_proposed) = (Load::Usual, true);
        if scene.production != Truth::Yes || scene.process.baselines.is_empty() {
            return;
        }
        let share = production_share(scene);
        for baseline in &scene.process.baselines {
            let (load, usual_w) = load_of(baseline, share, scene);
            self.load = self.load.max(load);
            if load != Load::Under {
                continue;
            }
            self.is_proposed &= baseline.basis.is_proposal();
            if let (Some((point, sample)), Some(usual_w)) = (sampled, usual_w)
                && point == baseline.point
                && let Some(power_w) = sample.power_w.get()
            {
                self.show(point, power_w, usual_w);
            }
        }
        if self.load == Load::Under {
            self.case.begin(scene.members);
            if let Some((point, sample)) = sampled {
                self.case.sample(point, sample);
            }
        }
    }

    fn show(&mut self, point: u16, power_w: f64, usual_w: f32) {
        let part = power_w / f64::from(usual_w);
        match self.shown.iter_mut().find(|s| s.point == point) {
            Some(own) => (own.n_samples, own.sum, own.usual_w) = (own.n_samples + 1, own.sum + part, usual_w),
            None => self.shown.push(Shown { point, n_samples: 1, sum: part, usual_w }),
        }
    }

    /// Nothing changed in a piece of time.
    pub fn stretch(
        &mut self,
        piece: &Piece,
        scene: &Scene<'_>,
        out: &mut impl FnMut(Transition, &[Tally], Vec<Figure>),
    ) {
        let holds = match (scene.production, self.load) {
            (Truth::No, _) => Truth::No,
            (Truth::Yes, Load::Under) => Truth::Yes,
            // Without a usual power nobody can say that it is over.
            (Truth::Yes, Load::Usual) if !scene.process.baselines.is_empty() => Truth::No,
            _ => Truth::Unknown,
        };
        if self.case.is_idle(holds) {
            return;
        }
        let waits = scene.production == Truth::Yes && self.load == Load::NoLevel;
        let worth =
            |level: Level| if self.is_proposed { level.min(Level::Warning) } else { scene.worth(level) };
        let limits = Limits {
            raise_ms: scene.ms(Param::UnderloadRaise),
            clear_ms: i64::from(scene.rules().clear_ms),
            level: scene.worth(Level::Warning),
            steps: &[(scene.ms(Param::UnderloadAlarm), worth(Level::Alarm))],
            on_unknown: if waits { OnUnknown::Pause } else { OnUnknown::Restart },
        };
        let is_on = scene.is_on(Rule::TreatmentUnderload);
        let (shown, share) = (&self.shown, production_share(scene));
        self.case.stretch(piece.span(), holds, (&limits, is_on), scene.members, &mut |t, tallies| {
            let figures = if matches!(t, Transition::Dropped { .. }) {
                Vec::new()
            } else {
                figures(shown, share, scene)
            };
            out(t, tallies, figures);
        });
        if self.case.is_quiet() {
            self.shown = Vec::new();
        }
    }

    /// The site's points have new indices; what no longer exists is left out.
    pub fn renumber(&mut self, index_of: &[Option<u16>]) {
        self.case.renumber(index_of);
        self.shown.retain_mut(|shown| {
            let moved = index_of.get(usize::from(shown.point)).copied().flatten();
            shown.point = moved.unwrap_or(shown.point);
            moved.is_some()
        });
    }
}

/// How much is produced: the production points' power together over their rated power together, if all of it is known.
fn production_share(scene: &Scene<'_>) -> Option<f64> {
    let (mut sum_w, mut rated_w) = (0.0, 0.0);
    for &point in &scene.process.production {
        sum_w += member::find(scene.members, point)?.power_w(scene.site)?;
        rated_w += scene.site.points.get(usize::from(point))?.rated_w;
    }
    (rated_w > 0.0).then(|| sum_w / rated_w)
}

/// What is to be said of the unit of a baseline, and what it usually draws at this level.
fn load_of(baseline: &Baseline, share: Option<f64>, scene: &Scene<'_>) -> (Load, Option<f32>) {
    let unseen = (Load::Unseen, None);
    let Some(unit) = member::find(scene.members, baseline.point) else { return (Load::Usual, None) };
    match unit.state {
        State::Unknown => return unseen,
        // That it does not run is another rule's matter.
        State::Idle | State::Off => return (Load::Usual, None),
        State::Running => {}
    }
    if factor_dropped(power_factor(unit, scene), baseline.power_factor, scene.get(Param::UnderloadFactorDrop))
    {
        return (Load::Under, None);
    }
    let (Some(share), Some(power_w)) = (share, unit.power_w(scene.site)) else { return unseen };
    let Some(usual_w) = baseline.median_w[level(share)] else { return (Load::NoLevel, None) };
    let is_under = power_w < scene.get(Param::UnderloadShare) * f64::from(usual_w);
    (if is_under { Load::Under } else { Load::Usual }, Some(usual_w))
}

/// A unit's power factor, where its voltage is near the nominal one: a tenth of it, which is ours.
fn power_factor(unit: &Member, scene: &Scene<'_>) -> Option<f32> {
    let sample = unit.latest.as_ref()?;
    let nominal_v = scene.site.rules.get(Param::VoltageNominal);
    let is_near = (f64::from(sample.voltage_v.get()?) - nominal_v).abs() <= 0.1 * nominal_v;
    sample.power_factor.get().filter(|_| is_near).map(f32::abs)
}

/// Whether a power factor is so far below the usual one. What is not known has not dropped.
fn factor_dropped(now: Option<f32>, usual: Option<f32>, drop: f64) -> bool {
    now.zip(usual).is_some_and(|(now, usual)| f64::from(usual) - f64::from(now) >= drop)
}

fn figures(shown: &[Shown], share: Option<f64>, scene: &Scene<'_>) -> Vec<Figure> {
    let mut figures: Vec<Figure> =
        share.map(|share| Figure::new(Fact::ProductionLevel, share)).into_iter().collect();
    for own in shown {
        let baseline = scene.process.baselines.iter().find(|b| b.point == own.point);
        figures.push(Figure::of(own.point, Fact::UsualShare, own.sum / f64::from(own.n_samples)));
        figures.push(Figure::of(own.point, Fact::UsualPower, f64::from(own.usual_w)));
        figures.extend(baseline.map(|b| Figure::of(own.point, Fact::BaselineVersion, f64::from(b.version))));
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_factor_that_is_not_known_has_not_dropped() {
        assert!(factor_dropped(Some(0.6), Some(0.85), 0.2));
        assert!(!factor_dropped(Some(0.7), Some(0.85), 0.2));
        assert!(!factor_dropped(None, Some(0.85), 0.2) && !factor_dropped(Some(0.1), None, 0.2));
    }
}
