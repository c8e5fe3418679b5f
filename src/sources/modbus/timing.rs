//! How long a scan takes, so that nobody is promised a period that the bus cannot keep. Pure.

use std::time::Duration;

use super::plan::{self, Block, PlanError};
use crate::config::settings::{Link, Parity, Transport};
use crate::model::meter::{Input, Meter, Profile};
use crate::model::registry::Registry;

/// Until a slave on a bus begins to answer. Assumed; meters take some 10 to 50 ms.
const TURNAROUND: Duration = Duration::from_millis(30);

/// A request over Modbus TCP, there and back. Assumed; three recorded meters took 89 ms in the middle, 40 ms at best.
const TCP_REQUEST: Duration = Duration::from_millis(100);

/// Above 19,200 baud the silence between two frames is fixed.
const SILENCE_MIN: Duration = Duration::from_micros(1_750);

/// Bytes of a request: slave, function, address, count, CRC.
const REQUEST_BYTES: u32 = 8;

/// Bytes of an answer beside the registers: slave, function, length, CRC.
const ANSWER_BYTES: u32 = 5;

/// A slave on a bus gets at least this long: many are busy measuring for several hundred ms.
const RTU_TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// What a link can do and what is asked of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct LinkEstimate {
    /// The link's name.
    pub link: Box<str>,
    /// Meters on it.
    pub n_meters: usize,
    /// Requests in a scan of them all.
    pub n_requests: usize,
    /// A scan of them all.
    pub scan_ms: u64,
    /// The shortest period of its meters; 0 if it has none.
    pub wanted_ms: u32,
    /// Share of the time that the bus is busy when every meter is read by its own period.
    pub load: f64,
    /// Whether all periods can be kept.
    pub kept: bool,
}

/// What can be said of every link before it is opened.
///
/// # Errors
/// A profile has a register that no request can read.
pub fn estimates(links: &[Link], registry: &Registry) -> Result<Vec<LinkEstimate>, PlanError> {
    links.iter().map(|link| estimate(link, registry)).collect()
}

fn estimate(link: &Link, registry: &Registry) -> Result<LinkEstimate, PlanError> {
    let (mut n_meters, mut n_requests, mut scan, mut wanted, mut load) =
        (0, 0, Duration::ZERO, u32::MAX, 0.0);
    for (meter, profile) in meters_on(&link.name, registry) {
        let blocks = plan::plan(profile)?;
        let own = meter_time(link, profile, &blocks);
        n_meters += 1;
        n_requests += blocks.len();
        scan += own;
        wanted = wanted.min(meter.period_ms);
        load += own.as_secs_f64() * 1e3 / f64::from(meter.period_ms.max(1));
    }
    Ok(LinkEstimate {
        link: link.name.clone(),
        n_meters,
        n_requests,
        scan_ms: u64::try_from(scan.as_millis()).unwrap_or(u64::MAX),
        wanted_ms: if n_meters == 0 { 0 } else { wanted },
        load,
        kept: load <= 1.0,
    })
}

/// The meters of a link, each with its profile.
pub fn meters_on<'a>(
    link: &'a str,
    registry: &'a Registry,
) -> impl Iterator<Item = (&'a Meter, &'a Profile)> {
    registry.meters.iter().filter_map(move |meter| match &meter.input {
        Input::Modbus { link: own, profile, .. } if **own == *link => {
            Some((meter, registry.profiles.get(*profile as usize)?))
        }
        _ => None,
    })
}

/// How long one meter keeps the bus.
#[must_use]
pub fn meter_time(link: &Link, profile: &Profile, blocks: &[Block]) -> Duration {
    let rest = rest(link, profile.pause_ms);
    let answer = if is_bus(&link.transport) { TURNAROUND } else { TCP_REQUEST };
    blocks.iter().map(|block| wire_time(&link.transport, block.count) + answer + rest).sum()
}

/// Request and answer on the wire, with the silence between them; nothing over Modbus TCP.
#[must_use]
pub fn wire_time(transport: &Transport, registers: u16) -> Duration {
    let Some(character) = character_time(transport) else { return Duration::ZERO };
    character * (REQUEST_BYTES + ANSWER_BYTES + 2 * u32::from(registers)) + silence(transport)
}

/// Rest between two requests: what link and profile ask for, and at least the silence that ends a frame.
#[must_use]
pub fn rest(link: &Link, pause_ms: u16) -> Duration {
    link.pause.max(Duration::from_millis(u64::from(pause_ms))).max(silence(&link.transport))
}

/// How long an answer is waited for. What the characters themselves take comes on top: at 1,200 baud a full answer
/// alone is longer than two seconds.
#[must_use]
pub fn timeout(link: &Link, registers: u16) -> Duration {
    let patience = if is_bus(&link.transport) { link.timeout.max(RTU_TIMEOUT_MIN) } else { link.timeout };
    patience + wire_time(&link.transport, registers)
}

/// Whether it is RTU, where answers carry no number that tells which request they belong to.
#[must_use]
pub const fn is_bus(transport: &Transport) -> bool {
    !matches!(transport, Transport::Tcp { .. })
}

/// The silence of 3.5 characters that ends a frame.
#[must_use]
pub fn silence(transport: &Transport) -> Duration {
    character_time(transport).map_or(Duration::ZERO, |c| (c * 7 / 2).max(SILENCE_MIN))
}

/// One character: start bit, eight data bits, parity, stop bits. Through a device server it is taken as 11 bits.
fn character_time(transport: &Transport) -> Option<Duration> {
    let (baud, bits) = match transport {
        Transport::Tcp { .. } => return None,
        Transport::RtuOverTcp { baud, .. } => (*baud, 11),
        Transport::Serial { baud, parity, stop_bits, .. } => {
            (*baud, 9 + u32::from(*parity != Parity::None) + u32::from(*stop_bits))
        }
    };
    Some(Duration::from_secs(1) * bits / baud.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::meter::{Coding, Register, RegisterType, Table, WordOrder};
    use crate::model::quantity::Channel;

    fn link(transport: Transport) -> Link {
        Link {
            name: "bus".into(),
            transport,
            timeout: Duration::from_millis(500),
            retries: 1,
            pause: Duration::ZERO,
            breaker_pause_max: Duration::from_secs(60),
            backoff_max: Duration::from_secs(30),
        }
    }

    fn serial(baud: u32, parity: Parity) -> Link {
        link(Transport::Serial { device: "/dev/ttyS1".into(), baud, parity, stop_bits: 1 })
    }

    /// `n` meters with three blocks of 80 registers each.
    fn registry(n: u8, period_ms: u32) -> Registry {
        let register = |block: u16, i: u16| Register {
            channel: Channel::POWER,
            address: block * 200 + i * 4,
            kind: RegisterType::F64,
            scale: 1.0,
            coding: Coding::Plain,
        };
        let profile = Profile {
            name: "long".into(),
            table: Table::Input,
            word_order: WordOrder::Big,
            max_registers: 80,
            even_counts: true,
            max_gap: 0,
            pause_ms: 0,
            secondary_side: false,
            registers: (0..3).flat_map(|b| (0..20).map(move |i| register(b, i))).collect(),
        };
        let meter = |unit: u8| Meter {
            id: format!("site/{unit}").into(),
            site: 0,
            gateway: "bus".into(),
            period_ms,
            heartbeat_ms: 0,
            ct: 1.0,
            pt: 1.0,
            input: Input::Modbus { link: "bus".into(), unit, profile: 0 },
            counting: None,
        };
        Registry { meters: (1..=n).map(meter).collect(), profiles: vec![profile], ..Registry::default() }
    }

    #[test]
    fn thirty_two_meters_at_9600_baud_take_20_to_25_seconds() {
        for parity in [Parity::None, Parity::Even] {
            let estimate = &estimates(&[serial(9_600, parity)], &registry(32, 30_000)).unwrap()[0];
            assert_eq!((estimate.n_meters, estimate.n_requests), (32, 96));
            assert!((20_000..25_000).contains(&estimate.scan_ms), "{parity:?}: {} ms", estimate.scan_ms);
            assert!(estimate.kept, "a period of 30 s can be kept");
            let hasty = &estimates(&[serial(9_600, parity)], &registry(32, 1_000)).unwrap()[0];
            assert!(!hasty.kept && hasty.load > 20.0 && hasty.wanted_ms == 1_000, "{hasty:?}");
        }
        let slow = &estimates(&[serial(1_200, Parity::None)], &registry(32, 30_000)).unwrap()[0];
        assert!(slow.scan_ms > 140_000 && !slow.kept, "1,200 baud is eight times slower: {slow:?}");
    }

    #[test]
    fn meters_with_long_periods_do_not_count_as_if_read_at_the_shortest() {
        let mut registry = registry(32, 60_000);
        registry.meters[0].period_ms = 5_000;
        let estimate = &estimates(&[serial(9_600, Parity::None)], &registry).unwrap()[0];
        assert!(estimate.kept && estimate.wanted_ms == 5_000, "{estimate:?}");
    }

    #[test]
    fn over_tcp_each_request_counts_the_same() {
        let tcp = link(Transport::Tcp { host: "gateway".into(), port: 502 });
        let estimate = &estimates(std::slice::from_ref(&tcp), &registry(3, 1_000)).unwrap()[0];
        assert_eq!((estimate.scan_ms, estimate.kept), (900, true));
        assert_eq!(timeout(&tcp, 80), Duration::from_millis(500));
    }

    #[test]
    fn a_slow_bus_gets_its_characters_on_top_of_the_timeout() {
        let full = timeout(&serial(1_200, Parity::None), 125);
        assert!(full > Duration::from_secs(3), "{full:?}");
    }
}
