//! What can go wrong on the wire never becomes a wrong value.

use std::time::{Duration, Instant};

use submeterd::model::meter::RegisterType;
use submeterd::model::quantity::{Channel, Phase, Quantity};
use submeterd::sources::modbus::status::SlaveState;

use super::rig::{Decoded, Rig, link_to, profile, registry, words};
use crate::harness::fake_meter::{Asked, FakeMeter, Framing, Reply};

/// Three blocks of the same length, so that one could be taken for the other, each in a channel of its own.
const BLOCKS: [(Channel, u16); 3] = [
    (Channel::POWER, 100),
    (Channel::of(Quantity::ReactivePower, Phase::Total), 200),
    (Channel::of(Quantity::ApparentPower, Phase::Total), 300),
];

/// What a register says: slave, address, and which request it was asked by.
fn honest(asked: &Asked) -> Vec<u16> {
    let n = u32::try_from(asked.n).unwrap();
    words(u32::from(asked.unit) * 100_000_000 + u32::from(asked.address) * 100_000 + n % 100_000).to_vec()
}

fn three_blocks(units: &[u8], period_ms: u32) -> submeterd::model::registry::Registry {
    registry(
        units,
        profile(&BLOCKS.map(|(channel, address)| (channel, address, RegisterType::U32, 1.0))),
        period_ms,
    )
}

/// Every value came from the slave and the block it stands for.
fn all_are_honest(decoded: &[Decoded], units: &[u8]) -> usize {
    let mut n = 0;
    for (meter, values) in decoded {
        for (channel, value) in values.as_ref().unwrap() {
            let (_, address) = BLOCKS.iter().find(|(c, _)| c == channel).unwrap();
            let whose = (value / 100_000.0).floor();
            let expected = f64::from(units[*meter as usize]) * 1_000.0 + f64::from(*address);
            assert_eq!(whose, expected, "{} of slave {}", channel.name(), units[*meter as usize]);
            n += 1;
        }
    }
    n
}

fn noise(n: usize) -> u64 {
    fastrand::Rng::with_seed(n as u64).u64(0..100)
}

#[tokio::test]
async fn a_reply_delayed_past_the_timeout_never_becomes_a_wrong_value_over_tcp() {
    let units = [1, 2];
    let meter = FakeMeter::listen(Framing::Tcp, |asked| match noise(asked.n) {
        0..15 => Reply::Words(honest(asked)).after(Duration::from_millis(110 + noise(asked.n + 7_000) * 3)),
        15..25 => Reply::Words(honest(asked)).after(Duration::from_millis(97)),
        _ => Reply::Words(honest(asked)),
    })
    .await;
    let mut rig = Rig::start(link_to(&meter, Framing::Tcp), three_blocks(&units, 20));
    let status = rig.wait_for("scans with late answers", |s| {
        s.scans >= 45 && s.slaves.iter().all(|own| own.timeouts >= 3)
    });
    let status = status.await;
    assert!(status.connects > 5, "a timeout drops the connection: {status:?}");
    let decoded = rig.finish().await;
    assert!(all_are_honest(&decoded, &units) >= 80);
}

/// The device server hands late answers to whoever is connected by then, and there is nothing in them that tells.
#[tokio::test]
async fn a_reply_delayed_past_the_timeout_never_becomes_a_wrong_value_over_rtu_over_tcp() {
    let units = [1, 2];
    // The timeout on a bus is a second; answers are late by a little, by nearly another timeout, and by more than two.
    let late_ms = |asked: &Asked| match asked.n {
        4 => 1_050,
        9 => 1_900,
        17 => 2_600,
        _ => 0,
    };
    let meter = FakeMeter::listen(Framing::Rtu, move |asked| match late_ms(asked) {
        0 => Reply::Words(honest(asked)),
        ms => Reply::Words(honest(asked)).after(Duration::from_millis(ms)),
    })
    .await;
    let mut rig = Rig::start(link_to(&meter, Framing::Rtu), three_blocks(&units, 100));
    let asked_all = |s: &submeterd::sources::modbus::status::LinkStatus| {
        s.scans >= 20 && s.slaves.iter().map(|own| own.timeouts).sum::<u64>() >= 3
    };
    rig.wait_for("scans with late answers", asked_all).await;
    let decoded = rig.finish().await;
    assert!(all_are_honest(&decoded, &units) >= 50);
}

#[tokio::test]
async fn without_retries_an_answer_may_be_later_than_two_timeouts() {
    let meter = FakeMeter::listen(Framing::Rtu, |asked| match asked.n {
        // The second block of the second scan; it comes while the third scan runs.
        4 => Reply::Words(honest(asked)).after(Duration::from_millis(2_450)),
        _ => Reply::Words(honest(asked)).after(Duration::from_millis(60)),
    })
    .await;
    let mut link = link_to(&meter, Framing::Rtu);
    link.retries = 0;
    let mut rig = Rig::start(link, three_blocks(&[1], 1_200));
    rig.wait_for("scans around a very late answer", |s| s.scans >= 5 && s.slaves[0].timeouts >= 1).await;
    all_are_honest(&rig.finish().await, &[1]);
}

async fn serve_garbled(framing: Framing, garbled: fn(&Asked) -> Reply, n_garbled: u64) {
    let meter = FakeMeter::listen(framing, garbled).await;
    let mut rig = Rig::start(link_to(&meter, framing), three_blocks(&[1], 20));
    rig.wait_for("scans among garbled answers", |s| s.scans >= 14 && s.slaves[0].garbled >= n_garbled).await;
    let n = all_are_honest(&rig.finish().await, &[1]);
    assert!(n >= 36, "{framing:?}: {n} values");
}

#[tokio::test]
async fn garbled_answers_over_tcp_are_refused_and_what_is_asked_next_is_answered() {
    let garbled = |asked: &Asked| match asked.n {
        3 => Reply::BadSum(honest(asked)),
        6 => Reply::OtherUnit(9, honest(asked)),
        9 => Reply::Words(vec![1]),
        12 => Reply::Words(vec![1; 125]),
        15 => Reply::Close,
        18 => Reply::Both(Box::new(Reply::Words(honest(asked))), Box::new(Reply::Words(vec![0, 1]))),
        21 => Reply::Pdu(vec![3, 4, 0, 0, 0, 1]),
        24 => Reply::Pdu(vec![4]),
        27 => Reply::Pdu(vec![0x84]),
        _ => Reply::Words(honest(asked)),
    };
    serve_garbled(Framing::Tcp, garbled, 6).await;
}

/// After each of them the slave is given a second in which its own answer may still come.
#[tokio::test]
async fn garbled_answers_over_rtu_are_refused_and_what_is_asked_next_is_answered() {
    let garbled = |asked: &Asked| match asked.n {
        3 => Reply::BadSum(honest(asked)),
        7 => Reply::OtherUnit(9, honest(asked)),
        11 => Reply::Words(vec![1; 125]),
        15 => Reply::Close,
        18 => Reply::Both(Box::new(Reply::Words(honest(asked))), Box::new(Reply::Words(vec![0, 1]))),
        _ => Reply::Words(honest(asked)),
    };
    serve_garbled(Framing::Rtu, garbled, 2).await;
}

#[tokio::test]
async fn silence_is_missing_and_leaves_nothing_in_the_journal() {
    let meter = FakeMeter::listen(Framing::Tcp, |asked| match (asked.unit, asked.address) {
        (1, _) => Reply::Silence,
        (2, 200) => Reply::Exception(4),
        _ => Reply::Words(honest(asked)),
    })
    .await;
    let units = [1, 2];
    let mut rig = Rig::start(link_to(&meter, Framing::Tcp), three_blocks(&units, 50));
    let status = rig
        .wait_for("a silent slave", |s| s.slaves[0].state == SlaveState::Paused && s.slaves[1].scans > 5)
        .await;
    assert_eq!((status.slaves[0].scans, status.slaves[0].last_ok), (0, None));
    assert_eq!(status.slaves[1].state, SlaveState::Ok);
    assert!(status.slaves[1].last_error.as_ref().is_some_and(|e| e.contains("device failure")), "{status:?}");
    let decoded = rig.finish().await;
    all_are_honest(&decoded, &units);
    for (meter, values) in &decoded {
        let channels: Vec<_> = values.as_ref().unwrap().iter().map(|(c, _)| *c).collect();
        assert_eq!((*meter, channels), (1, vec![BLOCKS[0].0, BLOCKS[2].0]), "what was refused is missing");
    }
}

#[tokio::test]
async fn a_dead_slave_does_not_slow_its_neighbours() {
    let units = [1, 2, 3, 4, 5];
    let answer = |asked: &Asked| match asked.unit {
        3 => Reply::Silence,
        _ => Reply::Words(honest(asked)).after(Duration::from_millis(4)),
    };
    let meter = FakeMeter::listen(Framing::Tcp, answer).await;
    let mut rig = Rig::start(link_to(&meter, Framing::Tcp), three_blocks(&units, 200));
    let begun = Instant::now();
    let status = rig.wait_for("twenty scans of slave 1", |s| s.slaves[0].scans >= 20).await;
    let took = begun.elapsed();
    // Twenty scans at 200 ms are 3.8 s from the first to the last.
    assert!(took < Duration::from_millis(4_700), "20 scans took {took:?}");
    for own in status.slaves.iter().filter(|own| own.unit != 3) {
        assert!(own.scans >= 17, "{own:?}");
    }
    let dead = &status.slaves[2];
    assert_eq!((dead.state, dead.scans), (SlaveState::Paused, 0));
    // First with its retry, then once after 0.4, 0.8, 1.6 and 2 s: without the breaker it were about 40.
    assert!((3..=7).contains(&dead.timeouts), "{dead:?}");
    println!("20 scans of 200 ms beside a dead slave took {took:?}; it was asked {} times", dead.timeouts);
    all_are_honest(&rig.finish().await, &units);
}
