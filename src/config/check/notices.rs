//! Who is told of alerts, and when.

use std::path::PathBuf;
use std::time::Duration;

use super::broker::{self, backoff, host, is_local};
use super::must::{self, Bounds, Once};
use super::rules::clock_ms;
use super::secret::{self, Places};
use crate::config::problem::{Report, Spot};
use crate::config::receivers::{Alertmanager, Filter, Mail, MailSecurity, Mqtt, Policy, Quiet, Receiver};
use crate::config::receivers::{Via, Webhook};
use crate::config::settings::Broker;
use crate::config::suggest;
use crate::config::typed::daemon as typed_daemon;
use crate::config::typed::notices as typed;
use crate::config::typed::quantity::Span;
use crate::model::rule::Level;
use crate::model::site::Site;
use crate::model::time::{DAY_MS, HOUR_MS};

/// News waits so long for more of the same site.
pub const WAIT: Duration = Duration::from_secs(30);
/// Told again so often, by level; a notice is not.
pub const REPEAT_MS: [Option<i64>; 4] = [None, Some(DAY_MS), Some(4 * HOUR_MS), Some(HOUR_MS)];
/// The far side may take so long.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest pause after a failure: who is told of alerts is tried more often than a database.
pub const BACKOFF: Duration = broker::BACKOFF;
/// An Alertmanager that is started anew knows nothing until it is told again.
pub const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// An Alertmanager believes so long that an alert stands, though nothing more is heard.
pub const HOLD: Duration = Duration::from_secs(86_400);
/// Where notices are published.
pub const TOPIC: &str = "submeter/notices/{site}";

/// Levels that are told unless it is said otherwise. A notice is kept and told to nobody.
pub const LEVELS: [Level; 3] = [Level::Warning, Level::Alarm, Level::Critical];
/// Levels that quiet hours are for unless it is said otherwise.
pub const LEVELS_QUIET: [Level; 3] = [Level::Notice, Level::Warning, Level::Alarm];

/// Receivers as they are checked, and the sites that are configured.
struct Desk<'a> {
    sites: &'a [Site],
    names: Once,
    all: Vec<Receiver>,
}

/// What every receiver says of itself.
struct Own<'a> {
    name: Option<&'a String>,
    filter: &'a typed::Filter,
    language: Option<crate::model::words::Lang>,
    timeout: Option<Span>,
    backoff_max: Option<Span>,
}

macro_rules! own {
    ($typed:expr) => {
        Own {
            name: $typed.name.as_ref(),
            filter: &$typed.filter,
            language: $typed.language,
            timeout: $typed.timeout,
            backoff_max: $typed.backoff_max,
        }
    };
}

/// Checks `[notices]`.
pub fn check(
    typed: &typed::Notices,
    at: &Spot,
    sites: &[Site],
    places: &Places,
    report: &mut Report,
) -> Vec<Receiver> {
    let mut desk = Desk { sites, names: Once::new("receiver"), all: Vec::new() };
    for (i, own) in typed.webhook.iter().enumerate() {
        let at = at.item("webhook", i);
        let via = webhook(own, &at, places, report);
        desk.take(own!(own), Some(own.habits()), Via::Webhook(via), &at, report);
    }
    for (i, own) in typed.alertmanager.iter().enumerate() {
        let at = at.item("alertmanager", i);
        let via = alertmanager(own, &at, places, report);
        // Grouping, repeating and silence are its own business.
        desk.take(own!(own), None, Via::Alertmanager(via), &at, report);
    }
    for (i, own) in typed.mqtt.iter().enumerate() {
        let at = at.item("mqtt", i);
        let via = mqtt(own, &at, places, report);
        desk.take(own!(own), Some(own.habits()), Via::Mqtt(via), &at, report);
    }
    for (i, own) in typed.mail.iter().enumerate() {
        let at = at.item("mail", i);
        let via = mail(own, &at, places, report);
        desk.take(own!(own), Some(own.habits()), Via::Mail(via), &at, report);
    }
    desk.all
}

impl Desk<'_> {
    fn take(
        &mut self,
        own: Own<'_>,
        habits: Option<typed::Habits<'_>>,
        via: Via,
        at: &Spot,
        report: &mut Report,
    ) {
        let name = must::id(own.name, &at.key("name"), "name = \"duty-officer\"", report);
        self.names.take(name, &at.key("name"), "every receiver has a name of its own", report);
        let filter = self.filter(own.filter, &at.key("filter"), report);
        let policy = match habits {
            Some(habits) => Policy { filter, ..policy(habits, at, report) },
            None => Policy { filter, ..Policy::default() },
        };
        let bounds = Bounds::ms(100, 300_000);
        self.all.push(Receiver {
            name: name.into(),
            policy,
            language: own.language.unwrap_or_default(),
            timeout: must::duration(own.timeout, TIMEOUT, bounds, &at.key("timeout"), report),
            backoff_max: backoff(own.backoff_max, at, report),
            via,
        });
    }

    fn filter(&self, typed: &typed::Filter, at: &Spot, report: &mut Report) -> Filter {
        let levels = typed.levels.clone().unwrap_or_else(|| LEVELS.to_vec());
        if levels.is_empty() {
            report.error(&at.key("levels"), "with no level nothing is told", "leave it away, or name some");
        }
        let mut known = |names: &[String], of: fn(&Site) -> &str, key: &str| {
            let there: Vec<&str> = self.sites.iter().map(of).filter(|n| !n.is_empty()).collect();
            for name in names.iter().filter(|n| !there.contains(&n.as_str())) {
                let hint = suggest::hint(name, there.iter().copied());
                report.warn(&at.key(key), format!("no site has {name:?}: nothing is told of it"), hint);
            }
            names.iter().map(|name| name.as_str().into()).collect()
        };
        Filter {
            levels,
            regions: known(&typed.regions, |s| &s.region, "regions"),
            sites: known(&typed.sites, |s| &s.id, "sites"),
            rules: typed.rules.clone(),
        }
    }
}

fn whole_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn policy(typed: typed::Habits<'_>, at: &Spot, report: &mut Report) -> Policy {
    let span = |value: Option<Span>, default: Duration, from_ms: u64, key: &Spot, report: &mut Report| {
        whole_ms(must::duration(value, default, Bounds::ms(from_ms, 30 * 86_400_000), key, report))
    };
    let mut repeat_ms = REPEAT_MS;
    if let Some(repeat) = typed.repeat {
        let levels = [("notice", repeat.notice), ("warning", repeat.warning), ("alarm", repeat.alarm)];
        for (slot, (key, value)) in levels.into_iter().chain([("critical", repeat.critical)]).enumerate() {
            if value.is_some() {
                let spot = at.key("repeat").key(key);
                repeat_ms[slot] = Some(span(value, Duration::ZERO, 1_000, &spot, report));
            }
        }
    }
    Policy {
        filter: Filter::default(),
        wait_ms: span(typed.wait, WAIT, 0, &at.key("wait"), report),
        after_ms: span(typed.after, Duration::ZERO, 0, &at.key("after"), report),
        repeat_ms,
        quiet: typed.quiet.iter().enumerate().map(|(i, q)| quiet(q, &at.item("quiet", i), report)).collect(),
    }
}

fn quiet(typed: &typed::Quiet, at: &Spot, report: &mut Report) -> Quiet {
    let mut clock = |value: Option<&String>, key: &str, example: &str| {
        let text = must::text(value, &at.key(key), example, report);
        clock_ms(text).unwrap_or_else(|| {
            if !text.is_empty() {
                report.error(&at.key(key), format!("{text:?} is no time of day"), example);
            }
            0
        })
    };
    let from_ms = clock(typed.from.as_ref(), "from", "from = \"22:00\"");
    let to_ms = clock(typed.to.as_ref(), "to", "to = \"07:00\"");
    let is_read = typed.from.is_some() && typed.to.is_some();
    if is_read && from_ms % DAY_MS == to_ms % DAY_MS {
        let hint = "to = \"07:00\"; where some levels are never to be told, leave them out of filter.levels";
        report.error(&at.key("to"), "quiet hours that never end", hint);
    }
    let levels = typed.levels.clone().unwrap_or_else(|| LEVELS_QUIET.to_vec());
    if levels.contains(&Level::Critical) {
        let hint = "leave \"critical\" out, so that somebody is told at once";
        report.warn(&at.key("levels"), "what is critical is not told in these hours", hint);
    }
    Quiet { levels, from_ms, to_ms: to_ms % DAY_MS }
}

/// An address of http or https, without a password in it; what is secret does not go in the clear.
fn url<'a>(
    typed: Option<&'a String>,
    is_secret: bool,
    (at, example): (&Spot, &str),
    report: &mut Report,
) -> &'a str {
    let spot = at.key("url");
    let url = must::text(typed, &spot, example, report);
    if url.is_empty() {
        return url;
    }
    match reqwest::Url::parse(url) {
        Err(error) => report.error(&spot, format!("{url:?} is no URL: {error}"), example),
        Ok(parsed) => {
            let host = parsed.host_str().unwrap_or_default();
            if !["http", "https"].contains(&parsed.scheme()) || host.is_empty() {
                report.error(&spot, format!("{url:?} is no web address"), example);
            } else if !parsed.username().is_empty() || parsed.password().is_some() {
                report.error(&spot, "there is a password in the URL", "secrets go into files of their own");
            } else if is_secret && parsed.scheme() == "http" && !is_local(host) {
                report.warn(&spot, format!("the token goes to {host} in the clear"), "https");
            }
        }
    }
    url
}

fn ca_file(typed: Option<&String>, at: &Spot, places: &Places, report: &mut Report) -> Option<PathBuf> {
    let path = places.path(typed?);
    if !places.without_secrets {
        secret::certificates(&path, &at.key("ca_file"), report);
    }
    Some(path)
}

fn webhook(typed: &typed::Webhook, at: &Spot, places: &Places, report: &mut Report) -> Webhook {
    let files = (typed.secret_file.as_ref(), typed.secret_credential.as_ref());
    if files == (None, None) {
        let hint = "secret_file = \"/etc/submeterd/webhook.secret\"";
        report.warn(at, "requests are not signed: whoever knows the address can tell it anything", hint);
    }
    Webhook {
        url: url(typed.url.as_ref(), false, (at, "url = \"https://example.org/alerts\""), report).into(),
        secret: secret::read(files, "secret", at, places, report),
        ca_file: ca_file(typed.ca_file.as_ref(), at, places, report),
    }
}

fn alertmanager(
    typed: &typed::Alertmanager,
    at: &Spot,
    places: &Places,
    report: &mut Report,
) -> Alertmanager {
    let files = (typed.token_file.as_ref(), typed.token_credential.as_ref());
    let is_secret = files != (None, None);
    let url = url(typed.url.as_ref(), is_secret, (at, "url = \"http://127.0.0.1:9093\""), report);
    let spot = at.key("keep_alive");
    let keep_alive = must::duration(typed.keep_alive, KEEP_ALIVE, Bounds::ms(100, 3_600_000), &spot, report);
    let bounds = Bounds(keep_alive * 3, Duration::from_secs(30 * 86_400));
    Alertmanager {
        url: url.trim_end_matches('/').into(),
        token: secret::read(files, "token", at, places, report),
        ca_file: ca_file(typed.ca_file.as_ref(), at, places, report),
        keep_alive,
        hold: must::duration(typed.hold, HOLD, bounds, &at.key("hold"), report),
    }
}

fn mqtt(typed: &typed::Mqtt, at: &Spot, places: &Places, report: &mut Report) -> Mqtt {
    let name = typed.name.as_deref().unwrap_or_default();
    // The broker is checked as those that meters speak to.
    let as_broker = typed_daemon::Broker {
        name: Some("notices".into()),
        host: typed.host.clone(),
        port: typed.port,
        client_id: Some(typed.client_id.clone().unwrap_or_else(|| format!("submeterd-notice-{name}"))),
        username: typed.username.clone(),
        password_file: typed.password_file.clone(),
        password_credential: typed.password_credential.clone(),
        tls: typed.tls.clone(),
        ..typed_daemon::Broker::default()
    };
    let checked = broker::one(&as_broker, at, places, report);
    let topic = typed.topic.as_deref().unwrap_or(TOPIC);
    let spot = at.key("topic");
    if topic.is_empty() || topic.contains(['+', '#']) || topic.starts_with('$') {
        report.error(&spot, format!("{topic:?} is no topic to publish to"), format!("topic = {TOPIC:?}"));
    } else if topic.replace("{site}", "").contains(['{', '}']) {
        report.error(&spot, "only {site} can stand in braces", format!("topic = {TOPIC:?}"));
    }
    Mqtt {
        broker: Broker { clean_session: true, ..checked },
        topic: topic.into(),
        retain: typed.retain.unwrap_or(false),
    }
}

/// What a mail server listens on.
#[must_use]
pub const fn mail_port(security: MailSecurity) -> u16 {
    match security {
        MailSecurity::Tls => 465,
        MailSecurity::Starttls => 587,
        MailSecurity::None => 25,
    }
}

fn mail(typed: &typed::Mail, at: &Spot, places: &Places, report: &mut Report) -> Mail {
    let host = host(typed.host.as_ref(), &at.key("host"), report);
    let security = typed.security.unwrap_or(MailSecurity::Tls);
    let files = (typed.password_file.as_ref(), typed.password_credential.as_ref());
    let password = secret::read(files, "password", at, places, report);
    if typed.username.is_some() != (files != (None, None)) {
        let hint = "both, or neither of them";
        report.error(&at.key("username"), "a username and a password go together", hint);
    }
    if security == MailSecurity::None && typed.username.is_some() && !is_local(host) {
        let hint = "security = \"tls\" or \"starttls\"";
        report.warn(&at.key("security"), format!("the password goes to {host} in the clear"), hint);
    }
    let mut address = |value: &str, spot: &Spot| {
        if value.parse::<lettre::message::Mailbox>().is_err() {
            let example = "\"officer@example.org\" or \"Duty Officer <officer@example.org>\"";
            report.error(spot, format!("{value:?} is no mail address"), example);
        }
    };
    for (i, to) in typed.to.iter().enumerate() {
        address(to, &at.item("to", i));
    }
    if let Some(from) = &typed.from {
        address(from, &at.key("from"));
    }
    let from = must::text(typed.from.as_ref(), &at.key("from"), "from = \"submeterd@example.org\"", report);
    if typed.to.is_empty() {
        report.error(&at.key("to"), "nobody gets it", "to = [\"officer@example.org\"]");
    }
    Mail {
        host: host.into(),
        port: must::number(typed.port, mail_port(security), (1, u16::MAX), &at.key("port"), report),
        security,
        ca_file: ca_file(typed.ca_file.as_ref(), at, places, report),
        login: typed.username.as_deref().map(Into::into).zip(password),
        from: from.into(),
        to: typed.to.iter().map(|to| to.as_str().into()).collect(),
    }
}
