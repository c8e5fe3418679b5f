//! Modbus links: buses and gateways.

use std::path::PathBuf;
use std::time::Duration;

use super::broker::{backoff, host};
use super::must::{self, Bounds, Once};
use crate::config::problem::{Report, Spot};
use crate::config::settings::{Link, Parity, Transport};
use crate::config::typed::daemon::{self as typed, TransportKind};

/// The port of Modbus TCP.
pub const PORT: u16 = 502;
/// Bits a second of most meters as delivered.
pub const BAUD: u32 = 9_600;
/// Speeds that serial ports and meters know.
const BAUDS: [u32; 9] = [1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400];
/// A slave on a bus may think for so long.
pub const TIMEOUT_BUS: Duration = Duration::from_secs(1);
/// Behind a gateway it takes longer: the gateway waits for its own bus.
pub const TIMEOUT_TCP: Duration = Duration::from_secs(3);
/// More tries after a failed request.
pub const RETRIES: u8 = 1;
/// Rest between two requests: many meters need some.
pub const PAUSE: Duration = Duration::from_millis(50);
/// A dead slave is asked again at least so often.
pub const BREAKER: Duration = Duration::from_secs(300);

/// Checks `[[modbus.links]]`.
pub fn check(typed: &[typed::Link], modbus: &Spot, report: &mut Report) -> Vec<Link> {
    let mut links = Vec::with_capacity(typed.len());
    let mut names = Once::new("link");
    let mut buses = Once::new("bus");
    for (i, link) in typed.iter().enumerate() {
        let at = modbus.item("links", i);
        let own = one(link, &at, report);
        names.take(&own.name, &at.key("name"), "every link has a name of its own", report);
        let (bus, key) = match &own.transport {
            Transport::Tcp { host, port } | Transport::RtuOverTcp { host, port, .. } => {
                (format!("{host}:{port}"), "host")
            }
            Transport::Serial { device, .. } => (device.display().to_string(), "device"),
        };
        if !bus.starts_with(':') {
            let hint = "one link a bus: two would talk into each other; put all its meters on the first";
            buses.take(&bus, &at.key(key), hint, report);
        }
        links.push(own);
    }
    links
}

fn one(typed: &typed::Link, at: &Spot, report: &mut Report) -> Link {
    let name = must::id(typed.name.as_ref(), &at.key("name"), "name = \"bus-1\"", report);
    let transport = transport(typed, at, report);
    let is_tcp = matches!(transport, Transport::Tcp { .. });
    let (timeout, from_ms) = if is_tcp { (TIMEOUT_TCP, 100) } else { (TIMEOUT_BUS, 200) };
    let timeout =
        must::duration(typed.timeout, timeout, Bounds::ms(from_ms, 60_000), &at.key("timeout"), report);
    if !is_tcp && timeout < TIMEOUT_BUS {
        let hint = "at least \"1s\" on a bus";
        let what = "a slow answer would be taken for none, and the bus drained again and again";
        report.warn(&at.key("timeout"), what, hint);
    }
    Link {
        name: name.into(),
        transport,
        timeout,
        retries: must::number(typed.retries, RETRIES, (0, 10), &at.key("retries"), report),
        pause: must::duration(typed.pause, PAUSE, Bounds::ms(0, 10_000), &at.key("pause"), report),
        breaker_pause_max: must::duration(
            typed.breaker_pause_max,
            BREAKER,
            Bounds::ms(1_000, 86_400_000),
            &at.key("breaker_pause_max"),
            report,
        ),
        backoff_max: backoff(typed.backoff_max, at, report),
    }
}

fn transport(typed: &typed::Link, at: &Spot, report: &mut Report) -> Transport {
    let serial = typed.transport == Some(TransportKind::Serial);
    let foreign: &[(&str, bool)] = &[
        ("host", serial && typed.host.is_some()),
        ("port", serial && typed.port.is_some()),
        ("device", !serial && typed.device.is_some()),
        ("parity", !serial && typed.parity.is_some()),
        ("stop_bits", !serial && typed.stop_bits.is_some()),
        ("baud", typed.transport == Some(TransportKind::Tcp) && typed.baud.is_some()),
    ];
    for (key, _) in foreign.iter().filter(|(_, is_there)| *is_there && typed.transport.is_some()) {
        let hint = "leave it away, or change transport: tcp, rtu_over_tcp or serial";
        report.error(&at.key(key), "a link of this transport has no such key", hint);
    }
    let Some(kind) = typed.transport else {
        let hint =
            "tcp (Modbus TCP), rtu_over_tcp (a serial device server) or serial (a port of this machine)";
        report.error(&at.key("transport"), "this key is missing", hint);
        return Transport::Tcp { host: "".into(), port: PORT };
    };
    if kind == TransportKind::Serial {
        let device =
            must::text(typed.device.as_ref(), &at.key("device"), "device = \"/dev/ttyUSB0\"", report);
        let parity = typed.parity.unwrap_or(Parity::None);
        let stop_bits = must::number(typed.stop_bits, 1, (1, 2), &at.key("stop_bits"), report);
        return Transport::Serial {
            device: PathBuf::from(device),
            baud: baud(typed, at, report),
            parity,
            stop_bits,
        };
    }
    let host = host(typed.host.as_ref(), &at.key("host"), report).into();
    if kind == TransportKind::RtuOverTcp {
        if typed.port.is_none() {
            let hint = "serial device servers have no usual port: often 4001, 8899 or 26";
            report.error(&at.key("port"), "this key is missing", hint);
        }
        let port = must::number(typed.port, PORT, (1, u16::MAX), &at.key("port"), report);
        return Transport::RtuOverTcp { host, port, baud: baud(typed, at, report) };
    }
    Transport::Tcp { host, port: must::number(typed.port, PORT, (1, u16::MAX), &at.key("port"), report) }
}

fn baud(typed: &typed::Link, at: &Spot, report: &mut Report) -> u32 {
    let baud = typed.baud.unwrap_or(BAUD);
    if !BAUDS.contains(&baud) {
        let all: Vec<_> = BAUDS.iter().map(u32::to_string).collect();
        report.error(&at.key("baud"), format!("{baud} is no speed of a serial port"), all.join(", "));
    }
    baud
}
