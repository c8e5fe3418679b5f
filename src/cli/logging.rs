//! Where the log goes: to journald where systemd listens, else to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::settings::{Log, LogFormat};

/// Libraries say at most this, unless they are named: what they tell of every packet is of no use to an operator.
const LIBRARIES: [&str; 4] = ["rumqttc=warn", "hyper=warn", "reqwest=warn", "tokio_modbus=warn"];

/// Sets the log up, once.
pub fn begin(settings: &Log) {
    let mut filter = EnvFilter::new(&*settings.level);
    for directive in LIBRARIES.iter().filter_map(|d| d.parse().ok()) {
        filter = filter.add_directive(directive);
    }
    let registry = tracing_subscriber::registry().with(filter);
    let by_systemd = std::env::var_os("JOURNAL_STREAM").is_some() && !std::io::stderr().is_terminal();
    let to_journald = match settings.format {
        LogFormat::Auto => by_systemd,
        LogFormat::Journald => true,
        LogFormat::Text => false,
    };
    // An error says that a log is set up already; then it stays.
    let _ = match tracing_journald::layer() {
        Ok(journald) if to_journald => registry.with(journald).try_init(),
        _ => {
            let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let text = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colour);
            registry.with(text.with_target(false)).try_init()
        }
    };
}
