//! `submeterd probe`: read one meter by its profile, or find the slaves on a link.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use comfy_table::Cell;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::failure::hinted;
use super::output::{print, print_json};
use super::setup::{self, Globals};
use super::table::{right, with_head};
use crate::config::Config;
use crate::config::check::profile::Profiles;
use crate::config::library;
use crate::config::problem::Report;
use crate::config::settings::{Link, Parity, Transport};
use crate::model::meter::{Input, Profile};
use crate::sources::modbus::probe::{self, Found, Probed};
use crate::wording::words::{Lang, Words, words};

/// What to probe. A meter is only ever read.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("target"))]
pub struct Args {
    /// A meter of the configuration, as SITE/METER.
    #[arg(long, group = "target", conflicts_with_all = ["unit", "profile"])]
    meter: Option<String>,
    /// A link of the configuration.
    #[arg(long, group = "target")]
    link: Option<String>,
    /// Modbus TCP, as HOST:PORT.
    #[arg(long, group = "target", value_name = "HOST:PORT")]
    tcp: Option<String>,
    /// RTU frames through a TCP socket, as HOST:PORT.
    #[arg(long, group = "target", value_name = "HOST:PORT")]
    rtu_over_tcp: Option<String>,
    /// RTU on a serial port, such as /dev/ttyUSB0.
    #[arg(long, group = "target", value_name = "DEVICE")]
    serial: Option<PathBuf>,
    /// Speed of the bus, bits a second.
    #[arg(long, default_value_t = 9_600)]
    baud: u32,
    /// Parity of the bus.
    #[arg(long, value_enum, default_value = "none")]
    parity: ParityArg,
    /// Stop bits of the bus.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    stop_bits: u8,
    /// Slave address.
    #[arg(long)]
    unit: Option<u8>,
    /// Meter model, such as eastron-sdm630; `--profile help` lists them.
    #[arg(long)]
    profile: Option<String>,
    /// Ask every address of the link and list those that answer.
    #[arg(long, conflicts_with_all = ["unit", "profile", "meter"])]
    scan: bool,
    /// Addresses to ask with --scan.
    #[arg(long, value_name = "FROM-TO", default_value = "1-247", value_parser = units)]
    units: RangeInclusive<u8>,
    /// How long a slave may take to answer, ms.
    #[arg(long, default_value_t = 1_000)]
    timeout_ms: u64,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ParityArg {
    None,
    Even,
    Odd,
}

fn units(text: &str) -> Result<RangeInclusive<u8>, String> {
    let parse = |t: &str| t.trim().parse::<u8>().map_err(|_| format!("{t:?} is no slave address"));
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (parse(from)?, parse(to)?);
    if from <= to { Ok(from..=to) } else { Err(format!("{from} comes after {to}")) }
}

/// What is to be read: where, whom and by which profile.
struct Target {
    link: Link,
    unit: Option<u8>,
    profile: Option<Profile>,
}

/// Runs the command.
///
/// # Errors
/// The target is not known, or nothing answers.
pub async fn run(globals: &Globals, args: Args) -> anyhow::Result<()> {
    let config = setup::load_without_secrets(globals)?.config;
    if args.profile.as_deref() == Some("help") {
        return print(&profiles(&config).into_keys().collect::<Vec<_>>().join("\n"));
    }
    let target = target(&config, &args)?;
    if args.scan {
        return scan(globals, &target.link, args.units).await;
    }
    let (Some(unit), Some(profile)) = (target.unit, target.profile) else {
        let error = anyhow::anyhow!("which meter? say --unit and --profile, or --scan");
        return Err(hinted(error, "`--profile help` lists the models"));
    };
    let probed = probe::probe(&target.link, unit, &profile).await.map_err(|error| {
        hinted(
            error.into(),
            "check address, speed and parity, and that nobody else uses the bus; --scan finds slaves",
        )
    })?;
    if globals.json {
        return print_json(&probed.iter().map(Row::of).collect::<Vec<_>>());
    }
    print(&table(&probed, globals.lang()))
}

fn target(config: &Config, args: &Args) -> anyhow::Result<Target> {
    if let Some(id) = &args.meter {
        let meter = config.registry.meters.iter().find(|m| *m.id == **id);
        let meter = meter.with_context(|| format!("there is no meter {id:?} in the configuration"))?;
        let Input::Modbus { link, unit, profile } = &meter.input else {
            anyhow::bail!("{id} is read over MQTT; `submeterd readings {id}` shows what came");
        };
        let profile = config.registry.profiles.get(*profile as usize).cloned();
        return Ok(Target { link: configured(config, link)?, unit: Some(*unit), profile });
    }
    let link = match &args.link {
        Some(name) => configured(config, name)?,
        None => typed(args)?,
    };
    let profile = args.profile.as_deref().map(|name| {
        profiles(config)
            .remove(name)
            .with_context(|| format!("no profile is called {name:?}"))
            .map_err(|error| hinted(error, "`--profile help` lists the models"))
    });
    Ok(Target { link, unit: args.unit, profile: profile.transpose()? })
}

/// The embedded profiles, with those of the configuration over them.
fn profiles(config: &Config) -> Profiles {
    let mut all = library::profiles(&[], &mut Report::default());
    all.extend(config.registry.profiles.iter().map(|p| (p.name.clone(), p.clone())));
    all
}

fn configured(config: &Config, name: &str) -> anyhow::Result<Link> {
    let link = config.links.iter().find(|l| *l.name == *name);
    link.cloned().with_context(|| format!("there is no link {name:?} in the configuration"))
}

/// A link made of what was typed.
fn typed(args: &Args) -> anyhow::Result<Link> {
    let host = |text: &str| -> anyhow::Result<(Box<str>, u16)> {
        let (host, port) = text.rsplit_once(':').unwrap_or((text, "502"));
        let port = port.parse().with_context(|| format!("{port:?} is no TCP port"))?;
        Ok((host.trim_matches(['[', ']']).into(), port))
    };
    let transport = match (&args.tcp, &args.rtu_over_tcp, &args.serial) {
        (Some(text), _, _) => {
            let (host, port) = host(text)?;
            Transport::Tcp { host, port }
        }
        (_, Some(text), _) => {
            let (host, port) = host(text)?;
            Transport::RtuOverTcp { host, port, baud: args.baud }
        }
        (_, _, Some(device)) => Transport::Serial {
            device: device.clone(),
            baud: args.baud,
            parity: match args.parity {
                ParityArg::None => Parity::None,
                ParityArg::Even => Parity::Even,
                ParityArg::Odd => Parity::Odd,
            },
            stop_bits: args.stop_bits,
        },
        _ => anyhow::bail!("say where: --tcp, --rtu-over-tcp, --serial, --link or --meter"),
    };
    Ok(Link {
        name: "probe".into(),
        transport,
        timeout: Duration::from_millis(args.timeout_ms),
        retries: 1,
        pause: Duration::ZERO,
        breaker_pause_max: Duration::from_secs(60),
        backoff_max: Duration::from_secs(30),
    })
}

/// A quantity as scripts get it.
#[derive(Debug, Serialize)]
struct Row {
    channel: &'static str,
    value: Option<f64>,
    unit: &'static str,
    registers: Vec<u16>,
}

impl Row {
    fn of(probed: &Probed) -> Row {
        Row {
            channel: probed.channel.name(),
            value: probed.value,
            unit: probed.channel.quantity().unit(),
            registers: probed.words.clone(),
        }
    }
}

const HEAD: [Words; 4] =
    [words("quantity", "量"), words("value", "数值"), words("unit", "单位"), words("registers", "寄存器")];
const MISSING: Words = words("missing", "缺失");

fn table(probed: &[Probed], lang: Lang) -> String {
    let mut table = with_head(&HEAD.map(|w| w.in_lang(lang)));
    for row in probed.iter().map(Row::of) {
        let registers: Vec<String> = row.registers.iter().map(|w| format!("{w:04X}")).collect();
        table.add_row([
            Cell::new(row.channel),
            right(row.value.map_or(MISSING.in_lang(lang).to_owned(), |v| format!("{v:.3}"))),
            Cell::new(row.unit),
            Cell::new(registers.join(" ")),
        ]);
    }
    table.to_string()
}

async fn scan(globals: &Globals, link: &Link, units: RangeInclusive<u8>) -> anyhow::Result<()> {
    let lang = globals.lang();
    let bar = ProgressBar::new(u64::from(units.end() - units.start()) + 1);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}") {
        bar.set_style(style);
    }
    let found = probe::scan(link, units, |unit, found| {
        if found != Found::Silence {
            bar.println(format!("{unit}: {}", said(found, lang)));
        }
        bar.inc(1);
    })
    .await?;
    bar.finish_and_clear();
    if globals.json {
        let rows: Vec<_> = found
            .iter()
            .map(|(unit, f)| serde_json::json!({ "unit": unit, "answer": said(*f, Lang::En) }))
            .collect();
        return print_json(&rows);
    }
    let lines: Vec<String> = found.iter().map(|(unit, f)| format!("{unit:>3}  {}", said(*f, lang))).collect();
    print(&if lines.is_empty() { NOBODY.in_lang(lang).to_owned() } else { lines.join("\n") })
}

const NOBODY: Words = words("Nobody answers.", "没有从站应答。");
const REGISTERS: Words = words("answers with registers", "有应答，返回寄存器数据");
const GARBLED: Words = words(
    "answers with noise: two slaves with one address, or another speed or parity",
    "应答混乱：可能有两个从站地址相同，或波特率、校验不符",
);
const SILENT: Words = words("silent", "无应答");

fn said(found: Found, lang: Lang) -> String {
    match found {
        Found::Registers => REGISTERS.in_lang(lang).into(),
        Found::Exception(code) => match lang {
            Lang::En => format!("answers with exception {code}: somebody is there"),
            Lang::Zh => format!("返回异常码 {code}：该地址有从站"),
        },
        Found::Garbled => GARBLED.in_lang(lang).into(),
        Found::Silence => SILENT.in_lang(lang).into(),
    }
}
