//! What people say to what was learned: confirmed, refused, tested. Pure.

use super::because::Because;
use super::book::{OwnBaseline, Refused, Tested, Waiting, index_of, is_treatment};
use super::decide::{Desk, Matter, Verdict};
use crate::learning::confirm::may_confirm;
use crate::model::baseline::{Baseline, N_LEVELS};
use crate::model::basis::Basis;
use crate::model::command::Said;
use crate::model::commissioning::CommissioningRecord;
use crate::model::proposal::BaselineProposal;

/// A baseline by its process: medians by level of production, W, and power factor.
type Offered = (Box<str>, [Option<f32>; N_LEVELS], Option<f32>);

impl Desk<'_> {
    pub(super) fn confirm(&mut self, said: &Said) {
        for point in self.named(said) {
            let before = self.decided.len();
            self.confirm_thresholds(&point, &said.who);
            self.confirm_baselines(&point, &said.who);
            if self.decided.len() == before {
                self.say(Matter::Thresholds, &point, Verdict::Denied, Because::NothingProposed);
            }
        }
    }

    /// The points a person means: those named, or all of the site for which there is anything.
    fn named(&self, said: &Said) -> Vec<Box<str>> {
        if !said.points.is_empty() {
            return said.points.clone();
        }
        let is_learned = |point: &str| {
            let thresholds = self.page.thresholds_of(point).is_some_and(|t| t.origin.basis == Basis::Learned);
            let mut baselines = self.page.baselines.iter().filter(|b| *b.point == *point);
            let waits = self.page.waiting.as_ref().is_some_and(|w| {
                w.thresholds.iter().any(|p| **p == *point) || w.baselines.iter().any(|(_, p)| **p == *point)
            });
            thresholds || waits || baselines.any(|b| b.origin.basis == Basis::Learned)
        };
        self.site.points.iter().map(|p| p.id.clone()).filter(|id| is_learned(id)).collect()
    }

    fn confirm_thresholds(&mut self, point: &str, who: &str) {
        let waits = self.page.waiting.as_ref().filter(|w| w.thresholds.iter().any(|p| **p == *point));
        let proposed = waits.and_then(|w| w.proposal.points.iter().find(|p| *p.point == *point)?.powers_w);
        let learned = self.page.thresholds_of(point).filter(|t| t.origin.basis == Basis::Learned);
        let Some(powers_w) = proposed.or(learned.map(|t| t.powers_w)) else { return };
        let Some(index) = index_of(self.site, point) else { return };
        let in_force = self.site.points[usize::from(index)].thresholds.basis;
        if in_force < Basis::Confirmed {
            return self.say(Matter::Thresholds, point, Verdict::Denied, Because::GoesBefore(in_force));
        }
        let origin = self.origin(Basis::Confirmed, who);
        self.page.put_thresholds(point, powers_w, origin);
        self.page.refused.retain(|r| *r.point != *point || r.powers_w.is_none());
        self.no_longer_waits(point);
        self.say(Matter::Thresholds, point, Verdict::InForce, Because::ConfirmedBy(who));
    }

    fn no_longer_waits(&mut self, point: &str) {
        if let Some(waiting) = &mut self.page.waiting {
            waiting.thresholds.retain(|p| **p != *point);
        }
    }

    /// Baselines of a point that wait, and those that are in force and learned only.
    fn offered(&self, point: &str) -> Vec<Offered> {
        let waits = self.page.waiting.iter().flat_map(|w| {
            let waits = |b: &&BaselineProposal| {
                w.baselines.iter().any(|(process, p)| *process == b.process && *p == b.point)
            };
            w.proposal.baselines.iter().filter(waits)
        });
        let own = waits.filter(|b| *b.point == *point);
        let mut offered: Vec<Offered> =
            own.map(|b| (b.process.clone(), b.median_w, b.power_factor)).collect();
        let in_force = self.page.baselines.iter();
        for own in in_force.filter(|b| *b.point == *point && b.origin.basis == Basis::Learned) {
            if !offered.iter().any(|(process, _, _)| *process == own.process) {
                offered.push((own.process.clone(), own.median_w, own.power_factor));
            }
        }
        offered
    }

    fn confirm_baselines(&mut self, point: &str, who: &str) {
        for (process, median_w, power_factor) in self.offered(point) {
            let Some((_, index)) = self.place_of(&process, point) else { continue };
            let record = self.page.test_of(&process).map(|t| t.record.reindexed(&self.site.points));
            let learned = Baseline::new(index, median_w, power_factor, Basis::Learned);
            if let Err(denied) = may_confirm(&learned, record.as_ref()) {
                self.say(Matter::Baseline, point, Verdict::Denied, Because::Denied(denied));
                continue;
            }
            // What was measured in the test stands; levels it did not reach are completed.
            let tested = record.iter().flat_map(|r| &r.baselines).find(|b| b.point == index);
            let mut whole = median_w;
            for (level, tested_w) in tested.iter().flat_map(|b| b.median_w.iter().enumerate()) {
                whole[level] = tested_w.or(whole[level]);
            }
            let power_factor = tested.and_then(|b| b.power_factor).or(power_factor);
            let origin = self.origin(Basis::Confirmed, who);
            let (of, median_w) = (process.clone(), whole);
            self.page.put_baseline(OwnBaseline {
                process: of,
                point: point.into(),
                median_w,
                power_factor,
                origin,
            });
            if let Some(waiting) = &mut self.page.waiting {
                waiting.baselines.retain(|(p, of)| *p != process || **of != *point);
            }
            self.page.refused.retain(|r| *r.point != *point || r.baseline.is_none());
            self.say(Matter::Baseline, point, Verdict::InForce, Because::ConfirmedBy(who));
        }
    }

    pub(super) fn reject(&mut self, said: &Said) {
        for point in self.named(said) {
            let before = self.decided.len();
            self.reject_thresholds(&point, said);
            self.reject_baselines(&point, said);
            if self.decided.len() == before {
                self.say(Matter::Thresholds, &point, Verdict::Denied, Because::NothingLearned);
            }
        }
    }

    fn reject_thresholds(&mut self, point: &str, said: &Said) {
        let waits = self.page.waiting.as_ref().filter(|w| w.thresholds.iter().any(|p| **p == *point));
        let proposed = waits.and_then(|w| w.proposal.points.iter().find(|p| *p.point == *point)?.powers_w);
        // What waits goes first; what is in force goes only where nothing waits, so that one word does not undo two things.
        let taken_back = self.page.thresholds_of(point).filter(|t| {
            let is_named = t.origin.basis == Basis::Confirmed && !said.points.is_empty();
            proposed.is_none() && (t.origin.basis == Basis::Learned || is_named)
        });
        let Some(powers_w) = proposed.or(taken_back.map(|t| t.powers_w)) else { return };
        if taken_back.is_some() {
            self.page.thresholds.retain(|t| *t.point != *point);
        }
        self.no_longer_waits(point);
        self.page.refused.push(Refused { point: point.into(), powers_w: Some(powers_w), baseline: None });
        self.say(Matter::Thresholds, point, Verdict::Withdrawn, Because::RefusedBy(&said.who));
    }

    fn reject_baselines(&mut self, point: &str, said: &Said) {
        let mut gone: Vec<(Box<str>, [Option<f32>; N_LEVELS])> = Vec::new();
        if let Some(waiting) = &mut self.page.waiting {
            let Waiting { proposal, baselines, .. } = waiting;
            for (process, of) in baselines.extract_if(.., |(_, of)| **of == *point) {
                let own = proposal.baselines.iter().find(|b| b.process == process && b.point == of);
                gone.extend(own.map(|b| (process, b.median_w)));
            }
        }
        if gone.is_empty() {
            let is_gone = |b: &mut OwnBaseline| {
                let is_named = b.origin.basis == Basis::Confirmed && !said.points.is_empty();
                *b.point == *point && (b.origin.basis == Basis::Learned || is_named)
            };
            let taken_back = self.page.baselines.extract_if(.., is_gone);
            gone.extend(taken_back.map(|b| (b.process, b.median_w)));
        }
        for baseline in gone {
            self.page.refused.push(Refused { point: point.into(), powers_w: None, baseline: Some(baseline) });
            self.say(Matter::Baseline, point, Verdict::Withdrawn, Because::RefusedBy(&said.who));
        }
    }

    pub(super) fn commission(&mut self, process: &str, record: &CommissioningRecord) {
        let Some(place) = self.site.processes.iter().position(|p| *p.id == *process) else {
            return self.say(Matter::Test, process, Verdict::Denied, Because::NoProcess);
        };
        if record.who.trim().is_empty() || record.points.is_empty() {
            return self.say(Matter::Test, process, Verdict::Denied, Because::NobodyNamed);
        }
        self.page.tests.retain(|t| *t.process != *process);
        let tested = Tested { process: process.into(), offset: self.offset, record: record.clone() };
        self.page.tests.push(tested);
        self.page.tests.sort_by(|a, b| a.process.cmp(&b.process));
        self.say(Matter::Test, process, Verdict::InForce, Because::SupervisedBy(&record.who));
        for own in &record.points {
            let Some(index) = index_of(self.site, &own.id) else { continue };
            let t = &own.thresholds;
            let powers_w = [t.running_above_w, t.running_below_w, t.idle_above_w, t.off_below_w];
            let origin = self.origin(Basis::Commissioned, &record.who);
            self.page.put_thresholds(&own.id, powers_w, origin);
            self.no_longer_waits(&own.id);
            let in_force = self.site.points[usize::from(index)].thresholds.basis;
            if in_force == Basis::Configured {
                self.say(Matter::Thresholds, &own.id, Verdict::Denied, Because::BesideFile);
            } else {
                self.say(Matter::Thresholds, &own.id, Verdict::InForce, Because::Measured);
            }
        }
        for own in &record.baselines {
            let id = record.points.iter().find(|p| p.point == own.point).map(|p| p.id.clone());
            let index = id.as_ref().and_then(|id| index_of(self.site, id));
            let Some(id) = id.filter(|_| index.is_some_and(|i| is_treatment(&self.site.processes[place], i)))
            else {
                continue;
            };
            let (median_w, power_factor) = (own.median_w, own.power_factor);
            let origin = self.origin(Basis::Commissioned, &record.who);
            self.page.put_baseline(OwnBaseline {
                process: process.into(),
                point: id.clone(),
                median_w,
                power_factor,
                origin,
            });
            self.say(Matter::Baseline, &id, Verdict::InForce, Because::Measured);
        }
    }
}
