//! What the README shows works as it stands there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use submeterd::model::quantity::{Channel, Phase};

fn readme() -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// Blocks of a language, in order.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn submeterd(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_submeterd"));
    command.current_dir(folder).args(arguments).env_remove("SUBMETERD_CONFIG");
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The configuration of the README in `folder`, with secrets, and with what it shows to be added.
fn configured(folder: &Path) {
    let toml = blocks(&readme(), "toml");
    let [main, site, subscription, mapping, page, notices, telemetry] = &toml[..] else {
        panic!("{} blocks of TOML", toml.len())
    };
    let main = main
        .replace("/etc/submeterd/", "")
        .replace("[[modbus.links]]", &format!("{subscription}\n[[modbus.links]]"));
    fs::write(
        folder.join("submeterd.toml"),
        format!("{main}\n{mapping}\n{page}\n{}\n{telemetry}", notices.replace("/etc/submeterd/", "")),
    )
    .unwrap();
    fs::create_dir(folder.join("sites")).unwrap();
    fs::write(folder.join("sites/print-works.toml"), site).unwrap();
    for secret in ["broker.password", "influx.token", "webhook.secret"] {
        let path = folder.join(secret);
        fs::write(&path, "not to be seen").unwrap();
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
        fs::set_permissions(path, mode).unwrap();
    }
}

#[test]
fn its_configuration_and_its_spreadsheet_are_good() {
    let folder = tempfile::tempdir().unwrap();
    configured(folder.path());
    let is_sheet = |block: &String| block.starts_with("site_id,");
    let csv = blocks(&readme(), "text").into_iter().find(is_sheet).unwrap();
    fs::write(folder.path().join("sites.csv"), csv).unwrap();
    let imported = submeterd(folder.path(), &["sites", "import", "sites.csv", "--into", "sites"]);
    assert!(imported.status.success(), "{}", said(&imported));
    let checked = submeterd(folder.path(), &["check", "--config", "submeterd.toml", "--lang", "en"]);
    assert!(checked.status.success(), "{}", said(&checked));
    let all = said(&checked);
    assert!(!all.contains("warning"), "{all}");
    assert!(
        all.contains("The configuration is good: 3 files, 2 sites, 5 meters, 1 brokers, 1 links, 4 receivers of notices"),
        "{all}"
    );
}

#[test]
fn its_payloads_are_readings_also_of_a_meter_that_is_read_over_modbus() {
    let folder = tempfile::tempdir().unwrap();
    configured(folder.path());
    // In the first the topic says who speaks; a replay has none.
    let payloads = blocks(&readme(), "json").concat().replace(
        "{\"ts\":1661789400000,\"p\":35.24,\"u\"",
        "{\"site\":\"print-works\",\"meter\":\"m1\",\"ts\":1661789340000,\"p\":35.24,\"u\"",
    );
    fs::write(folder.path().join("native.jsonl"), payloads).unwrap();
    let replayed =
        submeterd(folder.path(), &["replay", "--config", "submeterd.toml", "--input", "native.jsonl"]);
    let all = said(&replayed);
    assert!(replayed.status.success() && all.contains(" 5 readings, 0 rejected, 0 late"), "{all}");
}

#[test]
fn every_command_is_there_and_every_command_there_is_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = readme();
    let help = said(&submeterd(folder.path(), &["--help"]));
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let there: Vec<_> = commands.lines().filter_map(|l| l.strip_prefix("  ")?.split(' ').next()).collect();
    for command in there.iter().filter(|c| !c.is_empty() && **c != "help") {
        assert!(text.contains(&format!("submeterd {command}")), "{command} is not in the README");
    }
    let shown = text.lines().filter_map(|line| line.strip_prefix("$ submeterd "));
    for line in shown {
        let words = line.split('#').next().unwrap().split_whitespace();
        let mut arguments: Vec<_> = words.take_while(|w| !w.starts_with('-') && !w.contains('.')).collect();
        arguments.push("--help");
        let helped = submeterd(folder.path(), &arguments);
        assert!(helped.status.success(), "{line}: {}", said(&helped));
        let help = said(&helped);
        for option in line.split_whitespace().filter(|w| w.starts_with("--")) {
            assert!(help.contains(option), "{line}: there is no {option}");
        }
    }
    let profiles = submeterd(folder.path(), &["probe", "--profile", "help"]);
    assert!(said(&profiles).contains("eastron-sdm630"), "{}", said(&profiles));
}

#[test]
fn it_names_every_quantity() {
    let text = readme();
    for channel in Channel::all().filter(|c| c.phase() == Phase::Total) {
        assert!(text.contains(&format!("`{}`", channel.name())), "{} is not in it", channel.name());
    }
}

#[test]
fn what_it_says_of_prometheus_and_grafana_is_what_is_shipped() {
    let text = readme();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let shipped = fs::read_to_string(root.join("deploy/prometheus/submeterd.yml")).unwrap();
    let shown = blocks(&text, "yaml");
    assert!(shown.len() == 1 && shipped.ends_with(&shown[0]), "{shown:?}\n{shipped}");
    let variable = "SUBMETERD_INFLUX_READ_TOKEN";
    let sources = fs::read_to_string(root.join("deploy/grafana/provisioning/datasources.yml")).unwrap();
    assert!(text.contains(&format!("{variable}=")) && sources.contains(&format!("${{{variable}}}")));
    let main = blocks(&text, "toml").into_iter().find(|toml| toml.contains("[influx]")).unwrap();
    let bucket = main.lines().find_map(|line| line.strip_prefix("bucket = ")).unwrap().trim_matches('"');
    assert!(sources.contains(&format!("dbName: {bucket}\n")), "one bucket in both");

    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let paths: Vec<&str> = text.split(|c| !is_path(c)).filter(|w| w.starts_with("deploy/")).collect();
    assert!(paths.len() > 8, "{paths:?}");
    for path in paths {
        assert!(root.join(path.trim_end_matches('.')).exists(), "{path} is not there");
    }
}
