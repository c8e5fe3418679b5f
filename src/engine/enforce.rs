//! What is judged by, put in force: by a registry, or by what was learned and what people say to it.

use super::adopt::Adopted;
use super::changes::Enforced;
use super::decide::{self, Decided};
use super::effects::Mark;
use super::error::EngineError;
use super::past::keep::RejudgeError;
use super::past::version::SiteVersion;
use super::write::{Step, meter_keys, parse};

use crate::alerts::alert::{self, Alert};
use crate::alerts::evidence::Changed;
use crate::alerts::finding::{AlertFinding, Change, Subject};
use crate::model::command::Command;
use crate::model::message::Message;
use crate::model::reading::Offset;
use crate::model::rule::{Level, Rule};
use crate::model::time::UtcMs;
use crate::store::judging::{self, Version};
use crate::store::learned::{self, Decision};
use crate::store::revising;

impl Step<'_> {
    pub(super) fn take_registry(&mut self, offset: Offset, message: &Message<'_>) -> Result<(), EngineError> {
        let at = |source| EngineError::Store { offset, source };
        let since = self.world.now().max(message.received);
        let registry = parse(offset, message.payload)?;
        let changed = self.world.take_registry(registry, message.received, offset);
        self.tx.put_registry(offset, message.payload).map_err(at)?;
        *self.meter_keys = meter_keys(&self.tx, self.world.registry(), offset)?;
        for enforced in changed {
            self.put_in_force(enforced, since, offset)?;
        }
        self.commission(since, offset)
    }

    /// A command about what a site is judged by.
    pub(super) fn adopt(
        &mut self,
        (offset, received): (Offset, UtcMs),
        command: &Command,
    ) -> Result<(), EngineError> {
        let since = self.world.now().max(received);
        let site = decide::site_of(command).unwrap_or_default();
        let Adopted { decided, enforced, exchanged } = self.world.adopt(command, received, offset);
        if let Command::ExchangeMeter(told) = command {
            return self.exchange(exchanged, told, offset);
        }
        if decided.is_empty() && self.world.book().page(site).is_none() {
            tracing::warn!(offset, site, "Thresholds of a site that does not exist were spoken of");
            return Ok(());
        }
        self.put_decisions((offset, since), command, &decided)?;
        if let Some(enforced) = enforced {
            self.put_in_force(enforced, since, offset)?;
        }
        Ok(())
    }

    /// What was decided, and the page as it is now.
    fn put_decisions(
        &self,
        (offset, at): (Offset, UtcMs),
        command: &Command,
        decided: &[Decided],
    ) -> Result<(), EngineError> {
        let fail = |source| EngineError::Store { offset, source };
        let site = decide::site_of(command).unwrap_or_default();
        let (what, note) = match command {
            Command::Confirm(said) => ("confirm", &*said.note),
            Command::Reject(said) => ("reject", &*said.note),
            Command::Commission { .. } => ("commission", ""),
            _ => ("propose", ""),
        };
        for (n, own) in (0_u32..).zip(decided) {
            if own.verdict == decide::Verdict::Denied {
                tracing::warn!(offset, site, command = what, of = &*own.of, why = &*own.why, "Denied.");
            }
            let decision = Decision {
                offset,
                n,
                site: site.into(),
                at,
                command: what.into(),
                who: decide::who(command).into(),
                note: note.into(),
                body: serde_json::to_string(own).unwrap_or_default(),
            };
            learned::put_decision(self.tx.conn(), &decision).map_err(fail)?;
        }
        let page = self.world.book().page(site).and_then(|page| serde_json::to_string(page).ok());
        let put = page.map(|body| learned::put_page(self.tx.conn(), site, offset, &body));
        put.unwrap_or(Ok(())).map_err(fail)
    }

    /// What a site is judged by from here on is kept, with its state, so that a past span is judged by what held then.
    fn put_in_force(&mut self, enforced: Enforced, since: UtcMs, offset: Offset) -> Result<(), EngineError> {
        let at = |source| EngineError::Store { offset, source };
        let past = |source| EngineError::Past { offset, source };
        let Enforced { index, judged, changes } = enforced;
        let registry = self.world.registry();
        let site = &registry.sites[index as usize];
        let body = SiteVersion::of(registry, site).pack().map_err(RejudgeError::Version).map_err(past)?;
        let version = Version { offset, since, judged, body };
        judging::put_version(self.tx.conn(), &site.id, &version).map_err(at)?;
        let judge = self.world.judge(index).without_later();
        self.put_mark(&Mark { n_findings: 0, site: index, by: offset, judge })?;
        self.tell_changes(index, changes, since, offset)
    }

    /// R18: one alert a site and message, over at once. Source: rule catalogue, R18.
    fn tell_changes(
        &mut self,
        index: u32,
        changes: Vec<Changed>,
        at: UtcMs,
        offset: Offset,
    ) -> Result<(), EngineError> {
        let fail = |source| EngineError::Store { offset, source };
        let site = &self.world.registry().sites[index as usize];
        if changes.is_empty() || !site.rules.is_on(Rule::ConfigChange) {
            return Ok(());
        }
        let open = revising::open_alerts(self.tx.conn(), &site.id).map_err(fail)?;
        let is_inside = open.iter().any(|a| &*a.subject_kind == "process");
        let finding = |change| AlertFinding {
            level: if is_inside { Level::Warning } else { Level::Notice },
            ..AlertFinding::new(Rule::ConfigChange, Subject::Site, change, at, at)
        };
        let mut alert = Alert::raise(site, &[], &finding(Change::Raised), offset);
        alert.apply(site, &finding(Change::Cleared), offset);
        alert.evidence.changes = changes;
        alert.evidence.offsets = Some((offset, offset));
        // Two changes within a millisecond are two.
        let mut salt = 0;
        while self.tx.alert(&alert.id).map_err(fail)?.is_some() {
            salt += 1;
            alert.id = alert::salted_identity(&alert, salt);
        }
        self.put_alert(alert, index, at, offset)
    }
}
