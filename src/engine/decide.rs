//! What follows from a proposal, and from what people say to it. Pure: a page of the book and a command in, decisions out.
//!
//! Source: rule catalogue, 3.2 and 2.4. Nothing learned takes the place of anything but a share of rated power by itself,
//! and no baseline is confirmed without a recorded test that it can be held against.

use serde::{Deserialize, Serialize};

use super::because::Because;
use super::book::{Origin, OwnBaseline, Page, Waiting, index_of, is_treatment};
use crate::learning::adopt::outweighed;
use crate::model::basis::Basis;
use crate::model::command::Command;
use crate::model::proposal::{BaselineProposal, PointProposal, Proposal, are_same_medians, are_same_powers};
use crate::model::reading::Offset;
use crate::model::site::Site;
use crate::model::time::UtcMs;

/// In whose name the daily job speaks.
pub const LEARNING: &str = "learning";

/// What was decided of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Matter {
    Thresholds,
    Baseline,
    Test,
}

/// How it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// In force from here on.
    InForce,
    /// It waits for a person.
    Waits,
    /// It was asked for and is not done.
    Denied,
    /// Taken back, or no longer offered.
    Withdrawn,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// Of what.
    pub matter: Matter,
    /// Of which point; of which process for a test.
    pub of: Box<str>,
    /// How.
    pub verdict: Verdict,
    /// Why, in plain words.
    pub why: Box<str>,
}

/// A command at work on a page.
pub(super) struct Desk<'a> {
    pub(super) page: &'a mut Page,
    /// As it is in force.
    pub(super) site: &'a Site,
    pub(super) since: UtcMs,
    pub(super) offset: Offset,
    pub(super) decided: Vec<Decided>,
}

/// Who a command is of.
#[must_use]
pub fn who(command: &Command) -> &str {
    match command {
        Command::Confirm(said) | Command::Reject(said) => &said.who,
        Command::Commission { record, .. } => &record.who,
        _ => LEARNING,
    }
}

/// Which site it is about.
#[must_use]
pub fn site_of(command: &Command) -> Option<&str> {
    match command {
        Command::Propose(proposal) => Some(&proposal.site),
        Command::Confirm(said) | Command::Reject(said) => Some(&said.site),
        Command::Commission { site, .. } => Some(site),
        _ => None,
    }
}

/// Works a command into the page of a site; `site` as it is in force.
pub fn decide(
    page: &mut Page,
    site: &Site,
    command: &Command,
    (since, offset): (UtcMs, Offset),
) -> Vec<Decided> {
    let mut desk = Desk { page, site, since, offset, decided: Vec::new() };
    match command {
        Command::Propose(proposal) => desk.propose(proposal),
        Command::Confirm(said) => desk.confirm(said),
        Command::Reject(said) => desk.reject(said),
        Command::Commission { process, record, .. } => desk.commission(process, record),
        _ => {}
    }
    desk.decided
}

impl Desk<'_> {
    pub(super) fn say(&mut self, matter: Matter, of: &str, verdict: Verdict, why: Because<'_>) {
        self.say_all(matter, of, verdict, &[why]);
    }

    fn say_all(&mut self, matter: Matter, of: &str, verdict: Verdict, why: &[Because<'_>]) {
        let why = why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ").into();
        self.decided.push(Decided { matter, of: of.into(), verdict, why });
    }

    pub(super) fn origin(&self, basis: Basis, who: &str) -> Origin {
        Origin { basis, since: self.since, offset: self.offset, who: who.into() }
    }

    fn propose(&mut self, proposal: &Proposal) {
        let mut waiting = Waiting {
            proposal: proposal.clone(),
            offset: self.offset,
            at: self.since,
            thresholds: Vec::new(),
            baselines: Vec::new(),
        };
        for own in &proposal.points {
            if let Some(powers_w) = own.powers_w
                && self.propose_thresholds(own, powers_w)
            {
                waiting.thresholds.push(own.point.clone());
            }
        }
        for own in &proposal.baselines {
            if self.propose_baseline(own) {
                waiting.baselines.push((own.process.clone(), own.point.clone()));
            }
        }
        self.page.waiting = Some(waiting);
    }

    /// Puts learned thresholds in force where that needs nobody; true where they wait.
    fn propose_thresholds(&mut self, own: &PointProposal, powers_w: [f64; 4]) -> bool {
        let Some(index) = index_of(self.site, &own.point) else { return false };
        let in_force = &self.site.points[usize::from(index)].thresholds;
        let refused = self.page.refused.iter().filter(|r| r.point == own.point).filter_map(|r| r.powers_w);
        let mut is_refused = false;
        for powers in refused {
            if are_same_powers(&powers, &powers_w) {
                return false;
            }
            is_refused = true;
        }
        let known = self.page.thresholds_of(&own.point);
        if known.is_some_and(|k| k.origin.basis == Basis::Learned && are_same_powers(&k.powers_w, &powers_w))
        {
            return false;
        }
        let mut why = Vec::new();
        if in_force.basis != Basis::Fallback {
            why.push(Because::InForce(in_force.basis));
        }
        why.extend(outweighed([powers_w[0], powers_w[1]], in_force).into_iter().map(Because::Outweighed));
        if own.idle.is_some() {
            why.push(Because::HasIdleLevel);
        }
        if is_refused {
            why.push(Because::RefusedNumbers);
        }
        if why.is_empty() {
            let origin = self.origin(Basis::Learned, LEARNING);
            self.page.put_thresholds(&own.point, powers_w, origin);
            self.say(Matter::Thresholds, &own.point, Verdict::InForce, Because::FirstThresholds);
            return false;
        }
        self.say_all(Matter::Thresholds, &own.point, Verdict::Waits, &why);
        true
    }

    /// Puts a learned baseline in force where there is none; true where it waits.
    fn propose_baseline(&mut self, own: &BaselineProposal) -> bool {
        if self.place_of(&own.process, &own.point).is_none() {
            return false;
        }
        let refused =
            self.page.refused.iter().filter_map(|r| r.baseline.as_ref().filter(|_| r.point == own.point));
        let mut is_refused = false;
        for (process, median_w) in refused {
            if *process == own.process && are_same_medians(median_w, &own.median_w) {
                return false;
            }
            is_refused |= *process == own.process;
        }
        let known = self.page.baseline_of(&own.process, &own.point);
        if known
            .is_some_and(|k| k.origin.basis == Basis::Learned && are_same_medians(&k.median_w, &own.median_w))
        {
            return false;
        }
        if known.is_none() && !is_refused {
            let origin = self.origin(Basis::Learned, LEARNING);
            self.page.put_baseline(learned(own, origin));
            self.say(Matter::Baseline, &own.point, Verdict::InForce, Because::FirstBaseline);
            return false;
        }
        let why = known.map_or(Because::RefusedAnother, |k| Because::BaselineInForce(k.origin.basis));
        self.say(Matter::Baseline, &own.point, Verdict::Waits, why);
        true
    }

    /// Indices of a process and of a treatment point of it.
    pub(super) fn place_of(&self, process: &str, point: &str) -> Option<(usize, u16)> {
        let place = self.site.processes.iter().position(|p| *p.id == *process)?;
        let index = index_of(self.site, point)?;
        is_treatment(&self.site.processes[place], index).then_some((place, index))
    }
}

fn learned(own: &BaselineProposal, origin: Origin) -> OwnBaseline {
    OwnBaseline {
        process: own.process.clone(),
        point: own.point.clone(),
        median_w: own.median_w,
        power_factor: own.power_factor,
        origin,
    }
}
