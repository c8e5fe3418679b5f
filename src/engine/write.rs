//! What follows from messages, into the store: everything of a step in its one transaction.

use std::collections::HashSet;

use crate::alerts::alert::{self, Acknowledgement, Alert, Status};
use crate::alerts::finding::{AlertFinding, Change};
use crate::alerts::reconcile::{self, Occasion};
use crate::detection::finding::Finding;
use crate::history;
use crate::model::by_source::BySource;
use crate::model::command::Command;
use crate::model::deed::Deed;
use crate::model::message::{Kind, Message};
use crate::model::meter::Meter;
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::rule::Rule;
use crate::model::time::UtcMs;
use crate::store::judging::{self, Checkpoint, Unheard};
use crate::store::queue::{self, Entry};
use crate::store::write::Transaction;
use crate::store::{revising, trail};

use super::audience::Audience;
use super::effects::{Effects, Found, Mark};
use super::error::EngineError;
use super::layout::LAYOUT;
use super::outcome::{Outcome, Outcomes};
use super::past::keep::{self, RejudgeError};
use super::past::marks;
use super::past::pace::{Allowance, Revised};
use super::past::rejudge::Told;
use super::proof;
use super::world::World;

/// Messages on their way into an open transaction.
pub(super) struct Step<'a> {
    pub(super) tx: Transaction<'a>,
    pub(super) world: &'a mut World,
    pub(super) effects: &'a mut Effects,
    pub(super) sinks: &'a [String],
    /// Who is told of alerts.
    pub(super) audience: &'a mut Audience,
    pub(super) meter_keys: &'a mut Vec<u32>,
    /// What became of messages so far.
    pub(super) outcomes: &'a mut BySource<Outcomes>,
    /// The time at the message a restart begins after: what is of use from there on is not removed.
    pub(super) saved_now: UtcMs,
}

impl Step<'_> {
    pub(super) fn take(&mut self, offset: Offset, message: &Message<'_>) -> Result<(), EngineError> {
        let at = |source| EngineError::Store { offset, source };
        if message.kind == Kind::Registry {
            // What was decoded so far names meters by the old registry's indices.
            self.write(offset)?;
            self.count(message, Outcome::Stored);
            return self.take_registry(offset, message);
        }
        let outcome = self.world.take(message, offset, self.effects);
        self.count(message, outcome);
        for reject in self.effects.rejects.drain(..) {
            self.tx.put_reject(message, offset, reject.code(), &reject.to_string()).map_err(at)?;
        }
        if let (Kind::Command, Some((_, _, command))) = (message.kind, self.effects.commands.last()) {
            trail::put(self.tx.conn(), offset, message, command).map_err(at)?;
        }
        if let Some((_, _, command)) = self.effects.commands.pop_if(|(_, _, c)| c.changes_judging()) {
            // What was judged so far was judged by what held before.
            self.write(offset)?;
            self.adopt((offset, message.received), &command)?;
        }
        if message.kind == Kind::Tick
            && let Some(allowance) = self.world.past_at_tick()
        {
            self.judge_past(offset, allowance)?;
        }
        // What is asked stands between what was found before and after, however messages are batched.
        if message.kind == Kind::Command { self.write(offset) } else { Ok(()) }
    }

    fn count(&mut self, message: &Message<'_>, outcome: Outcome) {
        self.outcomes.change(message.kind, message.source, |own| own.count(outcome));
    }

    /// Writes all effects so far.
    pub(super) fn write(&mut self, offset: Offset) -> Result<(), EngineError> {
        let at = |source| EngineError::Store { offset, source };
        if !self.effects.readings.is_empty() {
            let row = history::batch::append(self.tx.conn(), &self.effects.readings, self.meter_keys)
                .map_err(|source| EngineError::History { offset, source })?;
            self.push(offset, &Entry::Readings { row })?;
        }
        for (offset, from, to) in std::mem::take(&mut self.effects.unheard) {
            judging::put_unheard(self.tx.conn(), &Unheard { offset, from, to }).map_err(at)?;
        }
        let mut marks = std::mem::take(&mut self.effects.marks).into_iter().peekable();
        let mut passed = std::mem::take(&mut self.effects.passed).into_iter().peekable();
        let found = std::mem::take(&mut self.effects.findings);
        for (n, found) in found.into_iter().enumerate() {
            while let Some(mark) = marks.next_if(|mark| mark.n_findings <= n) {
                self.put_mark(&mark)?;
            }
            self.pass(&mut passed, n)?;
            self.write_found(found)?;
        }
        self.pass(&mut passed, usize::MAX)?;
        for mark in marks {
            self.put_mark(&mark)?;
        }
        for (by, received, command) in std::mem::take(&mut self.effects.commands) {
            self.obey(by, received, command)?;
        }
        self.effects.clear();
        Ok(())
    }

    fn obey(&mut self, by: Offset, received: UtcMs, command: Command) -> Result<(), EngineError> {
        let (alert, who, note, act) = match command {
            Command::Acknowledge { alert, who, note } => (alert, who, note, None),
            Command::Deed { alert, who, note, act } => (alert, who, note, Some(act)),
            Command::FileMaintenance(filing) => return self.file(by, received, filing),
            Command::WithdrawMaintenance { id, who } => return self.withdraw(by, received, &id, who),
            _ => return Ok(()),
        };
        let known = self.tx.alert(&alert).map_err(|source| EngineError::Store { offset: by, source })?;
        let Some(mut alert) = known else {
            tracing::warn!(alert, "Something was done about an alert that does not exist");
            return Ok(());
        };
        let (who, note, at) = (who.into(), note.into(), received);
        match act {
            None => alert.acknowledge(Acknowledgement { who, at, note }, by),
            Some(act) => alert.deeds.push(Deed { at, offset: by, who, note, act }),
        }
        self.store_alert(&alert, by)
    }

    fn write_found(&mut self, found: Found) -> Result<(), EngineError> {
        let Found { site, by, said, finding } = found;
        match finding {
            Finding::State { point, at, state } => {
                let site = &self.world.registry().sites[site as usize];
                let point = &site.points[usize::from(point)];
                self.tx
                    .put_state((&site.id, &point.id), state, at, (by, said))
                    .map_err(|source| EngineError::Store { offset: by, source })?;
                let (site, point, kind) = (site.id.clone(), point.id.clone(), point.kind);
                self.push(by, &Entry::State { site, point, kind, state, since: at })
            }
            Finding::Alert(change) => self.write_alert(site, (by, said), &change),
        }
    }

    fn write_alert(
        &mut self,
        index: u32,
        (by, said): (Offset, u64),
        change: &AlertFinding,
    ) -> Result<(), EngineError> {
        let at = |source| EngineError::Store { offset: by, source };
        let registry = self.world.registry();
        let gateways = &self.world.context(index).gateways;
        let site = &registry.sites[index as usize];
        let (kind, subject) = alert::subject_names(site, gateways, change.subject);
        let open = revising::open_alerts(self.tx.conn(), &site.id).map_err(at)?;
        let known = open.into_iter().find(|a| a.is_of(change.rule, kind, &subject, change.first));
        let mut alert = match known {
            Some(mut alert) if change.change != Change::Raised => {
                alert.apply(site, change, by);
                alert
            }
            // A process that was renamed while its alert was open goes on under the name it has now.
            _ => self.with_free_id(Alert::raise(site, gateways, change, by), by)?,
        };
        alert.said = said;
        if !change.instants.is_empty() {
            let shown = proof::readings(self.tx.conn(), (site, &registry.meters), change, by);
            alert.prove(shown.map_err(|source| EngineError::History { offset: by, source })?);
        }
        let cut = alert.cleared.filter(|_| is_cut(&alert)).map(|at| (at, self.span_of_cut(&alert, index)));
        self.put_alert(alert, index, UtcMs::MIN, by)?;
        match cut {
            Some((known, span)) => self.reconsider(index, span, known, by),
            None => Ok(()),
        }
    }

    /// An alert found anew takes the place of a retracted one that is just the same, and else an id nobody has: ids stay
    /// with alerts whose begin late readings have moved.
    fn with_free_id(&self, mut alert: Alert, by: Offset) -> Result<Alert, EngineError> {
        let at = |source| EngineError::Store { offset: by, source };
        let mut salt = 0;
        while let Some(known) = self.tx.alert(&alert.id).map_err(at)? {
            if known.is_of(alert.rule, &alert.subject_kind, &alert.subject, alert.first) {
                let mut history = known.history;
                history.append(&mut alert.history);
                let (acknowledged, deeds, revisions) = (known.acknowledged, known.deeds, known.revisions);
                return Ok(Alert {
                    history,
                    acknowledged,
                    deeds,
                    revisions,
                    retroactive: known.retroactive,
                    raised_before: known.raised_before,
                    suppressed: known.suppressed,
                    ..alert
                });
            }
            salt += 1;
            alert.id = alert::salted_identity(&alert, salt);
        }
        Ok(alert)
    }

    /// Keeps the state of a site, and lets go of those that are of no use any more.
    pub(super) fn put_mark(&mut self, mark: &Mark) -> Result<(), EngineError> {
        let offset = mark.by;
        let at = |source| EngineError::Store { offset, source };
        let site = &self.world.registry().sites[mark.site as usize].id;
        let open = revising::open_alerts(self.tx.conn(), site).map_err(at)?;
        let in_force = (self.world.version(mark.site), offset);
        let checkpoint = keep::checkpoint(&mark.judge, in_force, &open.iter().collect::<Vec<_>>())
            .map_err(|source| EngineError::Past { offset, source })?;
        judging::put_checkpoint(self.tx.conn(), site, LAYOUT, &checkpoint).map_err(at)?;
        let phase_ms = marks::phase_ms(site);
        for kept in judging::checkpoints(self.tx.conn(), site).map_err(at)? {
            let is_old = self.saved_now.since(kept) > marks::KEPT_FOR_MS;
            let is_odd = marks::is_on_grid(kept, phase_ms) && !marks::is_kept(kept, phase_ms, self.saved_now);
            if is_old || is_odd {
                judging::remove_checkpoint(self.tx.conn(), site, kept).map_err(at)?;
            }
        }
        Ok(())
    }

    /// Judges the past of sites with late readings again, as far as is allowed.
    pub(super) fn judge_past(&mut self, offset: Offset, mut allowance: Allowance) -> Result<(), EngineError> {
        self.write(offset)?;
        loop {
            let conn = self.tx.conn();
            let mut keep = |site: &str, checkpoint: &Checkpoint| {
                judging::put_checkpoint(conn, site, LAYOUT, checkpoint).map_err(RejudgeError::Store)
            };
            let revised = self
                .world
                .judge_past(conn, offset, &mut allowance, &mut keep)
                .map_err(|source| EngineError::Past { offset, source })?;
            let Some(revised) = revised else { return Ok(()) };
            self.settle(revised, offset)?;
        }
    }

    /// Puts what came out in place of what is known.
    fn settle(&mut self, revised: Revised, offset: Offset) -> Result<(), EngineError> {
        let at = |source| EngineError::Store { offset, source };
        let Revised { index, late, base_said, outcome } = revised;
        let site: Box<str> = self.world.registry().sites[index as usize].id.clone();
        let last_said = outcome.judge.said();
        let mut known = revising::alerts_after(self.tx.conn(), &site, base_said).map_err(at)?;
        let is_known = |known: &[Alert], own: &Alert| {
            known.iter().any(|a| a.is_of(own.rule, &own.subject_kind, &own.subject, own.first))
        };
        let mut anew = outcome.touched;
        for alert in &anew {
            // One that was open at the base goes on as what it is, even if nothing was said of it since.
            if !is_known(&known, alert) {
                known.extend(revising::standing(self.tx.conn(), alert).map_err(at)?);
            }
        }
        anew.extend(outcome.untouched.into_iter().filter(|alert| is_known(&known, alert)));
        let mut cuts: Vec<_> =
            known.iter().filter(|a| is_cut(a)).map(|a| self.span_of_cut(a, index)).collect();
        let now = self.world.now();
        let occasion = Occasion { at: now, offset, late };
        let mut stands = Vec::new();
        for outcome in reconcile::reconcile(known, anew, occasion) {
            match outcome {
                reconcile::Outcome::Same(mut alert) => {
                    if self.consider(&mut alert, index, now, offset)? {
                        self.store_alert(&alert, offset)?;
                    } else {
                        self.tx.put_alert_quietly(&alert).map_err(at)?;
                    }
                }
                reconcile::Outcome::Changed(mut alert) => {
                    if alert.status == Status::Retracted {
                        alert.said = last_said;
                    }
                    stands.push(alert);
                }
                // The ids of those that stand are in the store: it gets another where one of them has its own.
                reconcile::Outcome::New(alert) => stands.push(self.with_free_id(alert, offset)?),
            }
        }
        for alert in stands {
            if is_cut(&alert) {
                cuts.push(self.span_of_cut(&alert, index));
            }
            self.put_alert(alert, index, now, offset)?;
        }
        for span in cuts {
            self.reconsider(index, span, now, offset)?;
        }
        self.settle_states(index, &site, base_said, &outcome.states, offset)
    }

    fn settle_states(
        &mut self,
        index: u32,
        site: &str,
        base_said: u64,
        states: &[Told],
        offset: Offset,
    ) -> Result<(), EngineError> {
        let at = |source| EngineError::Store { offset, source };
        let before = revising::states_after(self.tx.conn(), site, base_said).map_err(at)?;
        revising::remove_states_after(self.tx.conn(), site, base_said).map_err(at)?;
        let known: HashSet<(&str, UtcMs, &str)> =
            before.iter().map(|s| (&*s.point, s.at, &*s.state)).collect();
        let anew: HashSet<(&str, UtcMs, &str)> =
            states.iter().map(|t| (&*t.point, t.at, t.state.name())).collect();
        for told in states.iter().filter(|told| told.said > base_said) {
            self.tx.put_state((site, &told.point), told.state, told.at, (offset, told.said)).map_err(at)?;
            if !known.contains(&(&*told.point, told.at, told.state.name())) {
                self.push_state(site, told, told.at, offset)?;
            }
        }
        // What was sent of a change that did not happen is set right at its moment.
        for was in before.iter().filter(|s| !anew.contains(&(&*s.point, s.at, &*s.state))) {
            let holds = states.iter().rev().filter(|t| *t.point == *was.point && t.at <= was.at);
            if let Some(told) = holds.max_by_key(|t| (t.at, t.said)) {
                self.push_state(site, told, was.at, offset)?;
            }
        }
        let points = &self.world.registry().sites[index as usize].points;
        for (place, point) in (0_u16..).zip(points) {
            let view = self.world.judge(index).point(place);
            self.tx.put_unit_state((site, &point.id), view.state, view.since).map_err(at)?;
        }
        Ok(())
    }

    fn push_state(&self, site: &str, told: &Told, since: UtcMs, offset: Offset) -> Result<(), EngineError> {
        let (site, point) = (site.into(), told.point.clone());
        self.push(offset, &Entry::State { site, point, kind: told.kind, state: told.state, since })
    }

    pub(super) fn push(&self, offset: Offset, entry: &Entry) -> Result<(), EngineError> {
        for sink in self.sinks {
            queue::push(self.tx.conn(), sink, entry)
                .map_err(|source| EngineError::Store { offset, source })?;
        }
        Ok(())
    }
}

/// Whether it says that the whole site was without power, and when.
fn is_cut(alert: &Alert) -> bool {
    alert.rule == Rule::PowerCut
}

/// A registry as it was journaled.
pub(super) fn parse(offset: Offset, payload: &[u8]) -> Result<Registry, EngineError> {
    Registry::unpack(payload).map_err(|source| EngineError::Registry { offset, source })
}

/// By which number history knows each meter of a registry.
pub(super) fn meter_keys(
    tx: &Transaction<'_>,
    registry: &Registry,
    offset: Offset,
) -> Result<Vec<u32>, EngineError> {
    let key = |meter: &Meter| history::meters::key(tx.conn(), &meter.id);
    let keys: Result<Vec<u32>, _> = registry.meters.iter().map(key).collect();
    keys.map_err(|source| EngineError::History { offset, source })
}
