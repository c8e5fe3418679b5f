//! Why nobody is told of alerts, kept up to date: when an alert is written, when maintenance is filed or withdrawn, when a
//! power cut comes to be known, when late readings changed the past, and when a reason ends.
//!
//! All follows from the order of the journal and from what the store holds of it, in the transaction that holds the rest:
//! what was filed later is not there yet.

use std::collections::HashMap;
use std::iter::Peekable;

use jiff::tz::TimeZone;
use rusqlite::Connection;

use super::effects::Passed;
use super::error::EngineError;
use super::past::keep::RejudgeError;
use super::past::version::SiteVersion;
use super::write::Step;
use crate::alerts::alert::{Alert, Status};
use crate::alerts::reason::Why;
use crate::alerts::suppression::{self, About, Window};
use crate::detection::rules::calendar::{Calendar, Hours};
use crate::model::maintenance::{Filing, Scope};
use crate::model::param::Param;
use crate::model::reading::Offset;
use crate::model::registry::Registry;
use crate::model::site::Site;
use crate::model::time::{DAY_MS, UtcMs};
use crate::model::working_time::WorkingTime;
use crate::store::error::StoreError;
use crate::store::suppressing::{self, InService, Maintenance};
use crate::store::{judging, queue::Entry};

/// A week has every shift there is, and no shift is longer than a day.
const REST_MS_MAX: i64 = 9 * DAY_MS;

/// Points whose commissioning is another now: index of the site, and the time in which alerts may have begun in it.
type Changed = Vec<(u32, (UtcMs, UtcMs))>;

impl Step<'_> {
    /// Writes an alert with the reasons for which nobody is told of it, as far as they are known by `now`.
    pub(super) fn put_alert(
        &mut self,
        mut alert: Alert,
        site: u32,
        now: UtcMs,
        by: Offset,
    ) -> Result<(), EngineError> {
        self.consider(&mut alert, site, now, by)?;
        self.store_alert(&alert, by)
    }

    /// Writes an alert as it is.
    pub(super) fn store_alert(&self, alert: &Alert, by: Offset) -> Result<(), EngineError> {
        let at = |source| EngineError::Store { offset: by, source };
        self.tx.put_alert(alert, by).map_err(at)?;
        let stands = alert.suppressed.iter().filter(|s| !s.outlasted && alert.status == Status::Open);
        let end = stands.filter_map(|s| s.to).min();
        suppressing::put_end(self.tx.conn(), &alert.id, end).map_err(at)?;
        self.hear(alert, by)?;
        self.push(by, &Entry::Alert(Box::new(alert.clone())))
    }

    /// Finds the reasons for which nobody is told of an alert. Returns whether they are others than before.
    pub(super) fn consider(
        &self,
        alert: &mut Alert,
        site: u32,
        now: UtcMs,
        by: Offset,
    ) -> Result<bool, EngineError> {
        if alert.status == Status::Retracted {
            return Ok(false);
        }
        let registry = self.world.registry();
        let own = &registry.sites[site as usize];
        let about = suppression::about(alert, own, &registry.meters);
        let mut windows = windows(self.tx.conn(), alert, registry, own)
            .map_err(|source| EngineError::Store { offset: by, source })?;
        if Why::OutsideWorkingTime.explains(alert.rule) {
            windows.extend(self.rest(alert, &about, site, by)?);
        }
        let found = suppression::reasons(alert, &about, &windows, now);
        let is_new = found != alert.suppressed;
        alert.suppressed = found;
        Ok(is_new)
    }

    /// The time outside of working hours in which an alert began, by what was in force then.
    fn rest(
        &self,
        alert: &Alert,
        about: &About<'_>,
        site: u32,
        by: Offset,
    ) -> Result<Option<Window>, EngineError> {
        let conn = self.tx.conn();
        let now = &self.world.registry().sites[site as usize];
        let at = |source| EngineError::Store { offset: by, source };
        let past = |source| EngineError::Past { offset: by, source };
        let other = judging::version_at(conn, &now.id, alert.first).map_err(at)?;
        let other = other.filter(|offset| *offset != self.world.version(site));
        let other = other.map(|offset| judging::version(conn, &now.id, offset, offset)).transpose();
        match other.map_err(at)?.flatten() {
            None => Ok(rest(alert.first, about, now)),
            Some(version) => {
                let then = SiteVersion::unpack(&version.body).map_err(RejudgeError::Version).map_err(past)?;
                Ok(rest(alert.first, about, &then.version.site))
            }
        }
    }

    /// Considers the alerts of a site again that began from a moment up to another.
    pub(super) fn reconsider(
        &mut self,
        site: u32,
        span: (UtcMs, UtcMs),
        now: UtcMs,
        by: Offset,
    ) -> Result<(), EngineError> {
        let id = &self.world.registry().sites[site as usize].id;
        let begun = suppressing::alerts_begun(self.tx.conn(), id, span)
            .map_err(|source| EngineError::Store { offset: by, source })?;
        for mut alert in begun {
            if self.consider(&mut alert, site, now, by)? {
                self.store_alert(&alert, by)?;
            }
        }
        Ok(())
    }

    /// When the alerts began that a power cut may explain.
    pub(super) fn span_of_cut(&self, cut: &Alert, site: u32) -> (UtcMs, UtcMs) {
        let registry = self.world.registry();
        let slack_ms = slack_ms(&registry.sites[site as usize], registry);
        (cut.first.plus(-slack_ms), cut.cleared.unwrap_or(cut.raised))
    }

    /// Time has passed before the finding number `n` of this step: open alerts whose reason has ended are told again, and
    /// what is due is put on its way to those who are told.
    pub(super) fn pass(
        &mut self,
        passed: &mut Peekable<impl Iterator<Item = Passed>>,
        n: usize,
    ) -> Result<(), EngineError> {
        let Some(Passed { by, .. }) = passed.peek().filter(|p| p.n_findings <= n).copied() else {
            return Ok(());
        };
        let next_end = |step: &Self| {
            let end = suppressing::next_end(step.tx.conn());
            end.map_err(|source| EngineError::Store { offset: by, source })
        };
        let (mut end, mut due) = (next_end(self)?, self.next_notice(by)?);
        while let Some(passed) = passed.next_if(|passed| passed.n_findings <= n) {
            if end.is_some_and(|end| end <= passed.now) {
                self.tell_again(passed)?;
                (end, due) = (next_end(self)?, self.next_notice(by)?);
            }
            if due.is_some_and(|due| due <= passed.now) {
                self.tell(passed)?;
                due = self.next_notice(by)?;
            }
        }
        Ok(())
    }

    fn tell_again(&mut self, passed: Passed) -> Result<(), EngineError> {
        let Passed { by, now, .. } = passed;
        let at = |source| EngineError::Store { offset: by, source };
        for id in suppressing::ended(self.tx.conn(), now).map_err(at)? {
            let Some(mut alert) = self.tx.alert(&id).map_err(at)? else { continue };
            let index = self.world.registry().sites.iter().position(|s| s.id == alert.site);
            match index.and_then(|i| u32::try_from(i).ok()) {
                Some(site) => drop(self.consider(&mut alert, site, now, by)?),
                None => {
                    alert.suppressed.iter_mut().for_each(|s| s.outlasted |= s.to.is_some_and(|to| to <= now))
                }
            }
            self.store_alert(&alert, by)?;
        }
        Ok(())
    }

    /// Maintenance is filed.
    pub(super) fn file(&mut self, by: Offset, filed: UtcMs, filing: Filing) -> Result<(), EngineError> {
        let sites = (0_u32..).zip(&self.world.registry().sites);
        let known = sites.into_iter().find(|(_, s)| *s.id == *filing.site);
        let Some((site, own)) = known else {
            tracing::warn!(site = filing.site, "Maintenance was filed for a site that does not exist");
            return Ok(());
        };
        if let Err(error) = filing.check(own) {
            tracing::warn!(site = filing.site, %error, "Maintenance was filed that cannot be taken");
            return Ok(());
        }
        let span = (filing.from, filing.to);
        let counts = filing.counts(filed);
        let own = Maintenance { id: Maintenance::id_of(by), filed, counts, filing, withdrawn: None };
        suppressing::put_maintenance(self.tx.conn(), &own)
            .map_err(|source| EngineError::Store { offset: by, source })?;
        if counts { self.reconsider(site, span, filed, by) } else { Ok(()) }
    }

    /// Maintenance counts no longer.
    pub(super) fn withdraw(
        &mut self,
        by: Offset,
        at: UtcMs,
        id: &str,
        who: String,
    ) -> Result<(), EngineError> {
        let failed = |source| EngineError::Store { offset: by, source };
        let known = suppressing::maintenance(self.tx.conn(), id).map_err(failed)?;
        let Some(mut own) = known.filter(|own| own.withdrawn.is_none()) else {
            tracing::warn!(id, "Maintenance was withdrawn that was not filed, or was withdrawn before");
            return Ok(());
        };
        own.withdrawn = Some((at, who));
        suppressing::put_maintenance(self.tx.conn(), &own).map_err(failed)?;
        let site = self.world.registry().sites.iter().position(|s| *s.id == *own.filing.site);
        match site.and_then(|i| u32::try_from(i).ok()).filter(|_| own.counts) {
            Some(site) => self.reconsider(site, (own.filing.from, own.filing.to), at, by),
            None => Ok(()),
        }
    }

    /// Another configuration is in force: points may be in commissioning, or no longer.
    pub(super) fn commission(&mut self, since: UtcMs, by: Offset) -> Result<(), EngineError> {
        let changed = commission(self.tx.conn(), self.world.registry(), since, by)
            .map_err(|source| EngineError::Store { offset: by, source })?;
        for (site, span) in changed {
            self.reconsider(site, span, since, by)?;
        }
        Ok(())
    }
}

/// What is known to suppress alerts that begin when this one began.
fn windows(
    conn: &Connection,
    alert: &Alert,
    registry: &Registry,
    site: &Site,
) -> Result<Vec<Window>, StoreError> {
    let at = alert.first;
    let filed = suppressing::maintenance_at(conn, &site.id, at)?.into_iter().map(|own| Window {
        why: Why::Maintenance,
        from: own.filing.from,
        to: Some(own.ends()),
        by: Some(own.filing.who.into()),
        reference: Some(own.id.into()),
        scope: own.filing.scope,
    });
    let mut windows: Vec<Window> = filed.collect();
    let points = suppressing::commissioning_after(conn, Some(&site.id), at)?.into_iter();
    windows.extend(points.map(|own| Window {
        why: Why::Commissioning,
        scope: Scope { points: vec![own.point.into()], ..Scope::default() },
        from: own.from,
        to: own.to,
        by: None,
        reference: None,
    }));
    if Why::PowerCut.explains(alert.rule) {
        let slack_ms = slack_ms(site, registry);
        let cuts = suppressing::power_cuts_at(conn, &site.id, at, slack_ms)?.into_iter();
        windows.extend(cuts.map(|cut| Window {
            why: Why::PowerCut,
            scope: Scope::default(),
            from: cut.first.plus(-slack_ms),
            to: cut.cleared,
            by: None,
            reference: Some(cut.id),
        }));
    }
    Ok(windows)
}

/// A cut begins with the last reading before it; meters fall silent within so long of each other.
fn slack_ms(site: &Site, registry: &Registry) -> i64 {
    let meters = site.points.iter().filter_map(|p| registry.meters.get(p.meter as usize));
    let period_ms = meters.map(|m| i64::from(m.period_ms)).max().unwrap_or_default();
    site.rules.ms(Param::CutWithin) + period_ms
}

/// The time from `first` up to when any of what an alert is about works again; `None` where it worked then, or where it is
/// not declared of all of it.
fn rest(first: UtcMs, about: &About<'_>, site: &Site) -> Option<Window> {
    let About::Units(units) = about else { return None };
    let mut declared: Vec<&WorkingTime> = Vec::new();
    for unit in units {
        if unit.processes.is_empty() {
            declared.push(site.working_time.as_ref()?);
        }
        for process in site.processes.iter().filter(|p| unit.processes.contains(&&*p.id)) {
            declared.push(site.working_time(process)?);
        }
    }
    let zone = TimeZone::get(&site.time_zone).ok()?;
    let limit = first.plus(REST_MS_MAX);
    let ends = declared.iter().map(|working| {
        let (mut calendar, mut t) = (Calendar::BLANK, first);
        while t < limit {
            let hours = || Hours { zone: &zone, night: (0, 0), working: Some(*working) };
            let piece = calendar.piece(t, limit, hours);
            if piece.is_working != Some(false) {
                break;
            }
            t = piece.to;
        }
        t
    });
    let to = ends.min().filter(|to| *to > first)?;
    Some(Window {
        why: Why::OutsideWorkingTime,
        scope: Scope::default(),
        from: first,
        to: Some(to),
        by: None,
        reference: None,
    })
}

/// Notes which points are in commissioning from `since` on. One that is set only now does not reach back, but for a site
/// that is new.
///
/// # Errors
/// The store fails.
pub(super) fn commission(
    conn: &Connection,
    registry: &Registry,
    since: UtcMs,
    by: Offset,
) -> Result<Changed, StoreError> {
    let known = suppressing::commissioning_after(conn, None, since)?;
    let mut known: HashMap<(String, String), InService> =
        known.into_iter().map(|own| ((own.site.clone(), own.point.clone()), own)).collect();
    let mut changed = Vec::new();
    let mut change = |site: u32, was: InService, to: Option<UtcMs>| {
        let span = (was.from, was.to.unwrap_or(UtcMs(i64::MAX)).max(to.unwrap_or(since)));
        changed.push((site, span));
        suppressing::put_commissioning(conn, &InService { to, ..was })
    };
    for (index, site) in (0_u32..).zip(&registry.sites) {
        for point in &site.points {
            let was = known.remove(&(site.id.to_string(), point.id.to_string()));
            let until = point.commissioning.map(|c| c.until);
            match (was, until.filter(|until| until.is_none_or(|u| u > since))) {
                (Some(was), Some(until)) if was.to != until => change(index, was, until)?,
                (Some(was), None) => change(index, was, Some(since))?,
                (None, Some(to)) => {
                    let is_new = judging::version(conn, &site.id, 0, by.saturating_sub(1))?.is_none();
                    let from = if is_new { UtcMs::MIN } else { since };
                    let (site, point) = (site.id.to_string(), point.id.to_string());
                    suppressing::put_commissioning(conn, &InService { site, point, from, to })?;
                }
                _ => {}
            }
        }
    }
    // Points and sites that are gone.
    for was in known.into_values() {
        let index = registry.sites.iter().position(|s| *s.id == *was.site);
        match index.and_then(|i| u32::try_from(i).ok()) {
            Some(site) => change(site, was, Some(since))?,
            None => suppressing::put_commissioning(conn, &InService { to: Some(since), ..was })?,
        }
    }
    changed.sort_unstable();
    Ok(changed)
}
