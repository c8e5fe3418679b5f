//! Real recordings, served again by a fake meter.
//!
//! They lie beside the project and not in it (one forbids copies); where they are not, these tests say so and pass.
//! Time is compressed: the recorded latencies, the second between two reads and the timeout are all divided alike.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use submeterd::model::meter::{Input, Meter, RegisterType};
use submeterd::model::quantity::{Channel, Phase, Quantity};
use submeterd::model::registry::Registry;

use super::rig::{Decoded, Rig, link_to, profile, registry, words};
use crate::harness::fake_meter::{FakeMeter, Framing, Reply};
use crate::harness::pcap::{self, Segment};

const VOLTAGE: Channel = Channel::of(Quantity::Voltage, Phase::L1);
const CURRENT: Channel = Channel::of(Quantity::Current, Phase::L1);
/// What one of the devices has in register 4; nobody knows what it is.
const OTHER: Channel = Channel::of(Quantity::EnergyTotal, Phase::Total);

/// So much faster than it was.
const FASTER: u32 = 40;

/// A read of the recording, and what the people who published it made of it.
#[derive(Clone, Debug, Default)]
struct Row {
    client: String,
    unit: u8,
    address: u16,
    count: u16,
    latency: Option<Duration>,
    words: Vec<u16>,
    values: Vec<(Channel, f64)>,
}

fn recording(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: the recording {} is not here.", path.display());
        return None;
    }
    Some(path)
}

/// The published rows, each with the words that the capture has for it.
fn rows(capture: &[Segment], published: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(published.as_bytes());
    let parsed = reader.deserialize::<HashMap<String, String>>().map(|row| {
        let row = row.unwrap();
        let number = |name: &str| row[name].parse::<f64>().ok();
        let mut out = Row {
            client: row["client"].clone(),
            unit: row["unit"].parse().unwrap(),
            address: row["start"].parse().unwrap(),
            count: row["count"].parse().unwrap(),
            latency: number("latency_ms").map(|ms| Duration::from_secs_f64(ms / 1e3)),
            ..Row::default()
        };
        assert_eq!(out.latency.is_some(), &row["answered"] == "1");
        let values = [(VOLTAGE, "V_volts"), (CURRENT, "I_amps_if_mA"), (Channel::POWER, "P_watts_if_0.1W")];
        out.values = values.iter().filter_map(|(c, name)| Some((*c, number(name)?))).collect();
        let asked_us = (number("t_request_utc_epoch").unwrap() * 1e6).round() as i64;
        if out.latency.is_some() {
            out.words = words_of_answer(capture, &out, asked_us);
        }
        if (out.address, out.latency.is_some()) == (4, true) {
            out.values.push((OTHER, f64::from(out.words[0])));
        }
        out
    });
    parsed.collect()
}

fn words_of_answer(capture: &[Segment], row: &Row, asked_us: i64) -> Vec<u16> {
    let is_request =
        |s: &&Segment| s.to_port == 502 && s.from == row.client && (s.time_us - asked_us).abs() <= 1;
    let request = capture.iter().find(is_request).expect("a row's request is in the capture");
    let answers = capture.iter().filter(|s| s.to_port == request.from_port && s.to == row.client);
    let answer = answers
        .filter(|s| s.time_us >= request.time_us)
        .flat_map(|s| pcap::frames(&s.bytes))
        .find(|frame| frame[..2] == request.bytes[..2])
        .expect("a row's answer is in the capture");
    assert_eq!((answer[6], answer[7]), (row.unit, 4));
    answer[9..].chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect()
}

/// Every kind of read a client did is a meter of its own: `(unit, address, count)`.
fn registry_of(kinds: &[(u8, u16, u16)]) -> Registry {
    let all = [
        (VOLTAGE, 0, RegisterType::U32, 0.01),
        (OTHER, 4, RegisterType::U16, 1.0),
        (CURRENT, 6, RegisterType::U32, 0.001),
        (Channel::POWER, 12, RegisterType::U32, 0.1),
    ];
    let mut registry = registry(&[], profile(&[]), 0);
    registry.profiles.clear();
    for (index, (unit, address, count)) in (0_u32..).zip(kinds) {
        let inside = |r: &&(Channel, u16, RegisterType, f64)| {
            (*address..address + count).contains(&r.1) && (r.0 == OTHER) == (*address == 4)
        };
        let mut profile = profile(&all.iter().filter(inside).copied().collect::<Vec<_>>());
        profile.max_gap = 10;
        registry.profiles.push(profile);
        registry.meters.push(Meter {
            id: format!("site/{unit}-{address}-{count}").into(),
            site: 0,
            gateway: "bus".into(),
            period_ms: 1_000 / FASTER,
            heartbeat_ms: 0,
            ct: 1.0,
            pt: 1.0,
            input: Input::Modbus { link: "bus".into(), unit: *unit, profile: index },
            counting: None,
        });
    }
    registry
}

/// Lets a link read what `client` read, and holds what it journaled against the published values.
async fn replay(client: &str, rows: &[Row]) -> (usize, u64) {
    let mut kinds: BTreeMap<(u8, u16, u16), VecDeque<Row>> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.client == client) {
        kinds.entry((row.unit, row.address, row.count)).or_default().push_back(row.clone());
    }
    let expected = kinds.clone();
    let keys: Vec<_> = kinds.keys().copied().collect();
    let meter = FakeMeter::listen(Framing::Tcp, move |asked| {
        let Some(queue) = kinds.get_mut(&(asked.unit, asked.address, asked.count)) else {
            panic!("nobody asked for {asked:?} in the recording")
        };
        match queue.pop_front() {
            Some(Row { latency: Some(latency), words, .. }) => Reply::Words(words).after(latency / FASTER),
            Some(_) => Reply::Silence,
            // The recording is over.
            None => Reply::Exception(6),
        }
    })
    .await;
    let mut link = link_to(&meter, Framing::Tcp);
    link.timeout = Duration::from_secs(6) / FASTER;
    link.retries = 0;
    link.breaker_pause_max = Duration::from_secs(1) / FASTER;
    let mut rig = Rig::start(link, registry_of(&keys));
    let status =
        rig.wait_for("the end of the recording", |s| s.slaves.iter().all(|own| own.exceptions > 0)).await;
    let decoded = rig.finish().await;
    for (index, key) in (0_u32..).zip(&keys) {
        holds(client, *key, &decoded, index, &expected[key]);
    }
    (decoded.len(), status.slaves.iter().map(|s| s.timeouts).sum())
}

fn holds(client: &str, key: (u8, u16, u16), decoded: &[Decoded], index: u32, rows: &VecDeque<Row>) {
    let own: Vec<_> = decoded.iter().filter(|(meter, _)| *meter == index).collect();
    let answered: Vec<_> = rows.iter().filter(|r| r.latency.is_some()).collect();
    assert_eq!(
        own.len(),
        answered.len(),
        "{client} {key:?}: silence leaves no reading, an answer leaves one"
    );
    for ((_, values), row) in own.iter().zip(answered) {
        let values = values.as_ref().unwrap();
        assert_eq!(values.len(), row.values.len(), "{client} {key:?}");
        for ((channel, value), (_, published)) in values.iter().zip(&row.values) {
            assert!((value - published).abs() < 1e-6, "{client} {key:?} {}: {value}", channel.name());
        }
    }
}

#[tokio::test]
async fn three_recorded_meters_decode_to_what_was_published_and_their_silences_stay_silent() {
    let (Some(capture), Some(published)) =
        (recording("iti_modbus_test.pcap"), recording("iti_modbus_test_decoded.csv"))
    else {
        return;
    };
    let capture = pcap::read(&std::fs::read(capture).unwrap());
    let rows = rows(&capture, &std::fs::read_to_string(published).unwrap());
    let n_silent = rows.iter().filter(|r| r.latency.is_none()).count();
    assert_eq!((rows.len(), n_silent), (1_079, 27));
    let [a, b, c, d] = ["192.168.0.21", "192.168.0.112", "192.168.0.133", "192.168.0.144"];
    let replays = tokio::join!(replay(a, &rows), replay(b, &rows), replay(c, &rows), replay(d, &rows));
    let replays = [replays.0, replays.1, replays.2, replays.3];
    let n_readings: usize = replays.iter().map(|(n, _)| n).sum();
    let n_timeouts: u64 = replays.iter().map(|(_, n)| n).sum();
    assert_eq!((n_readings, n_timeouts), (1_052, 27));
}

/// Answers to every function code there is, exceptions, and frames that a fuzzer made, each in the place of an answer.
#[tokio::test]
async fn recorded_answers_to_other_questions_and_malformed_ones_are_survived() {
    const HONEST: u32 = 123_456;
    let files = ["iti_modbus_test_data_part2.pcap", "iti_fuzz-72.pcap", "icsnpp_modbus_example.pcap"];
    let mut strange = Vec::new();
    for path in files.iter().filter_map(|name| recording(name)) {
        let segments = pcap::read(&std::fs::read(path).unwrap());
        for bytes in segments.into_iter().map(|s| s.bytes) {
            if let Some(pdu) = bytes.get(7..) {
                strange.push(Reply::Pdu(pdu.to_vec()));
            }
            strange.push(Reply::Raw(bytes));
        }
    }
    if strange.is_empty() {
        return;
    }
    let n = strange.len();
    // A well-formed answer of two registers by function code 4 is an answer, whoever gave it.
    let may_be = |reply: &Reply| match reply {
        Reply::Pdu(pdu) if pdu.len() == 6 && pdu[..2] == [4, 4] => {
            Some(f64::from(u32::from_be_bytes([pdu[2], pdu[3], pdu[4], pdu[5]])))
        }
        _ => None,
    };
    let allowed: Vec<f64> = strange.iter().filter_map(may_be).chain([f64::from(HONEST)]).collect();
    let mut strange = VecDeque::from(strange);
    let meter = FakeMeter::listen(Framing::Tcp, move |asked| match strange.pop_front() {
        Some(reply) if asked.n % 2 == 0 => reply,
        Some(reply) => {
            strange.push_front(reply);
            Reply::Words(words(HONEST).to_vec())
        }
        None => Reply::Words(words(HONEST).to_vec()),
    })
    .await;
    let mut link = link_to(&meter, Framing::Tcp);
    link.timeout = Duration::from_millis(30);
    link.breaker_pause_max = Duration::from_millis(5);
    let profile = profile(&[(Channel::POWER, 0, RegisterType::U32, 1.0)]);
    let rig = Rig::start(link, registry(&[1], profile, 2));
    crate::harness::wait::wait_for("every strange answer", super::rig::TIMEOUT, async || {
        (meter.asked().len() > 2 * n + 20).then_some(())
    })
    .await;
    let decoded = rig.finish().await;
    assert!(decoded.len() > n / 2, "{} readings among {n} strange answers", decoded.len());
    for (_, values) in decoded {
        let values = values.unwrap();
        assert!(values.iter().all(|(_, v)| allowed.contains(v)), "{values:?}");
    }
}
