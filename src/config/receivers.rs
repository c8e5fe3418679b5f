//! Who is told of alerts, and when: the checked `[notices]`.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::secret::Secret;
use super::settings::Broker;
use crate::model::rule::{Level, Rule};
use crate::model::words::Lang;

/// Sinks of notices are called this and the receiver's name.
pub const SINK_PREFIX: &str = "notice-";

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    /// Name in logs and status; no two have the same.
    pub name: Box<str>,
    /// Of what, and when.
    pub policy: Policy,
    /// In which language.
    pub language: Lang,
    /// How long the far side may take to answer.
    pub timeout: Duration,
    /// Longest pause after a failure.
    pub backoff_max: Duration,
    /// By which way.
    pub via: Via,
}

impl Receiver {
    /// Its name in the queue.
    #[must_use]
    pub fn sink(&self) -> String {
        format!("{SINK_PREFIX}{}", self.name)
    }
}

/// Of what a receiver is told, and when. All moments are the journal's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Of which alerts.
    pub filter: Filter,
    /// News waits so long for more of the same site, ms; what is critical and what rises does not.
    pub wait_ms: i64,
    /// Told only of what has stood so long and nobody has taken note of, ms; 0: of everything.
    pub after_ms: i64,
    /// Told again so often while nobody has taken note, ms, by level.
    pub repeat_ms: [Option<i64>; 4],
    /// When it is not told, by level and time of day in the site's zone.
    pub quiet: Vec<Quiet>,
}

/// Which alerts; an empty list asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Of these levels.
    pub levels: Vec<Level>,
    /// Of sites in these regions.
    pub regions: Vec<Box<str>>,
    /// Of these sites, by id.
    pub sites: Vec<Box<str>>,
    /// By these rules.
    pub rules: Vec<Rule>,
}

impl Filter {
    /// Whether it lets an alert of that level, region, site and rule pass.
    #[must_use]
    pub fn wants(&self, level: Level, region: &str, site: &str, rule: Rule) -> bool {
        let has = |list: &[Box<str>], name: &str| list.is_empty() || list.iter().any(|l| **l == *name);
        (self.levels.is_empty() || self.levels.contains(&level))
            && has(&self.regions, region)
            && has(&self.sites, site)
            && (self.rules.is_empty() || self.rules.contains(&rule))
    }
}

/// A time of day at which some levels are not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// Which.
    pub levels: Vec<Level>,
    /// From, ms after midnight.
    pub from_ms: i64,
    /// Up to, not with, ms after midnight; before `from_ms`: of the next day.
    pub to_ms: i64,
}

/// By which way.
#[derive(Clone, Debug, PartialEq)]
pub enum Via {
    /// A request with a CloudEvent.
    Webhook(Webhook),
    /// An Alertmanager.
    Alertmanager(Alertmanager),
    /// A message to an MQTT broker.
    Mqtt(Mqtt),
    /// A mail.
    Mail(Mail),
}

/// A web address that takes CloudEvents.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// The address; that it parses was checked.
    pub url: Box<str>,
    /// What requests are signed with.
    pub secret: Option<Secret>,
    /// The authority that signed the far side's certificate, PEM; without it those the web trusts.
    pub ca_file: Option<PathBuf>,
}

/// An Alertmanager, by its v2 API.
#[derive(Clone, Debug, PartialEq)]
pub struct Alertmanager {
    /// `http://host:9093`, and the path before `/api/v2` if it has one.
    pub url: Box<str>,
    /// Bearer token, where a proxy before it wants one.
    pub token: Option<Secret>,
    /// The authority that signed the far side's certificate, PEM.
    pub ca_file: Option<PathBuf>,
    /// What stands open is sent again so often.
    pub keep_alive: Duration,
    /// So long after it was last sent the Alertmanager may believe that an alert ended: silence is no end.
    pub hold: Duration,
}

/// A broker and a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Mqtt {
    /// The broker, as those that meters speak to.
    pub broker: Broker,
    /// The topic; `{site}` stands for the site's id.
    pub topic: Box<str>,
    /// Whether the broker keeps the last one.
    pub retain: bool,
}

/// A mail server and addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// Host name or address.
    pub host: Box<str>,
    /// TCP port.
    pub port: u16,
    /// Whether, and how, the connection is encrypted.
    pub security: MailSecurity,
    /// The authority that signed the server's certificate, PEM.
    pub ca_file: Option<PathBuf>,
    /// User name and password.
    pub login: Option<(Box<str>, Secret)>,
    /// Who it is from.
    pub from: Box<str>,
    /// Who gets it.
    pub to: Vec<Box<str>>,
}

/// Whether, and how, a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// From the first byte.
    Tls,
    /// After a greeting in the clear; without it nothing is sent.
    Starttls,
    /// Not at all.
    None,
}
