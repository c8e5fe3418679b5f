//! The mistakes that are made when plants are wired and typed in: each is told where it stands.

use submeterd::config::problem::Problem;
use submeterd::config::texts::{Text, Texts};
use submeterd::config::{self, Config};

pub const MAIN: &str = r#"
[[mqtt.brokers]]
name = "city"
host = "127.0.0.1"
[[mqtt.brokers.subscriptions]]
pattern = "submeter/v1/{site}/{meter}/reading"

[[modbus.links]]
name = "bus-1"
transport = "serial"
device = "/dev/ttyS0"
"#;

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

/// Errors and warnings.
fn outcome(main: &str, sites: &[(&str, &str)]) -> (Vec<Problem>, Vec<Problem>) {
    let text = |(name, text): &(&str, &str)| Text { name: (*name).into(), text: (*text).into() };
    let texts = Texts {
        main: Some(text(&("submeterd.toml", main))),
        sites: sites.iter().map(text).collect(),
        ..Texts::default()
    };
    match config::from_texts(&texts) {
        Ok(loaded) => (Vec::new(), loaded.warnings),
        Err(problems) => (problems.errors, problems.warnings),
    }
}

/// Replaces a piece of the site; says what is then wrong, and nothing else may be.
#[track_caller]
fn site_with(piece: &str, by: &str, key: &str, said: &str) {
    assert!(SITE.contains(piece), "{piece}");
    let (errors, _) = outcome(MAIN, &[("s1.toml", &SITE.replacen(piece, by, 1))]);
    only(&errors, key, said);
}

#[track_caller]
fn main_with(piece: &str, by: &str, key: &str, said: &str) {
    assert!(MAIN.contains(piece), "{piece}");
    let (errors, _) = outcome(&MAIN.replacen(piece, by, 1), &[("s1.toml", SITE)]);
    only(&errors, key, said);
}

#[track_caller]
pub fn only(problems: &[Problem], key: &str, said: &str) {
    let all: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{}", all.join("\n"));
    assert_eq!(&*problems[0].key, key, "{}", all[0]);
    assert!(all[0].contains(said), "{said:?} is not in\n{}", all[0]);
    assert!(problems[0].line.is_some(), "{}", all[0]);
}

#[track_caller]
fn warned(site: &str, key: &str, said: &str) {
    let (errors, warnings) = outcome(MAIN, &[("s1.toml", site)]);
    assert_eq!(errors, []);
    only(&warnings, key, said);
}

#[test]
fn the_plant_in_order_has_nothing_to_tell() {
    assert_eq!(outcome(MAIN, &[("s1.toml", SITE)]), (Vec::new(), Vec::new()));
}

#[test]
fn a_register_that_tells_slowly_is_told() {
    let slow = SITE.replacen("id = \"m1\"", "id = \"m1\"\nenergy_step = \"10 kWh\"", 1);
    warned(&slow, "meters[0].energy_step", "needs 80min to tell whether line runs");
    let fine = SITE.replacen("id = \"m1\"", "id = \"m1\"\nenergy_step = \"0.1 kWh\"", 1);
    assert_eq!(outcome(MAIN, &[("s1.toml", &fine)]), (Vec::new(), Vec::new()));
    site_with(
        "id = \"m1\"",
        "id = \"m1\"\nenergy_step = 0.01",
        "meters[0].energy_step",
        "is not an energy in quotes",
    );
}

#[test]
fn a_point_in_commissioning_has_a_day_and_no_doubt() {
    let typed = |keys: &str| format!("id = \"fan\"\n{keys}");
    let key = "points[1].commissioning_until";
    site_with("id = \"fan\"", &typed("commissioning_until = \"soon\""), key, "\"soon\" is no day");
    let both = typed("commissioning_until = \"2026-12-01\"\nin_commissioning = true");
    site_with("id = \"fan\"", &both, key, "in_commissioning stands beside it");
    let open = SITE.replacen("id = \"fan\"", &typed("in_commissioning = true"), 1);
    warned(&open, "points[1].in_commissioning", "nobody is told");
}

#[test]
fn what_is_typed_of_points() {
    site_with("id = \"s1\"", "id = \"s 1\"", "id", "letters");
    site_with("id = \"s1\"", "id = \"s1\"\ntime_zone = \"Beijing\"", "time_zone", "Asia/Shanghai");
    site_with("id = \"s1\"", "id = \"s1\"\nstep = \"60\"", "step", "\"60\" is not a duration");
    site_with("id = \"s1\"", "id = \"s1\"\nstep = \"1h\"", "step", "from 1s to 15min");
    site_with("id = \"s1\"", "id = \"s1\"\ngrade = \"E\"", "grade", "leading");
    site_with("rated_kw = 75", "rated_kw = 0", "points[0].rated_kw", "nameplate");
    site_with("rated_kw = 75", "rated_kw = \"75\"", "points[0].rated_kw", "not a number");
    site_with("rated_kw = 75\n", "", "points[0].rated_kw", "missing");
    site_with("meter = \"m1\"", "meter = \"m2\"", "points[1].meter", "measures one point");
    site_with("meter = \"m1\"", "meter = \"m9\"", "points[0].meter", "did you mean");
    site_with(
        "rated_kw = 11",
        "rated_kw = 11\nrunning_above = \"1 kW\"\nrunning_below = \"2 kW\"",
        "points[1].running_below",
        "downwards",
    );
    site_with(
        "rated_kw = 11",
        "rated_kw = 11\nrunning_above = 5",
        "points[1].running_above",
        "with its unit",
    );
    site_with(
        "rated_kw = 11",
        "rated_kw = 11\nrunning_above = \"0 kW\"",
        "points[1].running_above",
        "always passed",
    );
}

#[test]
fn what_is_typed_of_meters() {
    site_with("id = \"m1\"", "id = \"m1\"\nct = 0", "meters[0].ct", "200 for a transformer 1000/5");
    site_with("id = \"m1\"", "id = \"m1\"\npt = -1", "meters[0].pt", "ratio");
    site_with("id = \"m1\"", "id = \"m1\"\nct = \"1000/5\"", "meters[0].ct", "not a number");
    site_with("id = \"m1\"", "id = \"m1\"\nheartbeat = \"30s\"", "meters[0].heartbeat", "from 1min");
    site_with(
        "id = \"m2\"",
        "id = \"m2\"\nheartbeat = \"9min\"",
        "meters[1].heartbeat",
        "leave heartbeat out",
    );
    site_with("unit = 2", "unit = 0", "meters[1].modbus.unit", "1 to 247");
    site_with("unit = 2", "unit = 300", "meters[1].modbus.unit", "0 to 255");
    site_with(", unit = 2", "", "meters[1].modbus.unit", "missing");
    site_with("\"bus-1\"", "\"bus-2\"", "meters[1].modbus.link", "did you mean \"bus-1\"?");
    site_with("eastron-sdm630", "sdm630", "meters[1].modbus.profile", "no meter profile");
    site_with("unit = 2,", "unit = 2, word_order = \"middle\",", "meters[1].modbus.word_order", "big");
    site_with("unit = 2,", "unit = 2, max_registers = 1,", "meters[1].modbus.max_registers", "from 2 to 125");
    site_with("id = \"m1\"", "id = \"m1\"\nmqtt = { devise = \"x\" }", "meters[0].mqtt.devise", "\"device\"");
    site_with(
        "id = \"m1\"",
        "id = \"m1\"\nmodbus = { link = \"bus-1\", unit = 2, profile = \"eastron-sdm630\" }",
        "meters[1].modbus.unit",
        "never share a slave address",
    );
    site_with("id = \"m2\"", "id = \"m2\"\nmqtt = {}", "meters[1]", "keep one of mqtt and modbus");
}

#[test]
fn what_is_typed_of_processes() {
    site_with("[\"line\"]", "[]", "processes[0].production", "no production");
    site_with("treatment = [{ points = [\"fan\"] }]", "", "processes[0].treatment", "no treatment");
    site_with("[\"line\"]", "[\"lines\"]", "processes[0].production", "did you mean \"line\"?");
    site_with("[\"line\"]", "[\"fan\"]", "processes[0].production", "is treatment, not production");
    site_with("[\"line\"]", "[\"line\", \"line\"]", "processes[0].production", "there twice");
    site_with("[\"fan\"]", "[\"fan\"], need = 0", "processes[0].treatment[0].need", "at least 1");
    site_with("[\"fan\"]", "[\"fan\"], need = 3", "processes[0].treatment[0].need", "3 of 1");
    site_with(
        "{ points = [\"fan\"] }",
        "{ points = [\"fan\"] }, { points = [\"fan\"] }",
        "processes[0].treatment[1].points",
        "twice",
    );
    site_with("id = \"p\"", "id = \"p\"\nalarm = \"5min\"", "processes[0].alarm", "comes after raise");
    site_with("id = \"p\"", "id = \"p\"\noffline = \"5min\"", "processes[0].offline", "comes after stale");
}

#[test]
fn what_is_typed_of_brokers_and_links() {
    main_with(
        "host = \"127.0.0.1\"",
        "host = \"127.0.0.1:1883\"",
        "mqtt.brokers[0].host",
        "port goes into the key port",
    );
    main_with(
        "host = \"127.0.0.1\"",
        "host = \"127.0.0.1\"\nport = 0",
        "mqtt.brokers[0].port",
        "from 1 to 65535",
    );
    main_with(
        "host = \"127.0.0.1\"",
        "host = \"127.0.0.1\"\npassword = \"x\"",
        "mqtt.brokers[0].password",
        "password_file",
    );
    main_with(
        "host = \"127.0.0.1\"",
        "host = \"127.0.0.1\"\nusername = \"x\"",
        "mqtt.brokers[0].password_file",
        "no password",
    );
    let pattern = "mqtt.brokers[0].subscriptions[0].pattern";
    main_with("{site}/{meter}/reading", "{plant}/{meter}", pattern, "\"{plant}\" is no level");
    main_with("{site}/{meter}/reading", "#/{meter}", pattern, "last level");
    main_with("{site}/{meter}/reading", "{site}/{site}", pattern, "there twice");
    main_with("reading\"", "reading\"\nqos = 2", "mqtt.brokers[0].subscriptions[0].qos", "from 0 to 1");
    main_with(
        "reading\"",
        "reading\"\ndecoder = \"nativ\"",
        "mqtt.brokers[0].subscriptions[0].decoder",
        "\"native\"",
    );
    main_with(
        "device = \"/dev/ttyS0\"",
        "device = \"/dev/ttyS0\"\nport = 502",
        "modbus.links[0].port",
        "no such key",
    );
    main_with("device = \"/dev/ttyS0\"\n", "", "modbus.links[0].device", "/dev/ttyUSB0");
    main_with(
        "device = \"/dev/ttyS0\"",
        "device = \"/dev/ttyS0\"\nbaud = 9601",
        "modbus.links[0].baud",
        "9600",
    );
    let twice = format!(
        "{MAIN}[[modbus.links]]\nname = \"bus-2\"\ntransport = \"serial\"\ndevice = \"/dev/ttyS0\"\n"
    );
    only(&outcome(&twice, &[("s1.toml", SITE)]).0, "modbus.links[1].device", "one link a bus");
}

#[test]
fn a_mapping_that_cannot_name_its_meter_is_refused() {
    let mapping = "\n[mappings.plug]\nfields = [{ pointer = \"/p\", channel = \"power_w\" }]\n";
    let with = |pattern: &str, mapping: &str| {
        let sub = format!(
            "{{site}}/{{meter}}/reading\"\n[[mqtt.brokers.subscriptions]]\ndecoder = \"plug\"\npattern = \"{pattern}\""
        );
        let main = MAIN.replacen("{site}/{meter}/reading\"", &sub, 1) + mapping;
        outcome(&main, &[("s1.toml", SITE)]).0
    };
    assert_eq!(with("tele/{device}/SENSOR", mapping), []);
    only(&with("tele/+/SENSOR", mapping), "mqtt.brokers[0].subscriptions[1].pattern", "which meter speaks");
    assert_eq!(with("tele/+/SENSOR", &mapping.replace("fields", "device = \"/id\"\nfields")), []);
    only(&with("t/{device}", &mapping.replace("/p\"", "p\"")), "mappings.plug.fields[0].pointer", "\"/p\"");
    only(
        &with("t/{device}", &mapping.replace("power_w", "power_kw")),
        "mappings.plug.fields[0].channel",
        "\"power_w\"",
    );
    let unit = mapping.replace("\"power_w\"", "\"power_w\", unit = \"kWh\"");
    only(&with("t/{device}", &unit), "mappings.plug.fields[0].unit", "\"kW\"");
}

#[test]
fn the_same_site_in_two_files_is_told_with_both() {
    let (errors, _) = outcome(MAIN, &[("a.toml", SITE), ("b.toml", &SITE.replace("unit = 2", "unit = 3"))]);
    only(&errors, "id", "first in a.toml");
    assert_eq!(&*errors[0].file, "b.toml");
}

#[test]
fn where_the_main_file_is_broken_its_links_are_not_missed() {
    let (errors, _) = outcome(&MAIN.replace("name = \"city\"", "name = \"city"), &[("s1.toml", SITE)]);
    assert!(errors.iter().all(|p| &*p.file == "submeterd.toml" && p.what.contains("not TOML")), "{errors:?}");
}

#[test]
fn what_is_odd_but_possible_is_a_warning() {
    warned(
        &SITE.replace("id = \"m1\"", "id = \"m1\"\nperiod = \"119s\""),
        "meters[0].period",
        "three periods",
    );
    warned(&SITE.replace("id = \"m2\"", "id = \"m2\"\nct = 40"), "meters[1].ct", "not applied once more");
    warned(&SITE.replace("eastron-sdm630", "chint-dtsu666"), "meters[1].ct", "secondary side");
    warned(&format!("{SITE}[[meters]]\nid = \"m3\"\n"), "meters[2]", "measures no point");
    warned(&SITE.replace("rated_kw = 75", "rated_kw = 75000"), "points[0].rated_kw", "not in W");
    let spare = "[[meters]]\nid = \"m3\"\n[[points]]\nid = \"fan-2\"\nkind = \"treatment\"\nrated_kw = 5\nmeter = \"m3\"\n";
    warned(&format!("{SITE}{spare}"), "points[2]", "in no process");
}

#[test]
fn a_ratio_is_applied_only_on_the_secondary_side() {
    let ct = |site: &str| -> Vec<f64> {
        let texts = Texts {
            main: Some(Text { name: "m".into(), text: MAIN.into() }),
            sites: vec![Text { name: "s".into(), text: site.into() }],
            ..Texts::default()
        };
        let Config { registry, .. } = config::from_texts(&texts).unwrap().config;
        registry.meters.iter().map(|m| m.ct).collect()
    };
    let with =
        |profile: &str| SITE.replace("id = \"m", "ct = 40\nid = \"m").replace("eastron-sdm630", profile);
    assert_eq!(ct(&with("eastron-sdm630")), [40.0, 1.0]);
    assert_eq!(ct(&with("chint-dtsu666")), [40.0, 40.0]);
    assert_eq!(ct(&with("acrel-adw300\", values = \"secondary")), [40.0, 40.0]);
}

#[test]
fn what_is_wrong_with_receivers_is_told_where_it_stands() {
    let notices = r#"
[[notices.webhook]]
name = "duty"
url = "https://example.org/hook"
filter = { levels = ["alarming"], sites = ["s2"] }
repeat = { critical = "1ms" }
quiet = [{ from = "22:00", to = "22:00" }, { from = "10pm", to = "07:00", levels = ["critical"] }]
[[notices.alertmanager]]
name = "duty"
url = "tcp://127.0.0.1:9093"
keep_alive = "1min"
hold = "2min"
[[notices.mqtt]]
name = "broker"
host = "mqtt://broker"
topic = "notices/#"
[[notices.mail]]
name = "mail"
host = "localhost"
from = "nobody"
to = []
username = "me"
"#;
    let (errors, warnings) = outcome(&format!("{MAIN}{notices}"), &[("sites/s1.toml", SITE)]);
    let told = |all: &[Problem]| {
        let one = |p: &Problem| format!("{} {}", p.key, if p.hint.is_empty() { "-" } else { "hint" });
        all.iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&errors),
        [
            "notices.webhook[0].filter.levels[0] hint",
            "notices.webhook[0].repeat.critical hint",
            "notices.webhook[0].quiet[0].to hint",
            "notices.webhook[0].quiet[1].from hint",
            "notices.alertmanager[0].name hint",
            "notices.alertmanager[0].url hint",
            "notices.alertmanager[0].hold hint",
            "notices.mqtt[0].host hint",
            "notices.mqtt[0].topic hint",
            "notices.mail[0].from hint",
            "notices.mail[0].to hint",
            "notices.mail[0].username hint",
        ],
        "{errors:#?}"
    );
    let keys = told(&warnings);
    assert!(keys.contains(&"notices.webhook[0].filter.sites hint".to_owned()), "{warnings:#?}");
    assert!(keys.contains(&"notices.webhook[0].quiet[1].levels hint".to_owned()), "{warnings:#?}");
    assert!(warnings.iter().any(|w| w.what.contains("not signed")), "{warnings:#?}");
}
