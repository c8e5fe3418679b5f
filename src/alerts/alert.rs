//! The record of an alert and how it changes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::evidence::{self, Evidence, WholeReading};
use super::finding::{AlertFinding, Change, Subject};
use super::reason::Suppression;
use super::revision::Revision;
use crate::model::deed::{Act, Deed};
use crate::model::reading::Offset;
use crate::model::rule::{Level, Rule};
use crate::model::site::Site;
use crate::model::time::UtcMs;

/// What only readings decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The condition goes on, or nobody can say that it ended.
    Open,
    /// It certainly ended.
    Cleared,
    /// Readings that came later show that it never held; its revisions say which.
    Retracted,
}

impl Status {
    /// The word in API, tags and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Cleared => "cleared",
            Status::Retracted => "retracted",
        }
    }
}

/// Who took note of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Acknowledgement {
    /// Who.
    pub who: Box<str>,
    /// When, by the journal.
    pub at: UtcMs,
    /// What they wrote.
    pub note: Box<str>,
}

/// One line of an alert's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    /// When it holds: measuring time for what readings decide, receive time for what people do.
    pub at: UtcMs,
    /// Raised, escalated, cleared, acknowledged.
    pub what: Box<str>,
    /// Level from there on.
    pub level: Level,
    /// The message by which it came to be known.
    pub offset: Offset,
}

/// A condition that held, from when to when, with its evidence and its life cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Alert {
    /// Made from site, rule, subject and first certain moment: the same again from the same readings.
    pub id: Box<str>,
    /// Site id.
    pub site: Box<str>,
    /// Rule.
    pub rule: Rule,
    /// Version of the rule that judged.
    pub rule_version: u32,
    /// `process`, `point`, `gateway` or `site`.
    pub subject_kind: Box<str>,
    /// Id of the process or point, or name of the gateway.
    pub subject: Box<str>,
    /// Open or cleared.
    pub status: Status,
    /// Level now.
    pub level: Level,
    /// First certain moment.
    pub first: UtcMs,
    /// When it had held long enough to be raised.
    pub raised: UtcMs,
    /// The same as it was known first, if late readings have moved it: by it the alert is found where it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_before: Option<UtcMs>,
    /// Last certain moment known.
    pub last_certain: UtcMs,
    /// When it was certain that it had ended.
    pub cleared: Option<UtcMs>,
    /// Certain time, ms.
    pub certain_ms: i64,
    /// Time in which it could not be told, ms.
    pub unknown_ms: i64,
    /// The proof.
    pub evidence: Evidence,
    /// Who took note, if anybody.
    pub acknowledged: Option<Acknowledgement>,
    /// Everything that happened to it, oldest first.
    pub history: Vec<Step>,
    /// What people did about it beside that, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deeds: Vec<Deed>,
    /// Number of the site's finding that changed it last: tells what a span judged again has to do with it.
    #[serde(default)]
    pub said: u64,
    /// Whether it was found only when late readings had come: nobody could know of it at its time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retroactive: bool,
    /// What late readings changed about it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<Revision>,
    /// Why nobody is told of it, if so. It is judged and kept like any other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppression>,
}

/// What an alert is about, by name.
#[must_use]
pub fn subject_names(site: &Site, gateways: &[Box<str>], subject: Subject) -> (&'static str, Box<str>) {
    let (kind, name) = match subject {
        Subject::Process(i) => ("process", site.processes.get(usize::from(i)).map(|p| &p.id)),
        Subject::Point(i) => ("point", site.points.get(usize::from(i)).map(|p| &p.id)),
        Subject::Gateway(i) => ("gateway", gateways.get(usize::from(i))),
        Subject::Site => ("site", Some(&site.id)),
    };
    (kind, name.cloned().unwrap_or_default())
}

/// The id of an alert: twelve hex digits of SHA-256 over what makes it this alert.
#[must_use]
pub fn identity(site: &str, rule: Rule, subject_kind: &str, subject: &str, first: UtcMs) -> Box<str> {
    let mut hash = Sha256::new();
    for part in [site, rule.name(), subject_kind, subject] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(first.0.to_be_bytes());
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// Another id, for an alert whose own is taken by one that was moved away from that begin.
#[must_use]
pub fn salted_identity(alert: &Alert, salt: u32) -> Box<str> {
    let site = format!("{}\u{1}{salt}", alert.site);
    identity(&site, alert.rule, &alert.subject_kind, &alert.subject, alert.first)
}

impl Alert {
    /// The alert a finding begins.
    #[must_use]
    pub fn raise(site: &Site, gateways: &[Box<str>], finding: &AlertFinding, offset: Offset) -> Alert {
        let (subject_kind, subject) = subject_names(site, gateways, finding.subject);
        let mut alert = Alert {
            id: identity(&site.id, finding.rule, subject_kind, &subject, finding.first),
            site: site.id.clone(),
            rule: finding.rule,
            rule_version: finding.rule.version(),
            subject_kind: subject_kind.into(),
            subject,
            status: Status::Open,
            level: finding.level,
            first: finding.first,
            raised: finding.at,
            raised_before: None,
            last_certain: finding.last_certain,
            cleared: None,
            certain_ms: 0,
            unknown_ms: 0,
            evidence: Evidence::default(),
            acknowledged: None,
            history: Vec::new(),
            deeds: Vec::new(),
            said: 0,
            retroactive: false,
            revisions: Vec::new(),
            suppressed: Vec::new(),
        };
        alert.apply(site, finding, offset);
        alert
    }

    /// What a later finding changes. A cleared alert stays cleared: the next trip is a new alert.
    pub fn apply(&mut self, site: &Site, finding: &AlertFinding, offset: Offset) {
        self.level = self.level.max(finding.level);
        self.last_certain = finding.last_certain;
        self.certain_ms = finding.certain_ms;
        self.unknown_ms = finding.unknown_ms;
        let seen_ms = finding.certain_ms + finding.unknown_ms;
        let first = finding.tallies.iter().map(|t| t.first_offset).filter(|o| *o > 0).min();
        let last = finding.tallies.iter().map(|t| t.last_offset).max();
        let before = std::mem::take(&mut self.evidence.points);
        // What it rests on stays where the end of it has no figures of its own.
        let stays = finding.figures.is_empty();
        let kept = std::mem::take(&mut self.evidence.figures);
        let mut points = evidence::of_tallies(site, finding.subject, &finding.tallies);
        evidence::keep_thresholds(&mut points, before);
        self.evidence = Evidence {
            points,
            #[expect(clippy::cast_precision_loss, reason = "a share of milliseconds, far below 2^52")]
            data_share: if seen_ms > 0 { finding.certain_ms as f64 / seen_ms as f64 } else { 1.0 },
            offsets: first.zip(last),
            fragments: finding.fragments.iter().map(|(at, ms)| (at.0, *ms)).collect(),
            figures: if stays { kept } else { evidence::figures(site, &finding.figures) },
            readings: std::mem::take(&mut self.evidence.readings),
            changes: std::mem::take(&mut self.evidence.changes),
        };
        let what = match finding.change {
            Change::Raised => "raised",
            Change::Escalated => "escalated",
            Change::Cleared => {
                self.status = Status::Cleared;
                self.cleared = Some(finding.at);
                "cleared"
            }
        };
        self.history.push(Step { at: finding.at, what: what.into(), level: self.level, offset });
    }

    /// Whether nobody is to be told of it: some reason stands that it has not outlasted.
    #[must_use]
    pub fn is_suppressed(&self) -> bool {
        self.suppressed.iter().any(|s| !s.outlasted)
    }

    /// The last moment it is known to have reached.
    #[must_use]
    pub fn reached(&self) -> UtcMs {
        match self.status {
            Status::Open => self.raised.max(self.last_certain),
            Status::Cleared | Status::Retracted => self.last_certain.max(self.first),
        }
    }

    /// Whether it is of that rule and subject, and began then.
    #[must_use]
    pub fn is_of(&self, rule: Rule, subject_kind: &str, subject: &str, first: UtcMs) -> bool {
        self.rule == rule
            && self.first == first
            && &*self.subject_kind == subject_kind
            && &*self.subject == subject
    }

    /// Adds readings to the evidence that are shown whole.
    pub fn prove(&mut self, readings: Vec<WholeReading>) {
        for reading in readings {
            if !self.evidence.readings.contains(&reading) {
                self.evidence.readings.push(reading);
            }
        }
    }

    /// Who is to see to it.
    #[must_use]
    pub fn assigned(&self) -> Option<&str> {
        let last = self.deeds.iter().rev().find_map(|deed| match &deed.act {
            Act::Assign { to } => Some(to.as_deref()),
            _ => None,
        });
        last.flatten()
    }

    /// Whether a declaration was confirmed or refused; `None` while nobody has said so.
    #[must_use]
    pub fn is_confirmed(&self, declaration: Offset) -> Option<bool> {
        self.deeds.iter().rev().find_map(|deed| match deed.act {
            Act::Confirm { declaration: of } if of == declaration => Some(true),
            Act::Refuse { declaration: of } if of == declaration => Some(false),
            _ => None,
        })
    }

    /// A person takes note. The first acknowledgement stands; a later one is added to the history.
    pub fn acknowledge(&mut self, by: Acknowledgement, offset: Offset) {
        let what = format!("acknowledged by {}", by.who).into();
        self.history.push(Step { at: by.at, what, level: self.level, offset });
        self.acknowledged.get_or_insert(by);
    }
}
