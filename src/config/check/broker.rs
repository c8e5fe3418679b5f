//! MQTT brokers and what is subscribed to at each.

use std::collections::BTreeSet;
use std::time::Duration;

use super::mapping::Mappings;
use super::must::{self, Bounds, Once};
use super::secret::{self, Places};
use crate::config::problem::{Report, Spot};
use crate::config::settings::{Broker, Credentials};
use crate::config::suggest;
use crate::config::typed::daemon as typed;
use crate::model::mapping::{Decoder, Mapping, Subscription};

/// The largest packet MQTT knows, bytes.
const PACKET_BYTES_MAX: u64 = 268_435_455;

/// What stands at a broker unless it is written otherwise.
pub const PORT: u16 = 1883;
/// The port of brokers with TLS.
pub const PORT_TLS: u16 = 8883;
/// A ping at least so often.
pub const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// 1 MiB: hours of back-fill of a large gateway in one message.
pub const PACKET_BYTES: u32 = 1 << 20;
/// As many as a batch of the journal, times four.
pub const UNACKNOWLEDGED: u32 = 16_384;
/// Longest pause between two tries to connect.
pub const BACKOFF: Duration = Duration::from_secs(30);
/// Connected and silent for so long: a warning.
pub const SILENT: Duration = Duration::from_secs(600);
/// At least once: what is acknowledged is on disk.
pub const QOS: u8 = 1;

/// Brokers, their subscriptions, and the mappings those use, in order of first use.
#[derive(Debug, Default)]
pub struct Brokers {
    /// Brokers, in the order of the file.
    pub brokers: Vec<Broker>,
    /// Subscriptions of all of them.
    pub subscriptions: Vec<Subscription>,
    /// Mappings in use.
    pub mappings: Vec<Mapping>,
}

/// Checks `[[mqtt.brokers]]`.
pub fn check(
    typed: &[typed::Broker],
    mqtt: &Spot,
    mappings: &Mappings,
    places: &Places,
    report: &mut Report,
) -> Brokers {
    let mut all = Brokers::default();
    let mut names = Once::new("broker");
    let mut clients = Once::new("client id at one broker");
    for (i, broker) in typed.iter().enumerate() {
        let at = mqtt.item("brokers", i);
        let own = one(broker, &at, places, report);
        names.take(&own.name, &at.key("name"), "every broker has a name of its own", report);
        let client = format!("{} at {}:{}", own.client_id, own.host, own.port);
        let hint =
            "a broker throws the first client out when a second comes with the same id: give each its own";
        clients.take(&client, &at.key("client_id"), hint, report);
        subscriptions(broker, &own, &at, mappings, &mut all, report);
        all.brokers.push(own);
    }
    all
}

/// Checks one of them, without what is subscribed to.
pub fn one(typed: &typed::Broker, at: &Spot, places: &Places, report: &mut Report) -> Broker {
    let name = must::id(typed.name.as_ref(), &at.key("name"), "name = \"city\"", report);
    let host = host(typed.host.as_ref(), &at.key("host"), report);
    let tls = typed.tls.as_ref().map(|t| secret::tls(t, &at.key("tls"), places, report));
    let port = must::number(
        typed.port,
        if tls.is_some() { PORT_TLS } else { PORT },
        (1, u16::MAX),
        &at.key("port"),
        report,
    );
    if port == PORT_TLS && tls.is_none() {
        report.warn(
            &at.key("port"),
            "8883 is the port of TLS, and there is no [mqtt.brokers.tls]",
            "add it, with ca_file",
        );
    }
    let default_client = format!("submeterd-{name}");
    let client_id = typed.client_id.as_deref().unwrap_or(&default_client);
    let clean_session = typed.clean_session.unwrap_or(false);
    if client_id.is_empty() {
        let hint = "leave it away, or give the daemon a name that no other client of the broker has";
        report.error(&at.key("client_id"), "it is empty", hint);
    }
    if clean_session {
        let hint = "leave it away, so that the broker keeps messages while the daemon is not there";
        report.warn(&at.key("clean_session"), "what is sent while the daemon is away is lost", hint);
    }
    let credentials = credentials(typed, at, places, report);
    if credentials.is_some() && tls.is_none() && !is_local(host) {
        let hint = "add [mqtt.brokers.tls] with ca_file";
        report.warn(at, format!("the password goes to {host} in the clear"), hint);
    }
    let packet = typed.packet_bytes_max.map_or(u64::from(PACKET_BYTES), |s| s.0);
    let packet =
        must::number(Some(packet), packet, (1_024, PACKET_BYTES_MAX), &at.key("packet_bytes_max"), report);
    let unacknowledged = &at.key("unacknowledged_max");
    Broker {
        name: name.into(),
        host: host.into(),
        port,
        client_id: client_id.into(),
        clean_session,
        keep_alive: must::duration(
            typed.keep_alive,
            KEEP_ALIVE,
            Bounds::ms(5_000, 3_600_000),
            &at.key("keep_alive"),
            report,
        ),
        credentials,
        tls,
        packet_bytes_max: u32::try_from(packet).unwrap_or(PACKET_BYTES),
        unacknowledged_max: must::number(
            typed.unacknowledged_max,
            UNACKNOWLEDGED,
            (1, 1_000_000),
            unacknowledged,
            report,
        ) as usize,
        backoff_max: backoff(typed.backoff_max, at, report),
        silent_after: must::duration(
            typed.silent_after,
            SILENT,
            Bounds::ms(10_000, 86_400_000),
            &at.key("silent_after"),
            report,
        ),
    }
}

/// Longest pause between two tries.
pub fn backoff(
    typed: Option<crate::config::typed::quantity::Span>,
    at: &Spot,
    report: &mut Report,
) -> Duration {
    must::duration(typed, BACKOFF, Bounds::ms(1_000, 3_600_000), &at.key("backoff_max"), report)
}

/// A host name or address, without scheme, port or path.
pub fn host<'a>(typed: Option<&'a String>, spot: &Spot, report: &mut Report) -> &'a str {
    let host = must::text(typed, spot, "host = \"mqtt.example.org\"", report);
    let v6 = host.parse::<std::net::Ipv6Addr>().is_ok();
    if host.contains("://") {
        report.error(
            spot,
            format!("{host:?} is a URL"),
            "the host alone; what it runs over says port and tls",
        );
    } else if host.contains(':') && !v6 {
        report.error(spot, format!("{host:?} has a port in it"), "the port goes into the key port");
    } else if host.contains(|c: char| c.is_whitespace() || c == '/') {
        report.error(
            spot,
            format!("{host:?} is no host name"),
            "a name such as \"broker.plant.lan\", or an address",
        );
    }
    host
}

/// Whether the host is this machine.
#[must_use]
pub fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback())
}

fn credentials(
    typed: &typed::Broker,
    at: &Spot,
    places: &Places,
    report: &mut Report,
) -> Option<Credentials> {
    let files = (typed.password_file.as_ref(), typed.password_credential.as_ref());
    let password = secret::read(files, "password", at, places, report);
    match (&typed.username, files) {
        (None, (None, None)) => None,
        (Some(_), (None, None)) => {
            let hint = "password_file = \"/etc/submeterd/broker.password\", or password_credential";
            report.error(&at.key("password_file"), "there is a username and no password", hint);
            None
        }
        (None, _) => {
            report.error(
                &at.key("username"),
                "there is a password and no username",
                "username = \"submeterd\"",
            );
            None
        }
        (Some(username), _) => Some(Credentials { username: username.as_str().into(), password: password? }),
    }
}

fn subscriptions(
    typed: &typed::Broker,
    broker: &Broker,
    at: &Spot,
    mappings: &Mappings,
    all: &mut Brokers,
    report: &mut Report,
) {
    if typed.subscriptions.is_empty() {
        let hint = "[[mqtt.brokers.subscriptions]] with pattern = \"submeter/v1/{site}/{meter}/reading\"";
        report.warn(at, format!("nothing is subscribed to at broker {:?}", broker.name), hint);
    }
    let mut filters = Once::new("topic filter");
    for (i, subscription) in typed.subscriptions.iter().enumerate() {
        let at = at.item("subscriptions", i);
        let example = "pattern = \"submeter/v1/{site}/{meter}/reading\"";
        let pattern = must::text(subscription.pattern.as_ref(), &at.key("pattern"), example, report);
        let qos = must::number(subscription.qos, QOS, (0, 1), &at.key("qos"), report);
        let mapping = decoder(subscription.decoder.as_deref(), &at.key("decoder"), mappings, report);
        if !pattern.is_empty() {
            let captures = pattern_check(pattern, &at.key("pattern"), report);
            if let (Some(mapping), Some(captures)) = (mapping, &captures) {
                names_a_meter(mapping, captures, &at.key("pattern"), report);
            }
            let filter = filter(pattern);
            filters.take(&filter, &at.key("pattern"), "one message would be decoded twice", report);
        }
        let decoder = match mapping {
            None => Decoder::Native,
            Some(mapping) => Decoder::Mapping(index(mapping, &mut all.mappings)),
        };
        all.subscriptions.push(Subscription {
            broker: broker.name.clone(),
            pattern: pattern.into(),
            qos,
            decoder,
        });
    }
}

fn decoder<'m>(
    typed: Option<&str>,
    spot: &Spot,
    mappings: &'m Mappings,
    report: &mut Report,
) -> Option<&'m Mapping> {
    let name = typed.filter(|d| *d != "native")?;
    let found = mappings.get(name);
    if found.is_none() {
        let known: Vec<&str> = std::iter::once("native").chain(mappings.keys().map(|k| &**k)).collect();
        report.error(spot, format!("no decoder or mapping {name:?} is known"), suggest::hint(name, known));
    }
    found
}

fn index(mapping: &Mapping, used: &mut Vec<Mapping>) -> u32 {
    let at = used.iter().position(|m| m.name == mapping.name).unwrap_or_else(|| {
        used.push(mapping.clone());
        used.len() - 1
    });
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The captures of a pattern; `None` where it is none.
fn pattern_check<'p>(pattern: &'p str, spot: &Spot, report: &mut Report) -> Option<BTreeSet<&'p str>> {
    let own = match pattern.strip_prefix("$share/") {
        Some(rest) => rest.split_once('/').map_or("", |(_, own)| own),
        None => pattern,
    };
    let levels: Vec<&str> = own.split('/').collect();
    let mut captures = BTreeSet::new();
    for (i, level) in levels.iter().copied().enumerate() {
        let fault = match level {
            "#" if i + 1 < levels.len() => {
                Some("\"#\" stands for all that follows, so it is the last level".to_owned())
            }
            "{site}" | "{meter}" | "{device}" if !captures.insert(level) => {
                Some(format!("{level} is there twice"))
            }
            "+" | "#" | "{site}" | "{meter}" | "{device}" => None,
            word if word.contains(['+', '#', '{', '}', '\0']) => {
                Some(format!("{word:?} is no level of a topic"))
            }
            _ => None,
        };
        if let Some(fault) = fault {
            let hint = "a level is a word, \"+\", or one of {site}, {meter}, {device}; \"#\" stands last";
            report.error(spot, fault, hint);
            return None;
        }
    }
    if own.is_empty() {
        report.error(spot, "there is no topic in it", "submeter/v1/{site}/{meter}/reading");
        return None;
    }
    Some(captures)
}

/// A mapped payload says at most the device; the native one may name everything itself.
fn names_a_meter(mapping: &Mapping, captures: &BTreeSet<&str>, spot: &Spot, report: &mut Report) {
    let by_device = captures.contains("{device}") || mapping.device.is_some();
    let by_meter = captures.contains("{site}") && captures.contains("{meter}");
    if !by_device && !by_meter {
        let what = format!("neither the topic nor mapping {:?} says which meter speaks", mapping.name);
        report.error(spot, what, "put {device}, or {site} and {meter}, where the topic says it");
    }
}

/// The pattern as the broker sees it.
fn filter(pattern: &str) -> String {
    let wild = |level: &str| if level.starts_with('{') { "+".to_owned() } else { level.to_owned() };
    pattern.split('/').map(wild).collect::<Vec<_>>().join("/")
}
