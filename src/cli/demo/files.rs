//! The configuration of the demo, written as a person would write it: `submeterd.toml` and a file a site.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::plant::{Plant, Unit, Wire};
use crate::model::site::PointKind;
use crate::wording::words::Lang;

/// The main file's name.
pub const CONFIG: &str = "submeterd.toml";

/// Where the daemon of a demo in this folder keeps journal and store.
#[must_use]
pub fn data_dir(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Writes all files into a folder; `addresses` says where the daemon finds each plant, `page` where it serves its page. Returns the main file.
///
/// # Errors
/// A file cannot be written.
pub fn write(
    folder: &Path,
    plants: &[Plant],
    addresses: &[SocketAddr],
    page: SocketAddr,
    lang: Lang,
) -> anyhow::Result<PathBuf> {
    let sites = folder.join("sites");
    fs::create_dir(&sites).with_context(|| format!("make the folder {}", sites.display()))?;
    for plant in plants {
        put(&sites.join(format!("{}.toml", plant.id)), &site(plant, lang))?;
    }
    let main = folder.join(CONFIG);
    put(&main, &daemon(folder, plants, addresses, page))?;
    Ok(main)
}

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// The main file.
fn daemon(folder: &Path, plants: &[Plant], addresses: &[SocketAddr], page: SocketAddr) -> String {
    let mut text = format!(
        "# Written by `submeterd demo`. The ports are those the demo found free.

[daemon]
data_dir = {data_dir}
socket = {socket}
sites_dir = {sites_dir}
tick = \"500ms\"
stop_within = \"4s\"

[web]
listen = \"{page}\"
",
        data_dir = quoted_path(&data_dir(folder)),
        socket = quoted_path(&folder.join("submeterd.sock")),
        sites_dir = quoted_path(&folder.join("sites")),
    );
    let mut brokers: Vec<SocketAddr> = Vec::new();
    for (plant, address) in plants.iter().zip(addresses) {
        match plant.wire {
            Wire::Mqtt if brokers.contains(address) => {}
            Wire::Mqtt => {
                brokers.push(*address);
                text += &broker(*address);
            }
            Wire::Modbus => text += &link(plant, *address),
        }
    }
    text
}

fn broker(address: SocketAddr) -> String {
    format!(
        "
[[mqtt.brokers]]
name = \"demo\"
host = \"{}\"
port = {}
client_id = \"submeterd-demo\"

[[mqtt.brokers.subscriptions]]
pattern = \"submeter/v1/{{site}}/{{meter}}/reading\"
qos = 1
decoder = \"native\"
",
        address.ip(),
        address.port()
    )
}

fn link(plant: &Plant, address: SocketAddr) -> String {
    format!(
        "
# A slave that does not answer is asked again soon: here a second stands for a minute.
[[modbus.links]]
name = {}
transport = \"tcp\"
host = \"{}\"
port = {}
timeout = \"300ms\"
retries = 0
pause = \"0ms\"
breaker_pause_max = \"2s\"
backoff_max = \"1s\"
",
        quoted(plant.id),
        address.ip(),
        address.port()
    )
}

/// The zone of this machine, so that every command shows the times that the view showed.
fn own_zone() -> String {
    let zone = TimeZone::system();
    let known = zone.iana_name().filter(|name| *name != "Etc/Unknown" && TimeZone::get(name).is_ok());
    known.unwrap_or("UTC").to_owned()
}

/// A site's file.
fn site(plant: &Plant, lang: Lang) -> String {
    let mut text = format!(
        "# Written by `submeterd demo`. One second stands for one minute: every duration is a sixtieth of its default.

id = {id}
name = {name}
region = \"demo\"
industry = {industry}
time_zone = {time_zone}
reorder = \"2s\"
step = \"1s\"
gap = \"10s\" # the least there may be
",
        id = quoted(plant.id),
        name = quoted(plant.name.in_lang(lang)),
        industry = quoted(plant.industry.in_lang(lang)),
        time_zone = quoted(&own_zone()),
    );
    for (unit, number) in plant.units.iter().zip(1..) {
        text += &meter(plant, unit, number);
    }
    for unit in plant.units {
        text += &point(unit, lang);
    }
    text += &process(plant);
    text
}

fn meter(plant: &Plant, unit: &Unit, number: u8) -> String {
    let mut text = format!("\n[[meters]]\nid = {}\nperiod = \"1s\"\n", quoted(unit.id));
    if plant.wire == Wire::Modbus {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "modbus = {{ link = {}, unit = {number}, profile = \"eastron-sdm630\" }}",
            quoted(plant.id)
        );
    }
    text
}

fn point(unit: &Unit, lang: Lang) -> String {
    let (above_kw, below_kw) = unit.running_kw;
    format!(
        "
[[points]]
id = {id}
name = {name}
kind = \"{kind}\"
rated_kw = {rated_kw:.1}
meter = {id}
running_above = \"{above_kw}kW\"
running_below = \"{below_kw}kW\"
idle_above = \"{}kW\"
off_below = \"{}kW\"
on_for = \"2s\"
off_for = \"3s\"
",
        below_kw * 0.5,
        below_kw * 0.4,
        id = quoted(unit.id),
        name = quoted(unit.name.in_lang(lang)),
        kind = unit.kind.name(),
        rated_kw = unit.rated_kw,
    )
}

fn process(plant: &Plant) -> String {
    let ids = |kind| {
        let own = plant.units.iter().filter(|u| u.kind == kind).map(|u| quoted(u.id));
        own.collect::<Vec<_>>().join(", ")
    };
    format!(
        "
[[processes]]
id = {id}
production = [{production}]
treatment = [{{ points = [{treatment}], need = {need} }}]
lag = \"5s\"
raise = \"10s\"
clear = \"5s\"
alarm = \"30s\"
critical = \"4min\"
stale = \"10s\"
offline = \"30s\"
offline_alarm = \"24min\"
fragmented = \"30s\"
",
        id = quoted(plant.process),
        production = ids(PointKind::Production),
        treatment = ids(PointKind::Treatment),
        need = plant.need,
    )
}

#[cfg(test)]
mod tests {
    use super::super::story::PLANTS;
    use super::*;

    #[test]
    fn every_file_is_toml_and_names_every_plant_and_unit() {
        let folder = tempfile::tempdir().unwrap();
        let addresses = ["127.0.0.1:1883", "127.0.0.1:1883", "127.0.0.1:1502"].map(|a| a.parse().unwrap());
        let main = write(folder.path(), &PLANTS, &addresses, addresses[0], Lang::Zh).unwrap();
        let main: toml::Table = fs::read_to_string(main).unwrap().parse().unwrap();
        assert_eq!(main["mqtt"]["brokers"].as_array().unwrap().len(), 1, "two plants share a broker");
        assert_eq!(main["modbus"]["links"][0]["port"].as_integer(), Some(1502));
        for plant in &PLANTS {
            let file = folder.path().join("sites").join(format!("{}.toml", plant.id));
            let site: toml::Table = fs::read_to_string(file).unwrap().parse().unwrap();
            assert_eq!(site["name"].as_str(), Some(plant.name.zh));
            assert_eq!(site["points"].as_array().unwrap().len(), plant.units.len());
            let over_modbus = site["meters"][0].get("modbus").is_some();
            assert_eq!(over_modbus, plant.wire == Wire::Modbus);
        }
    }
}
