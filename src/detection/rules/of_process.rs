//! All rules of a process, told together what changed and what lasted.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, Hours};
use super::case::{self, Case};
use super::early_stop::EarlyStop;
use super::energy_ratio::EnergyRatio;
use super::fragmented::Fragmented;
use super::late_start::LateStart;
use super::night::Night;
use super::scene::{Piece, Scene, Turn};
use super::treatment_off::TreatmentOff;
use super::treatment_underload::Underload;
use super::{gap_while_producing, outside_hours};
use crate::detection::debounce::{Transition, Truth};
use crate::detection::finding::Finding;
use crate::detection::sample::Known;
use crate::model::param::Param;
use crate::model::rule::Rule;
use crate::model::time::UtcMs;

/// State of all rules of one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    calendar: Calendar,
    treatment_off: TreatmentOff,
    late_start: LateStart,
    early_stop: EarlyStop,
    underload: Underload,
    energy_ratio: EnergyRatio,
    gap: Case,
    night: Night,
    outside: Case,
    fragmented: Fragmented,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            calendar: Calendar::BLANK,
            treatment_off: TreatmentOff::default(),
            late_start: LateStart::default(),
            early_stop: EarlyStop::default(),
            underload: Underload::default(),
            energy_ratio: EnergyRatio::default(),
            gap: Case::default(),
            night: Night::default(),
            outside: Case::default(),
            fragmented: Fragmented::default(),
        }
    }
}

/// Whether treatment is off while production runs.
fn is_off(scene: &Scene<'_>) -> Truth {
    match (scene.production, scene.failed) {
        (Truth::No, _) | (_, Truth::No) => Truth::No,
        (Truth::Yes, Truth::Yes) => Truth::Yes,
        _ => Truth::Unknown,
    }
}

fn is_unseen(scene: &Scene<'_>) -> Truth {
    gap_while_producing::holds(scene.production, scene.failed)
}

impl Rules {
    /// Whether nothing is building up or open that may change within the day while production does not run.
    #[must_use]
    pub fn are_quiet(&self) -> bool {
        let cases = [&self.treatment_off.case, &self.gap, &self.outside, self.underload.case()];
        cases.iter().all(|case| case.is_idle(Truth::No))
            && self.early_stop.is_quiet()
            && self.fragmented.is_quiet()
    }

    /// Up to when day, night and working time are as they are.
    #[must_use]
    pub fn hours_end(&self) -> UtcMs {
        self.calendar.until()
    }

    /// A unit changed its state: `scene` is as it is since.
    pub fn turn(&mut self, turn: &Turn, scene: &Scene<'_>, out: &mut impl FnMut(Finding)) {
        if is_off(scene) == Truth::Yes {
            self.treatment_off.case.begin(scene.members);
        }
        if is_unseen(scene) == Truth::Yes {
            self.gap.begin(scene.members);
        }
        self.underload.look(None, scene);
        self.energy_ratio.look(scene);
        let is_r1 = self.treatment_off.case.open().is_some();
        self.late_start.turn(turn, is_r1, scene, out);
        self.early_stop.turn(turn, is_r1, scene, out);
    }

    /// A unit was sampled, which is in `scene` already.
    pub fn sample(&mut self, point: u16, sample: &Known, scene: &Scene<'_>) {
        // What is seen while an alert waits to be cleared, or cannot be told, is no proof of it.
        if is_off(scene) == Truth::Yes {
            self.treatment_off.case.sample(point, sample);
        }
        if is_unseen(scene) == Truth::Yes {
            self.gap.sample(point, sample);
        }
        if scene.production == Truth::Yes && self.calendar.is_outside() {
            self.outside.sample(point, sample);
        }
        self.underload.look(Some((point, sample)), scene);
        self.energy_ratio.look(scene);
    }

    /// No unit changed from `from` to `to`.
    pub fn stretch(
        &mut self,
        (from, to): (UtcMs, UtcMs),
        scene: &Scene<'_>,
        zone: &TimeZone,
        out: &mut impl FnMut(Finding),
    ) {
        let hours = || Hours {
            zone,
            night: (scene.ms(Param::NightFrom), scene.ms(Param::NightTo)),
            working: scene.site.working_time(scene.process),
        };
        let mut t = from;
        while t < to {
            let piece = self.calendar.piece(t, to, hours);
            self.piece(&piece, scene, out);
            let day = self.calendar.day();
            if piece.to == day.1 {
                self.energy_ratio.midnight(day, scene, out);
            }
            t = piece.to;
        }
    }

    fn piece(&mut self, piece: &Piece, scene: &Scene<'_>, out: &mut impl FnMut(Finding)) {
        let (subject, fragmented) = (scene.subject, &mut self.fragmented);
        let off = is_off(scene);
        self.treatment_off.stretch(piece, off, scene, &mut |t, tallies, night| {
            if let Transition::Dropped { first, certain_ms, at } = t {
                fragmented.gap((first, certain_ms, at), scene, out);
            }
            let figures = night.into_iter().collect();
            case::finding(Rule::TreatmentOff, subject, &t, tallies, figures).into_iter().for_each(&mut *out);
        });
        if off == Truth::No {
            fragmented.not_off(piece.span(), scene, out);
        }
        self.early_stop.stretch(piece, scene, out);
        gap_while_producing::stretch(&mut self.gap, piece, scene, &mut |t, tallies| {
            let rule = Rule::GapWhileProducing;
            case::finding(rule, subject, &t, tallies, Vec::new()).into_iter().for_each(&mut *out);
        });
        self.underload.stretch(piece, scene, &mut |t, tallies, figures| {
            let rule = Rule::TreatmentUnderload;
            case::finding(rule, subject, &t, tallies, figures).into_iter().for_each(&mut *out);
        });
        self.energy_ratio.stretch(piece, scene);
        self.night.stretch(piece, scene, out);
        outside_hours::stretch(&mut self.outside, piece, scene, &mut |t, tallies| {
            let rule = Rule::OutsideHours;
            case::finding(rule, subject, &t, tallies, Vec::new()).into_iter().for_each(&mut *out);
        });
    }

    /// The site was configured anew: its points have new indices, hours and what is set may be others. `is_same` says
    /// whether the process still has the same units and knows the same of them.
    pub fn carry_over(&mut self, index_of: &[Option<u16>], is_same: bool, scene: &Scene<'_>) {
        let moved = |point: u16| index_of.get(usize::from(point)).copied().flatten();
        self.calendar.expire();
        for case in [&mut self.treatment_off.case, &mut self.gap, &mut self.outside] {
            case.renumber(index_of);
        }
        self.underload.renumber(index_of);
        self.late_start.renumber(moved);
        self.early_stop.renumber(moved);
        if !is_same {
            // That a unit came or went is no edge of production or treatment.
            self.late_start.forget();
            self.early_stop.forget();
            self.energy_ratio.forget();
        }
        self.underload.look(None, scene);
        self.energy_ratio.look(scene);
    }
}
