//! Who is told of alerts: receivers hear of each change of an alert, and with each tick what is due is put into the queue,
//! all in the transaction that holds the rest. So a kill anywhere tells nothing twice and loses nothing.

use std::collections::HashSet;

use jiff::tz::TimeZone;

use super::audience::Subscriber;
use super::effects::Passed;
use super::error::EngineError;
use super::write::Step;
use crate::alerts::alert::Alert;
use crate::config::receivers::SINK_PREFIX;
use crate::model::reading::Offset;
use crate::model::time::UtcMs;
use crate::notices::item::{Item, What};
use crate::notices::notice::{self, About, Telling};
use crate::notices::plan::{self, Heard};
use crate::store::error::StoreError;
use crate::store::notices::{self, Known, Row};
use crate::store::queue::{self, Entry};

impl Step<'_> {
    /// Everybody hears of an alert as it is now; nothing is told yet.
    pub(super) fn hear(&self, alert: &Alert, by: Offset) -> Result<(), EngineError> {
        for (subscriber, known) in self.audience.iter().filter(|(_, known)| known.awake) {
            self.hear_one(subscriber, known, alert)
                .map_err(|source| EngineError::Store { offset: by, source })?;
        }
        Ok(())
    }

    fn hear_one(&self, own: &Subscriber, known: &Known, alert: &Alert) -> Result<(), StoreError> {
        let (about, zone) = self.about(&alert.site);
        let is_wanted = own.policy.filter.wants(alert.level, &about.region, &alert.site, alert.rule);
        let heard = Heard {
            level: alert.level,
            status: alert.status,
            acknowledged: alert.acknowledged.is_some(),
            quelled: alert.is_suppressed() || !is_wanted,
            is_new: known_by(alert) > known.after,
        };
        let item = notices::item(self.tx.conn(), &own.name, &alert.id)?;
        let Some(mut item) = plan::hear(item, &heard, &own.policy) else { return Ok(()) };
        if !item.stands() {
            item.region = about.region;
        }
        let (receiver, id, site) = (own.name.clone(), alert.id.clone(), alert.site.clone());
        let due = plan::due(&item, &own.policy, &zone, UtcMs::MIN);
        notices::put(self.tx.conn(), &Row { receiver, alert: id, site, due, item })
    }

    /// The site as a notice names it.
    fn about(&self, site: &str) -> (About, TimeZone) {
        let known = self.world.registry().sites.iter().find(|s| *s.id == *site);
        let about = known.map_or_else(|| About::unknown(site), About::of);
        let zone = TimeZone::get(&about.time_zone).unwrap_or(TimeZone::UTC);
        (about, zone)
    }

    /// When there is something to look at, with a tick then or later.
    pub(super) fn next_notice(&self, by: Offset) -> Result<Option<UtcMs>, EngineError> {
        if self.audience.is_empty() {
            return Ok(None);
        }
        if self.audience.iter().any(|(_, known)| !known.awake) {
            return Ok(Some(UtcMs::MIN));
        }
        notices::next_due(self.tx.conn()).map_err(|source| EngineError::Store { offset: by, source })
    }

    /// Time has passed: what is due is put into the queue.
    pub(super) fn tell(&mut self, passed: Passed) -> Result<(), EngineError> {
        let Passed { by, now, .. } = passed;
        let at = |source| EngineError::Store { offset: by, source };
        self.wake(by).map_err(at)?;
        for (receiver, site) in notices::due(self.tx.conn(), now).map_err(at)? {
            if let Some((own, _)) = self.audience.iter().find(|(own, _)| *own.name == *receiver) {
                self.tell_of(own, &site, (by, now)).map_err(at)?;
            }
        }
        Ok(())
    }

    /// Who slept until here hears of everything that stands, or that it was told of.
    fn wake(&mut self, by: Offset) -> Result<(), StoreError> {
        for index in 0..self.audience.len() {
            let (own, known) = &self.audience[index];
            if known.awake || by <= known.after {
                continue;
            }
            let conn = self.tx.conn();
            let mut all = notices::open_alerts(conn)?;
            let open: HashSet<&str> = all.iter().map(|alert| &*alert.id).collect();
            let heard = notices::heard_by(conn, &own.name)?.into_iter().filter(|id| !open.contains(&**id));
            for id in heard.collect::<Vec<_>>() {
                all.extend(self.tx.alert(&id)?);
            }
            for alert in &all {
                self.hear_one(own, known, alert)?;
            }
            let known = Known { awake: true, ..known.clone() };
            notices::put_receiver(conn, &known)?;
            self.audience[index].1 = known;
        }
        Ok(())
    }

    fn tell_of(&self, own: &Subscriber, site: &str, moment: (Offset, UtcMs)) -> Result<(), StoreError> {
        let conn = self.tx.conn();
        let (about, zone) = self.about(site);
        let mut rows = notices::of_site(conn, &own.name, site)?;
        let mut items: Vec<Item> = rows.iter().map(|row| row.item.clone()).collect();
        let told = plan::tick(&mut items, &own.policy, &zone, moment.1);
        let n_standing = items.iter().filter(|item| item.stands()).count();
        let mut tellings = Vec::new();
        for ((row, item), what) in rows.iter_mut().zip(items).zip(told) {
            if let Some(what) = what {
                tellings.extend(self.telling(what, &row.alert, &item)?);
            }
            let due = plan::due(&item, &own.policy, &zone, moment.1);
            if row.due != due || row.item != item {
                (row.due, row.item) = (due, item);
                notices::put(conn, row)?;
            }
        }
        let sink = format!("{SINK_PREFIX}{}", own.name);
        for notice in notice::notices(&own.name, &about, tellings, n_standing, moment) {
            queue::push(conn, &sink, &Entry::Notice(Box::new(notice)))?;
        }
        Ok(())
    }

    fn telling(&self, what: What, alert: &str, item: &Item) -> Result<Option<Telling>, StoreError> {
        let alert = self.tx.alert(alert)?;
        let levels = item.told.as_ref().map(|told| told.levels.clone()).unwrap_or_default();
        Ok(alert.map(|alert| Telling { what, levels, region: item.region.clone(), alert: Box::new(alert) }))
    }
}

/// The message by which it came to be known at all.
fn known_by(alert: &Alert) -> Offset {
    let found_later = alert.revisions.first().filter(|_| alert.retroactive).map(|r| r.offset);
    found_later.or(alert.history.first().map(|step| step.offset)).unwrap_or_default()
}
