//! What is shipped beside the program fits it: the systemd unit, its drop-ins, the broker's configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use submeterd::cli::failure::EXIT_CONFIG;
use submeterd::config::check::broker;
use submeterd::config::{self, layers};

use crate::harness::servers::{self, Server};
use crate::harness::wait::wait_for_blocking;

/// A program on a busy machine may take this long for anything.
const WITHIN: Duration = Duration::from_secs(30);

fn deploy(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The values of a key, in the order of the file.
fn values(text: &str, key: &str) -> Vec<String> {
    let value = |line: &str| Some(line.strip_prefix(key)?.strip_prefix('=')?.to_owned());
    text.lines().filter_map(value).collect()
}

fn value(text: &str, key: &str) -> String {
    let all = values(text, key);
    assert_eq!(all.len(), 1, "{key} in\n{text}");
    all[0].clone()
}

/// What stands behind `ExecStart=PROGRAM`.
fn arguments(unit: &str) -> Vec<String> {
    value(unit, "ExecStart").split(' ').skip(1).map(str::to_owned).collect()
}

#[test]
fn the_units_paths_are_the_programs_own() {
    let unit = deploy("submeterd.service");
    let config = config::load(None, BTreeMap::new()).unwrap().config;
    assert_eq!(Path::new("/var/lib").join(value(&unit, "StateDirectory")), config.daemon.data_dir);
    let runtime = Path::new("/run").join(value(&unit, "RuntimeDirectory"));
    assert_eq!(config.daemon.socket.parent(), Some(&*runtime));
    assert_eq!(value(&unit, "RuntimeDirectoryMode"), "0750", "the group may enter, nobody else");
    let file = Path::new("/etc").join(value(&unit, "ConfigurationDirectory")).join("submeterd.toml");
    assert_eq!(arguments(&unit), ["run", "--config", file.to_str().unwrap()]);

    let sysusers = deploy("sysusers.conf");
    let user = sysusers.lines().find(|l| l.starts_with("u ")).unwrap();
    let fields: Vec<_> = user.split(' ').collect();
    assert_eq!((fields[1], fields[1]), (&*value(&unit, "User"), &*value(&unit, "Group")));
    assert!(user.ends_with(config.daemon.data_dir.to_str().unwrap()), "{user}");

    let stop_s: u64 = value(&unit, "TimeoutStopSec").trim_end_matches('s').parse().unwrap();
    assert!(stop_s > config.daemon.stop_within.as_secs(), "systemd kills what is still stopping");
    assert_eq!(value(&unit, "RestartPreventExitStatus"), EXIT_CONFIG.to_string());
}

#[test]
fn the_credentials_are_named_as_in_the_example_configuration() {
    let dropin = deploy("credentials.conf");
    let loaded: BTreeSet<String> = values(&dropin, "LoadCredential")
        .iter()
        .map(|v| {
            let (name, path) = v.split_once(':').unwrap();
            assert_eq!(path, format!("/etc/submeterd/credentials/{name}"));
            name.to_owned()
        })
        .collect();
    let quoted = |line: &str| line.split('"').nth(1).map(str::to_owned);
    let named: BTreeSet<String> =
        layers::DEFAULTS.lines().filter(|l| l.contains("_credential = ")).filter_map(quoted).collect();
    assert_eq!(loaded, named);
}

#[test]
fn systemd_finds_nothing_wrong_with_unit_and_drop_ins() {
    let folder = tempfile::tempdir().unwrap();
    let unit =
        deploy("submeterd.service").replace("/usr/local/bin/submeterd", env!("CARGO_BIN_EXE_submeterd"));
    let path = folder.path().join("submeterd.service");
    fs::write(&path, unit).unwrap();
    let dropins = folder.path().join("submeterd.service.d");
    fs::create_dir(&dropins).unwrap();
    for name in ["serial.conf", "credentials.conf"] {
        fs::write(dropins.join(name), deploy(name)).unwrap();
    }
    let verified = match Command::new("systemd-analyze").arg("verify").arg(&path).output() {
        Ok(verified) => verified,
        Err(error) => {
            let hint = format!("systemd-analyze cannot be run ({error}): apt-get install systemd");
            assert!(std::env::var_os("CI").is_none(), "{hint}");
            eprintln!("\n*** SKIPPED *** {hint}\n");
            return;
        }
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && !said.contains("submeterd"), "{said}");
}

/// The program as the unit starts it, with a configuration of the test in place of the system's.
fn started(config: &Path, environment: &[(&str, &str)]) -> Child {
    let arguments = arguments(&deploy("submeterd.service"));
    let system = "/etc/submeterd/submeterd.toml";
    Command::new(env!("CARGO_BIN_EXE_submeterd"))
        .args(arguments.iter().map(|a| if a == system { config.to_str().unwrap() } else { a }))
        .envs(environment.iter().copied())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A configuration in `folder` with a broker whose password comes from systemd. Nobody listens at its port.
fn configured(folder: &Path) -> PathBuf {
    let path = folder.join("submeterd.toml");
    let text = format!(
        "[daemon]\ndata_dir = '{0}/data'\nsocket = '{0}/api.sock'\n[[mqtt.brokers]]\nname = 'city'\n\
         host = '127.0.0.1'\nport = 9\nusername = 'submeterd'\npassword_credential = 'broker-password'\n\
         subscriptions = [{{ pattern = 'submeter/v1/{{site}}/{{meter}}/reading' }}]\n",
        folder.display()
    );
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_daemon_tells_systemd_what_the_unit_waits_for() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path());
    let credentials = folder.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("broker-password"), "not to be seen\n").unwrap();
    let notify = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&notify).unwrap();
    systemd.set_read_timeout(Some(WITHIN)).unwrap();
    let hear = |wanted: &str| {
        let mut bytes = [0; 4096];
        loop {
            let n = systemd.recv(&mut bytes).unwrap_or_else(|e| panic!("no {wanted}: {e}"));
            if std::str::from_utf8(&bytes[..n]).unwrap().lines().any(|line| line == wanted) {
                return;
            }
        }
    };
    let mut daemon = started(
        &config,
        &[
            ("NOTIFY_SOCKET", notify.to_str().unwrap()),
            ("WATCHDOG_USEC", "600000"),
            ("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap()),
        ],
    );
    hear("READY=1");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");

    // Whoever may use the socket need not be able to read the password.
    let status = Command::new(env!("CARGO_BIN_EXE_submeterd"))
        .args(["status", "--json", "--config", config.to_str().unwrap()])
        .env_remove("CREDENTIALS_DIRECTORY")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&status.stdout);
    assert!(status.status.success() && said.contains("\"running\": true"), "{status:?}");

    assert!(Command::new("kill").arg(daemon.id().to_string()).status().unwrap().success());
    hear("STOPPING=1");
    let ended = wait_for_blocking("the daemon's end", WITHIN, || daemon.try_wait().unwrap());
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_faulty_configuration_ends_with_the_status_the_unit_does_not_restart_on() {
    let folder = tempfile::tempdir().unwrap();
    // Without $CREDENTIALS_DIRECTORY the password is nowhere.
    let mut daemon = started(&configured(folder.path()), &[("CREDENTIALS_DIRECTORY", "")]);
    let ended = wait_for_blocking("the daemon's end", WITHIN, || daemon.try_wait().unwrap());
    assert_eq!(ended.code(), Some(EXIT_CONFIG.into()));
}

/// The value of a setting of the broker's configuration.
fn broker_setting(name: &str) -> String {
    let text = deploy("mosquitto.conf");
    let of = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(' ')?.to_owned());
    text.lines().find_map(of).unwrap_or_else(|| panic!("{name} is not set"))
}

#[test]
fn the_brokers_configuration_explains_itself_and_fits_the_daemon() {
    let text = deploy("mosquitto.conf");
    for paragraph in text.split("\n\n") {
        let is_explained = paragraph.lines().next().is_some_and(|line| line.starts_with("# "));
        assert!(is_explained, "nothing is said about\n{paragraph}");
    }
    assert_eq!(broker_setting("max_inflight_messages"), broker::UNACKNOWLEDGED.to_string());
    let limit: u32 = broker_setting("message_size_limit").parse().unwrap();
    assert!(limit > broker::PACKET_BYTES, "the daemon shows what is too large, the broker does not");
    assert_eq!(broker_setting("listener"), "1883 127.0.0.1");
}

/// A mosquitto as shipped, with its files in `folder` and these users, each with its name as password.
fn shipped_broker(folder: &Path, users: &[&str]) -> Option<Server> {
    let here = format!("{}/", folder.display());
    let own_listener = |line: &&str| !line.starts_with("listener ");
    let conf = deploy("mosquitto.conf").lines().filter(own_listener).collect::<Vec<_>>().join("\n");
    let conf = ["/etc/mosquitto/", "/var/lib/mosquitto/", "/run/mosquitto/"]
        .iter()
        .fold(conf, |conf, system| conf.replace(system, &here));
    fs::write(folder.join("mosquitto.acl"), deploy("mosquitto.acl")).unwrap();
    let passwords = folder.join("submeterd.passwd");
    fs::write(&passwords, "").unwrap();
    for user in users {
        // Where there is no mosquitto, there is none to be started either.
        let made = Command::new("mosquitto_passwd").arg("-b").arg(&passwords).args([user, user]).status();
        assert!(made.is_err() || made.unwrap().success());
    }
    // Started by root it would become a user that may not enter the folder.
    servers::mosquitto(&format!("{conf}\nuser root"))
}

fn client(port: u16, id: &str, user: Option<&str>) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(id, "127.0.0.1", port);
    options.set_clean_session(false);
    if let Some(user) = user {
        options.set_credentials(user, user);
    }
    AsyncClient::new(options, 10)
}

/// The next event `look` wants.
async fn next<T>(events: &mut EventLoop, look: impl Fn(&Packet) -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Event::Incoming(packet) = events.poll().await.unwrap()
                && let Some(seen) = look(&packet)
            {
                return seen;
            }
        }
    };
    tokio::time::timeout(WITHIN, seen).await.expect("it did not come")
}

async fn publish(port: u16, user: &str, topic: &str, payloads: impl Iterator<Item = String>) {
    let (client, mut events) = client(port, user, Some(user));
    for payload in payloads {
        client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
        next(&mut events, |p| matches!(p, Packet::PubAck(_)).then_some(())).await;
    }
    client.disconnect().await.unwrap();
    // The broker closes the connection: that is an error to the library and the end to us.
    let ended = async { while events.poll().await.is_ok() {} };
    tokio::time::timeout(WITHIN, ended).await.expect("the broker does not close");
}

fn received(packet: &Packet) -> Option<(String, String)> {
    let Packet::Publish(publish) = packet else { return None };
    Some((publish.topic.clone(), String::from_utf8(publish.payload.to_vec()).unwrap()))
}

const PLANT_1: &str = "submeter/v1/plant-1/m1/reading";
const PLANT_2: &str = "submeter/v1/plant-2/m1/reading";

#[tokio::test]
async fn the_shipped_broker_lets_a_plant_speak_for_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = shipped_broker(folder.path(), &["submeterd", "plant-1"]) else { return };
    let (daemon, mut events) = client(server.port(), "submeterd-city", Some("submeterd"));
    daemon.subscribe("submeter/v1/#", QoS::AtLeastOnce).await.unwrap();
    next(&mut events, |p| matches!(p, Packet::SubAck(_)).then_some(())).await;

    publish(server.port(), "plant-1", PLANT_1, ["first".to_owned()].into_iter()).await;
    publish(server.port(), "plant-1", PLANT_2, ["forged".to_owned()].into_iter()).await;
    publish(server.port(), "plant-1", PLANT_1, ["second".to_owned()].into_iter()).await;
    for expected in ["first", "second"] {
        let (topic, payload) = next(&mut events, received).await;
        assert_eq!((&*topic, &*payload), (PLANT_1, expected));
    }

    let (_, mut stranger) = client(server.port(), "stranger", None);
    let refused = tokio::time::timeout(WITHIN, stranger.poll()).await.unwrap();
    assert!(matches!(refused, Err(rumqttc::ConnectionError::ConnectionRefused(_))), "{refused:?}");
}

#[tokio::test]
async fn the_shipped_broker_keeps_what_comes_while_the_daemon_is_away_even_over_its_own_restart() {
    /// More than the thousand that wait by default, and the twenty under way.
    const N: usize = 1_200;
    let folder = tempfile::tempdir().unwrap();
    let Some(mut server) = shipped_broker(folder.path(), &["submeterd", "plant-1"]) else { return };
    let (daemon, mut events) = client(server.port(), "submeterd-city", Some("submeterd"));
    daemon.subscribe("submeter/v1/#", QoS::AtLeastOnce).await.unwrap();
    next(&mut events, |p| matches!(p, Packet::SubAck(_)).then_some(())).await;
    drop((daemon, events));

    publish(server.port(), "plant-1", PLANT_1, (0..N).map(|n| n.to_string())).await;
    server.stop();
    server.start();
    let (_daemon, mut events) = client(server.port(), "submeterd-city", Some("submeterd"));
    for n in 0..N {
        let (_, payload) = next(&mut events, received).await;
        assert_eq!(payload, n.to_string());
    }
}
