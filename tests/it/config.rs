//! Configurations, good and bad.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use submeterd::config::check::{broker, daemon, influx, link, notices as receivers};
use submeterd::config::problem::{Problem, Problems};
use submeterd::config::receivers::MailSecurity;
use submeterd::config::texts::{Text, Texts};
use submeterd::config::typed::quantity::Span;
use submeterd::config::typed::{daemon as typed, mapping, notices, tls};
use submeterd::config::{self, Loaded, layers};
use submeterd::model::meter::{Input, WordOrder};
use submeterd::model::site::Basis;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str, text: &str) -> Text {
    Text { name: name.into(), text: text.into() }
}

/// A main file with a broker and two links, for the sites of `config/sites`.
const MAIN: &str = r#"
[[mqtt.brokers]]
name = "city"
host = "127.0.0.1"
[[mqtt.brokers.subscriptions]]
pattern = "submeter/v1/{site}/{meter}/reading"
[[mqtt.brokers.subscriptions]]
pattern = "tele/{device}/SENSOR"
decoder = "plug"

[[modbus.links]]
name = "bus-1"
transport = "rtu_over_tcp"
host = "192.0.2.10"
port = 4001
[[modbus.links]]
name = "gateway-2"
transport = "tcp"
host = "192.0.2.11"

[mappings.plug]
time = { pointer = "/Time", form = "iso", zone = "site" }
fields = [
  { pointer = "/ENERGY/Power", channel = "power_w", unit = "W" },
  { pointer = "/ENERGY/Total", channel = "energy_import_kwh" },
]
"#;

fn with_sites(main: &str, sites: &[(&str, &str)]) -> Result<Loaded, Problems> {
    config::from_texts(&Texts {
        main: Some(text("submeterd.toml", main)),
        sites: sites.iter().map(|(name, body)| text(name, body)).collect(),
        ..Texts::default()
    })
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn without_a_file_the_defaults_are_a_valid_configuration() {
    let loaded = config::load(None, BTreeMap::new()).unwrap();
    assert_eq!(told(&loaded.warnings), "");
    assert_eq!(loaded.files, Vec::<PathBuf>::new());
    let config = loaded.config;
    assert_eq!(config.daemon.data_dir, Path::new("/var/lib/submeterd"));
    assert_eq!(config.daemon.socket, Path::new("/run/submeterd/api.sock"));
    assert_eq!((config.daemon.tick.as_secs(), config.daemon.stop_within.as_secs()), (1, 20));
    assert!(config.brokers.is_empty() && config.links.is_empty() && config.registry.sites.is_empty());
}

/// The defaults with every `#key` taken into force.
fn whole_example() -> (String, toml::Table) {
    let lines = layers::DEFAULTS.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest,
        _ => line,
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let table = toml::from_str(&text).unwrap();
    (text, table)
}

/// The keys of a typed table, as serde names them when it refuses another.
fn keys_of<T: serde::de::DeserializeOwned>() -> Vec<String> {
    let Err(error) = toml::from_str::<T>("no-such-key = 1") else { panic!("an unknown key was taken") };
    let mut keys: Vec<_> = error.message().split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(!keys.is_empty());
    keys.sort();
    keys
}

fn table_at<'t>(root: &'t toml::Table, path: &str) -> &'t toml::Table {
    path.split('.').filter(|p| !p.is_empty()).fold(root, |table, key| {
        let value = &table[key];
        value.as_table().or_else(|| value.as_array()?.first()?.as_table()).unwrap()
    })
}

#[test]
fn the_example_shows_every_key_and_none_that_is_not_there() {
    let (text, table) = whole_example();
    toml::from_str::<typed::File>(&text).unwrap();
    let schema = [
        ("", keys_of::<typed::File>()),
        ("daemon", keys_of::<typed::Daemon>()),
        ("log", keys_of::<typed::Log>()),
        ("journal", keys_of::<typed::Kept>()),
        ("history", keys_of::<typed::Kept>()),
        ("learning", keys_of::<typed::Learning>()),
        ("telemetry", keys_of::<typed::Telemetry>()),
        ("web", keys_of::<typed::Web>()),
        ("mqtt", vec!["brokers".into()]),
        ("mqtt.brokers", keys_of::<typed::Broker>()),
        ("mqtt.brokers.tls", keys_of::<tls::Tls>()),
        ("mqtt.brokers.subscriptions", keys_of::<typed::Subscription>()),
        ("modbus", vec!["links".into()]),
        ("modbus.links", keys_of::<typed::Link>()),
        ("influx", keys_of::<typed::Influx>()),
        ("notices", keys_of::<notices::Notices>()),
        ("notices.webhook", keys_of::<notices::Webhook>()),
        ("notices.webhook.filter", keys_of::<notices::Filter>()),
        ("notices.webhook.quiet", keys_of::<notices::Quiet>()),
        ("notices.alertmanager", keys_of::<notices::Alertmanager>()),
        ("notices.mqtt", keys_of::<notices::Mqtt>()),
        ("notices.mqtt.tls", keys_of::<tls::Tls>()),
        ("notices.mail", keys_of::<notices::Mail>()),
        ("mappings.fan-gateway", keys_of::<mapping::Mapping>()),
        ("mappings.fan-gateway.time", keys_of::<mapping::Time>()),
        ("mappings.fan-gateway.fields", keys_of::<mapping::Field>()),
    ];
    for (path, keys) in schema {
        let mut shown: Vec<_> = table_at(&table, path).keys().cloned().collect();
        shown.sort();
        assert_eq!(shown, keys, "[{path}]");
    }
}

#[test]
fn every_key_of_the_example_has_a_sentence_above_it() {
    let lines: Vec<_> = layers::DEFAULTS.lines().collect();
    for pair in lines.windows(2) {
        let key = pair[1].trim_start_matches('#');
        if key.starts_with(|c: char| c.is_ascii_lowercase()) && key.contains(" = ") {
            assert!(pair[0].starts_with("# ") && pair[0].len() > 10, "no sentence above {:?}", pair[1]);
        }
    }
}

#[test]
fn the_values_of_the_example_are_the_defaults() {
    let (text, _) = whole_example();
    let shown: typed::File = toml::from_str(&text).unwrap();
    let learning = config::load(None, BTreeMap::new()).unwrap().config.learning;
    assert_eq!((learning.on, shown.learning.on), (true, Some(true)));
    assert_eq!((learning.at_ms, learning.window), (daemon::LEARNING_AT_MS, daemon::LEARNING_WINDOW));
    let b = &shown.mqtt.brokers[0];
    assert_eq!(b.port, Some(broker::PORT));
    assert_eq!(b.client_id, b.name.as_ref().map(|n| format!("submeterd-{n}")));
    assert_eq!(b.clean_session, Some(false));
    assert_eq!(b.keep_alive.unwrap().0, broker::KEEP_ALIVE);
    assert_eq!(b.packet_bytes_max.unwrap().0, u64::from(broker::PACKET_BYTES));
    assert_eq!(b.unacknowledged_max, Some(broker::UNACKNOWLEDGED));
    assert_eq!(b.backoff_max.unwrap().0, broker::BACKOFF);
    assert_eq!(b.silent_after.unwrap().0, broker::SILENT);
    assert_eq!(b.subscriptions[0].qos, Some(broker::QOS));
    let l = &shown.modbus.links[0];
    assert_eq!((l.port, l.baud, l.retries), (Some(link::PORT), Some(link::BAUD), Some(link::RETRIES)));
    assert_eq!(l.timeout.unwrap().0, link::TIMEOUT_TCP);
    assert_eq!(l.pause.unwrap().0, link::PAUSE);
    assert_eq!(l.breaker_pause_max.unwrap().0, link::BREAKER);
    assert_eq!(l.backoff_max.unwrap().0, broker::BACKOFF);
    let i = shown.influx.as_ref().unwrap();
    assert_eq!(
        (i.timeout.unwrap().0, i.lines_max, i.gzip),
        (influx::TIMEOUT, Some(influx::LINES), Some(true))
    );
    assert_eq!(i.backoff_max.unwrap().0, broker::BACKOFF);
}

#[test]
fn the_receivers_of_the_example_are_the_defaults() {
    let (text, _) = whole_example();
    let shown: typed::File = toml::from_str(&text).unwrap();
    let notices = &shown.notices;
    let (web, am, mail) = (&notices.webhook[0], &notices.alertmanager[0], &notices.mail[0]);
    let ms = |span: Option<Span>| span.map(|s| i64::try_from(s.0.as_millis()).unwrap());
    let repeat = web.repeat.unwrap();
    let by_level = [repeat.notice, repeat.warning, repeat.alarm, repeat.critical].map(ms);
    assert_eq!(by_level, receivers::REPEAT_MS);
    assert_eq!((ms(web.wait), ms(web.after)), (ms(Some(Span(receivers::WAIT))), Some(0)));
    assert_eq!(web.filter.levels.as_deref(), Some(&receivers::LEVELS[..]));
    assert_eq!(
        (web.timeout.unwrap().0, web.backoff_max.unwrap().0),
        (receivers::TIMEOUT, receivers::BACKOFF)
    );
    assert_eq!((am.keep_alive.unwrap().0, am.hold.unwrap().0), (receivers::KEEP_ALIVE, receivers::HOLD));
    assert_eq!(notices.mqtt[0].topic.as_deref(), Some(receivers::TOPIC));
    assert_eq!(
        (mail.security, mail.port),
        (Some(MailSecurity::Tls), Some(receivers::mail_port(MailSecurity::Tls)))
    );
}

#[test]
fn the_example_sites_load_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("submeterd.toml");
    fs::write(&main, MAIN).unwrap();
    fs::create_dir(folder.path().join("sites")).unwrap();
    for entry in fs::read_dir(root().join("config/sites")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join("sites").join(path.file_name().unwrap())).unwrap();
    }
    let loaded = config::load(Some(&main), BTreeMap::new()).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(told(&loaded.warnings), "");
    assert_eq!(loaded.files.len(), 4);
    let registry = &loaded.config.registry;
    let ids: Vec<_> = registry.sites.iter().map(|s| &*s.id).collect();
    assert_eq!(ids, ["coating-workshop", "foundry", "small-print-shop"]);
    let foundry = &registry.sites[1];
    let furnace = &registry.meters[foundry.points[0].meter as usize];
    assert_eq!((&*furnace.id, furnace.ct, &*furnace.gateway), ("foundry/furnace", 300.0, "bus-1"));
    assert_eq!(foundry.points[0].thresholds.running_above_w, 225_000.0);
    assert_eq!(foundry.points[0].thresholds.basis, Basis::Configured);
    assert_eq!(foundry.processes[0].treatment[0].need, 1);
    let profile_of = |meter: &str| {
        let found = registry.meters.iter().find(|m| &*m.id == meter).unwrap();
        let Input::Modbus { profile, .. } = found.input else { panic!("{found:?}") };
        &registry.profiles[profile as usize]
    };
    assert_eq!(profile_of("foundry/bag-house-a").word_order, WordOrder::Little);
    assert_eq!(profile_of("foundry/bag-house-b").word_order, WordOrder::Big);
    assert_eq!(registry.profiles.len(), 4);
    assert_eq!(registry.mappings.len(), 1);
}

/// A small plant in order; the tests of bad ones change a line of it.
const SITE: &str = r#"
id = "s1"
[[meters]]
id = "m1"
[[meters]]
id = "m2"
modbus = { link = "bus-1", unit = 2, profile = "eastron-sdm630" }
[[points]]
id = "line"
kind = "production"
rated_kw = 75
meter = "m1"
[[points]]
id = "fan"
kind = "treatment"
rated_kw = 11
meter = "m2"
[[processes]]
id = "p"
production = ["line"]
treatment = [{ points = ["fan"] }]
"#;

#[test]
fn ten_different_mistakes_yield_ten_messages_with_file_key_and_hint() {
    let main = MAIN
        .replace("host = \"127.0.0.1\"", "host = \"mqtt://127.0.0.1\"")
        .replace("decoder = \"plug\"", "decoder = \"plugg\"")
        .replace("port = 4001", "port = 4001\nbuad = 9600");
    let site = SITE
        .replace("id = \"s1\"", "id = \"s1\"\ntime_zone = \"Asia/Shijiazhuang\"")
        .replace("kind = \"production\"", "kind = \"producton\"")
        .replace("rated_kw = 75", "rated_kw = -75")
        .replace("meter = \"m1\"", "meter = \"m3\"")
        .replace("profile = \"eastron-sdm630\"", "profile = \"eastron-sdm360\"")
        .replace("link = \"bus-1\"", "link = \"bus1\"")
        .replace("points = [\"fan\"]", "points = [\"fan\"], need = 2");
    let problems = with_sites(&main, &[("sites/s1.toml", &site)]).unwrap_err();
    let all = told(&problems.errors);
    let expected = [
        ("sites/s1.toml", 3, "time_zone", "Asia/Shanghai"),
        ("sites/s1.toml", 8, "meters[1].modbus.link", "\"bus-1\""),
        ("sites/s1.toml", 8, "meters[1].modbus.profile", "\"eastron-sdm630\""),
        ("sites/s1.toml", 11, "points[0].kind", "\"production\""),
        ("sites/s1.toml", 12, "points[0].rated_kw", "nameplate"),
        ("sites/s1.toml", 13, "points[0].meter", "m1"),
        ("sites/s1.toml", 22, "processes[0].treatment[0].need", "at most 1"),
        ("submeterd.toml", 4, "mqtt.brokers[0].host", "host alone"),
        ("submeterd.toml", 9, "mqtt.brokers[0].subscriptions[1].decoder", "\"plug\""),
        ("submeterd.toml", 16, "modbus.links[0].buad", "\"baud\""),
    ];
    for (file, line, key, hint) in expected {
        let found = problems.errors.iter().find(|p| &*p.file == file && &*p.key == key);
        let found = found.unwrap_or_else(|| panic!("nothing of {file} {key} in\n{all}"));
        assert!(found.hint.contains(hint), "{found}");
        assert_eq!(found.line, Some(line), "{found}");
    }
    assert_eq!(problems.errors.len(), expected.len(), "{all}");
}
