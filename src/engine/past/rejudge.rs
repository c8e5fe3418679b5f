//! A site's past judged again, from a state that was kept before the late readings were measured up to where the site is
//! judged now: an hour at a time, so that no step of the engine becomes long, whatever came late.
//!
//! The outcome depends on the readings alone and not on which state it began from, how it was cut, or whether the engine
//! was restarted in between; and it is what would have come out had the readings been on time.

use std::sync::Arc;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::keep::{self, RejudgeError};
use super::marks;
use super::version::{InForce, SiteVersion};
use crate::alerts::alert::{self, Alert, Status};
use crate::alerts::finding::{AlertFinding, Change};
use crate::alerts::revision::Late;
use crate::detection::finding::Finding;
use crate::detection::observe::{Observation, Stamp};
use crate::detection::site::{Offer, SiteJudge};
use crate::engine::layout::LAYOUT;
use crate::engine::proof;
use crate::history::{self, span::Span};
use crate::model::reading::{Offset, Quality};
use crate::model::site::{Point, PointKind, Site};
use crate::model::state::State;
use crate::model::time::UtcMs;
use crate::store::exchanges;
use crate::store::judging::{self, Checkpoint};

/// A change of state that came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Point id.
    pub point: Box<str>,
    /// What the point is.
    pub kind: PointKind,
    /// When.
    pub at: UtcMs,
    /// What it became.
    pub state: State,
    /// Number of the finding; 0 for how it was at the begin.
    pub said: u64,
}

/// A site that is being judged again.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rejudging {
    /// Index of the site.
    pub index: u32,
    /// Its id.
    pub site: Box<str>,
    /// Why.
    pub late: Late,
    /// The number of the last finding that stands.
    pub base_said: u64,
    judge: SiteJudge,
    version: Offset,
    happened: Offset,
    #[serde(with = "as_json")]
    open_at_base: Vec<Alert>,
    #[serde(with = "as_json")]
    touched: Vec<Alert>,
    states: Vec<Told>,
    #[serde(skip)]
    in_force: Option<Arc<InForce>>,
    /// Exchanged meters are known that were told by messages up to this one.
    #[serde(skip)]
    told: Offset,
}

/// What came out.
#[derive(Debug)]
pub struct Outcome {
    /// The state of the site now.
    pub judge: SiteJudge,
    /// Alerts that came out or changed since the base, and those that were open there and did not.
    pub touched: Vec<Alert>,
    /// Alerts open at the base of which nothing more was said.
    pub untouched: Vec<Alert>,
    /// Changes of state, after the state of every point at the base.
    pub states: Vec<Told>,
}

/// How far a slice brought it.
#[derive(Debug, PartialEq, Eq)]
pub struct Slice {
    /// Readings it took.
    pub n_readings: usize,
    /// Whether it is where the site is judged to now.
    pub is_done: bool,
}

/// Something that happened to a site beside readings.
enum Event {
    Version(judging::Version),
    Unheard(judging::Unheard),
}

impl Rejudging {
    /// Begins at the newest state kept before the first late reading was measured; `None` where there is none, or where
    /// history no longer has what followed.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn begin(
        conn: &Connection,
        (index, site): (u32, &str),
        late: Late,
        up_to: Offset,
    ) -> Result<Option<Rejudging>, RejudgeError> {
        let found = judging::checkpoint_before(conn, site, LAYOUT, late.from).map_err(RejudgeError::Store)?;
        let Some(checkpoint) = found else { return Ok(None) };
        if checkpoint.judged < history::kept_from(conn).map_err(RejudgeError::History)? {
            return Ok(None);
        }
        let kept = keep::read(&checkpoint)?;
        let mut begun = Rejudging {
            index,
            site: site.into(),
            late,
            base_said: kept.judge.said(),
            judge: kept.judge,
            version: kept.version,
            happened: kept.happened,
            open_at_base: kept.open,
            touched: Vec::new(),
            states: Vec::new(),
            in_force: None,
            told: 0,
        };
        let in_force = begun.in_force(conn, up_to)?;
        for (i, point) in (0_u16..).zip(&in_force.version.site.points) {
            let view = begun.judge.point(i);
            let (point, kind) = (point.id.clone(), point.kind);
            begun.states.push(Told { point, kind, at: view.since, state: view.state, said: 0 });
        }
        Ok(Some(begun))
    }

    /// Judges on by at most an hour, towards where `live` is.
    ///
    /// `keep` is given the states at the marks that lie on the way, in place of those kept there before.
    ///
    /// # Errors
    /// The store cannot be read, or `keep` fails.
    pub fn slice(
        &mut self,
        conn: &Connection,
        live: &SiteJudge,
        (now, up_to): (UtcMs, Offset),
        keep: &mut dyn FnMut(&str, &Checkpoint) -> Result<(), RejudgeError>,
    ) -> Result<Slice, RejudgeError> {
        let in_force = self.in_force(conn, up_to)?;
        let site = &in_force.version.site;
        let from = self.judge.judged();
        self.know_exchanges(conn, site, up_to)?;
        let event = self.next_event(conn, i64::from(site.reorder_ms), up_to)?;
        if let Some((position, event)) = &event
            && *position <= from
        {
            let n_readings = self.happen(conn, event, &in_force, up_to, keep)?;
            return Ok(Slice { n_readings, is_done: false });
        }
        let phase_ms = marks::phase_ms(&self.site);
        let mark = marks::after(from, phase_ms);
        let position = event.map(|(position, _)| position);
        let end = position.map_or(live.judged(), |position| position.min(live.judged()));
        let to = mark.min(end);
        let n_readings = self.offer(conn, &in_force, (from, to), up_to)?;
        self.advance(conn, &in_force, to, up_to)?;
        if to == mark && marks::is_kept(mark, phase_ms, now) {
            keep(&self.site, &self.checkpoint()?)?;
        }
        Ok(Slice { n_readings, is_done: to == live.judged() && position.is_none_or(|p| p > to) })
    }

    /// The end: what waits at the `live` site waits here too.
    #[must_use]
    pub fn finish(mut self, live: &SiteJudge) -> Outcome {
        self.judge.replace_pending(live.pending().to_vec());
        Outcome {
            judge: self.judge,
            touched: self.touched,
            untouched: self.open_at_base,
            states: self.states,
        }
    }

    /// Meters that were exchanged after where this is: whether or not the state it began from knows of them.
    fn know_exchanges(&mut self, conn: &Connection, site: &Site, up_to: Offset) -> Result<(), RejudgeError> {
        if self.told == up_to {
            return Ok(());
        }
        self.told = up_to;
        let told = exchanges::after(conn, &self.site, self.judge.judged(), up_to);
        for (point, at) in told.map_err(RejudgeError::Store)? {
            let index = (0_u16..).zip(&site.points).find(|(_, own)| *own.id == *point);
            index.into_iter().for_each(|(index, _)| self.judge.replaced(index, at));
        }
        Ok(())
    }

    fn in_force(&mut self, conn: &Connection, up_to: Offset) -> Result<Arc<InForce>, RejudgeError> {
        if let Some(known) = &self.in_force {
            return Ok(Arc::clone(known));
        }
        let own = judging::version(conn, &self.site, self.version, up_to).map_err(RejudgeError::Store)?;
        let Some(own) = own.filter(|v| v.offset == self.version) else {
            return Err(RejudgeError::NoVersion { site: self.site.clone(), offset: self.version });
        };
        let known = SiteVersion::unpack(&own.body).map_err(RejudgeError::Version)?;
        self.in_force = Some(Arc::clone(&known));
        Ok(known)
    }

    /// What happened next, and up to where the site was judged then.
    fn next_event(
        &self,
        conn: &Connection,
        reorder_ms: i64,
        up_to: Offset,
    ) -> Result<Option<(UtcMs, Event)>, RejudgeError> {
        let version = judging::version(conn, &self.site, self.happened + 1, up_to);
        let version = version.map_err(RejudgeError::Store)?;
        let unheard = judging::unheard(conn, self.happened, up_to).map_err(RejudgeError::Store)?;
        let version = version.map(|v| (v.offset, v.judged, Event::Version(v)));
        let unheard = unheard.map(|u| (u.offset, u.from.plus(-reorder_ms), Event::Unheard(u)));
        let next = version.into_iter().chain(unheard).min_by_key(|(offset, _, _)| *offset);
        Ok(next.map(|(_, position, event)| (position, event)))
    }

    fn happen(
        &mut self,
        conn: &Connection,
        event: &Event,
        in_force: &InForce,
        up_to: Offset,
        keep: &mut dyn FnMut(&str, &Checkpoint) -> Result<(), RejudgeError>,
    ) -> Result<usize, RejudgeError> {
        match event {
            Event::Unheard(unheard) => {
                self.judge.excuse(unheard.from, unheard.to);
                self.happened = unheard.offset;
                Ok(0)
            }
            Event::Version(version) => {
                let new = SiteVersion::unpack(&version.body).map_err(RejudgeError::Version)?;
                let fresh = SiteJudge::new(&new.version.site, &new.context, version.since);
                // What was received before the change was taken by what held before it.
                let waiting = (self.judge.judged(), fresh.judged());
                let n_readings = self.offer(conn, in_force, waiting, up_to)?;
                let old = (&in_force.version.site, &in_force.context);
                self.judge = self.judge.clone().carry_over(old, (&new.version.site, &new.context), fresh);
                (self.version, self.happened) = (version.offset, version.offset);
                (self.in_force, self.told) = (Some(new), 0);
                keep(&self.site, &self.checkpoint()?)?;
                Ok(n_readings)
            }
        }
    }

    /// Offers the readings measured after `from` up to `to`.
    fn offer(
        &mut self,
        conn: &Connection,
        in_force: &InForce,
        (from, to): (UtcMs, UtcMs),
        up_to: Offset,
    ) -> Result<usize, RejudgeError> {
        let SiteVersion { site, meters } = &in_force.version;
        let of_point = |p: &Point| meters.get(p.meter as usize).map(|m| &*m.id);
        let (points, ids): (Vec<u16>, Vec<&str>) =
            (0_u16..).zip(&site.points).filter_map(|(i, p)| Some((i, of_point(p)?))).unzip();
        let span = Span { from: from.plus(1), to: to.plus(1), up_to };
        let (judge, limits) = (&mut self.judge, &in_force.context.meters);
        history::span::visit(conn, &ids, span, &mut |place, reading| {
            if may_judge(reading.quality) {
                let seen = Observation::of(
                    points[place],
                    Stamp {
                        at: reading.time,
                        offset: reading.offset,
                        is_merged: reading.quality.has(Quality::MERGED),
                    },
                    reading.values,
                    limits,
                );
                let offer = judge.offer(seen);
                debug_assert_eq!(offer, Offer::Accepted, "the span lies after what is judged");
            }
        })
        .map_err(RejudgeError::History)
    }

    fn advance(
        &mut self,
        conn: &Connection,
        in_force: &InForce,
        to: UtcMs,
        up_to: Offset,
    ) -> Result<(), RejudgeError> {
        let SiteVersion { site, .. } = &in_force.version;
        let mut said = self.judge.said();
        let mut found = Vec::new();
        self.judge.advance(site, &in_force.context, to, &mut |finding| {
            said += 1;
            found.push((said, finding));
        });
        for (said, finding) in found {
            match finding {
                Finding::State { point, at, state } => {
                    let Some(point) = site.points.get(usize::from(point)) else { continue };
                    let (point, kind) = (point.id.clone(), point.kind);
                    self.states.push(Told { point, kind, at, state, said });
                }
                Finding::Alert(finding) => self.apply(conn, in_force, said, &finding, up_to)?,
            }
        }
        Ok(())
    }

    fn apply(
        &mut self,
        conn: &Connection,
        in_force: &InForce,
        said: u64,
        finding: &AlertFinding,
        up_to: Offset,
    ) -> Result<(), RejudgeError> {
        let SiteVersion { site, meters } = &in_force.version;
        let gateways = &in_force.context.gateways;
        let (kind, subject) = alert::subject_names(site, gateways, finding.subject);
        let is_it =
            |a: &Alert| a.status == Status::Open && a.is_of(finding.rule, kind, &subject, finding.first);
        if let Some(place) = self.open_at_base.iter().position(is_it) {
            let open = self.open_at_base.remove(place);
            self.touched.push(open);
        }
        let known = self.touched.iter().position(|a| is_it(a) && finding.change != Change::Raised);
        let mut own = match known {
            Some(place) => {
                let mut own = self.touched.remove(place);
                own.apply(site, finding, up_to);
                own
            }
            None => Alert::raise(site, gateways, finding, up_to),
        };
        own.said = said;
        own.prove(proof::readings(conn, (site, meters), finding, up_to).map_err(RejudgeError::History)?);
        self.touched.push(own);
        Ok(())
    }

    fn checkpoint(&self) -> Result<Checkpoint, RejudgeError> {
        let mut open: Vec<&Alert> = self.open_at_base.iter().collect();
        open.extend(self.touched.iter().filter(|a| a.status == Status::Open));
        keep::checkpoint(&self.judge.without_later(), (self.version, self.happened), &open)
    }
}

/// What a device itself doubts proves nothing, nor does a retained copy that does not say when it was measured.
#[must_use]
pub fn may_judge(quality: Quality) -> bool {
    let undated = quality.has(Quality::RETAINED) && quality.has(Quality::RECEIVE_TIME);
    !quality.has(Quality::DOUBTFUL) && !undated
}

/// Alerts leave out what is empty, which only a form that names its fields can bear.
mod as_json {
    use serde::de::{Deserialize, Deserializer, Error as _};
    use serde::ser::{Error as _, Serializer};

    use crate::alerts::alert::Alert;

    pub fn serialize<S: Serializer>(alerts: &[Alert], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&serde_json::to_vec(alerts).map_err(S::Error::custom)?)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Alert>, D::Error> {
        let bytes = Vec::<u8>::deserialize(from)?;
        serde_json::from_slice(&bytes).map_err(D::Error::custom)
    }
}
