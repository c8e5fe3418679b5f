//! The daemon itself, its log, and how much is kept.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::must::{self, Bounds};
use super::rules::clock_ms;
use super::secret::Places;
use crate::config::problem::{Report, Spot};
use crate::config::settings::{Daemon, Learning, Log, LogFormat};
use crate::config::typed::daemon as typed;

/// Less than this holds no day of anything, bytes.
const BYTES_MIN: u64 = 16 << 20;

/// A century: more is a slip of the finger, days.
const DAYS_MAX: u32 = 36_525;

/// Checks `[daemon]`.
pub fn check(typed: &typed::Daemon, at: &Spot, places: &Places, report: &mut Report) -> Daemon {
    let mut path = |value: Option<&String>, key: &str, example: &str| -> PathBuf {
        places.path(must::text(value, &at.key(key), example, report))
    };
    let data_dir = path(typed.data_dir.as_ref(), "data_dir", "data_dir = \"/var/lib/submeterd\"");
    let socket = path(typed.socket.as_ref(), "socket", "socket = \"/run/submeterd/api.sock\"");
    // The kernel keeps socket paths in 108 bytes, the last of them zero.
    if socket.as_os_str().len() > 107 {
        report.error(
            &at.key("socket"),
            "the path is longer than the 107 bytes a socket may have",
            "a shorter one",
        );
    }
    let second = Duration::from_secs(1);
    Daemon {
        data_dir,
        socket,
        tick: must::duration(typed.tick, second, Bounds::ms(100, 60_000), &at.key("tick"), report),
        stop_within: must::duration(
            typed.stop_within,
            20 * second,
            Bounds::ms(1_000, 600_000),
            &at.key("stop_within"),
            report,
        ),
    }
}

/// Checks `[log]`.
pub fn log(typed: &typed::Log, at: &Spot, report: &mut Report) -> Log {
    let level = typed.level.as_deref().unwrap_or("info");
    if let Err(error) = level.parse::<tracing_subscriber::filter::Targets>() {
        let hint = "error, warn, info, debug or trace; or directives such as \"info,rumqttc=warn\"";
        report.error(&at.key("level"), format!("{level:?} is no log level: {error}"), hint);
    }
    Log { level: level.into(), format: typed.format.unwrap_or(LogFormat::Auto) }
}

/// Checks `[journal]` or `[history]`: days and bytes.
pub fn kept(typed: &typed::Kept, at: &Spot, report: &mut Report) -> (u32, u64) {
    let days = must::number(typed.days_max, 400, (1, DAYS_MAX), &at.key("days_max"), report);
    let bytes = typed.bytes_max.map_or(20 << 30, |size| size.0);
    if bytes < BYTES_MIN {
        report.error(
            &at.key("bytes_max"),
            format!("{bytes} bytes hold next to nothing"),
            "at least \"16MiB\"",
        );
    }
    (days, bytes)
}

/// Checks `[telemetry]`: where `/metrics` is served, if it is.
pub fn telemetry(typed: &typed::Telemetry, at: &Spot, report: &mut Report) -> Option<SocketAddr> {
    let (listen, spot) = (typed.listen.as_ref()?, at.key("listen"));
    let Ok(address) = listen.parse::<SocketAddr>() else {
        let hint = "an address of this machine with a port: \"127.0.0.1:9464\" or \"[::1]:9464\"";
        report.error(&spot, format!("{listen:?} is no address with a port"), hint);
        return None;
    };
    if !address.ip().is_loopback() {
        let hint = "keep it on 127.0.0.1, or let only the Prometheus server through the firewall";
        report.warn(&spot, "whoever reaches it reads names of brokers, links and meters", hint);
    }
    Some(address)
}

/// When the daily job begins, ms after midnight: 03:00.
pub const LEARNING_AT_MS: i64 = 3 * 3_600_000;

/// How far back it looks: 28 days. Source: rule catalogue, 3.2.
pub const LEARNING_WINDOW: Duration = Duration::from_secs(28 * 86_400);

/// Checks `[learning]`.
pub fn learning(typed: &typed::Learning, at: &Spot, report: &mut Report) -> Learning {
    let at_ms = typed.at.as_deref().map_or(Some(LEARNING_AT_MS), clock_ms).unwrap_or_else(|| {
        report.error(&at.key("at"), "this is no time of day", "at = \"03:00\"");
        LEARNING_AT_MS
    });
    // Fewer than 14 days teach nothing, whatever they hold.
    let bounds = Bounds(Duration::from_secs(14 * 86_400), Duration::from_secs(366 * 86_400));
    let window = must::duration(typed.window, LEARNING_WINDOW, bounds, &at.key("window"), report);
    Learning { on: typed.on.unwrap_or(true), at_ms, window }
}
