//! What a link does when all goes well, and when the configuration does not fit.

use std::time::Duration;

use submeterd::config::settings::{Parity, Transport};
use submeterd::journal::AppendError;
use submeterd::model::message::{Delivery, Kind, Message};
use submeterd::model::meter::{RegisterType, WordOrder};
use submeterd::model::quantity::{Channel, Phase, Quantity};
use submeterd::model::time::UtcMs;
use submeterd::sources::modbus::link::LinkError;
use submeterd::sources::modbus::probe::{self, Found};
use submeterd::sources::modbus::status::SlaveState;
use tokio_serial::{SerialPort, SerialStream};

use super::rig::{Rig, link_to, profile, registry, words};
use crate::harness::fake_meter::{Asked, FakeMeter, Framing, Reply};

const VOLTAGE: Channel = Channel::of(Quantity::Voltage, Phase::L1);

/// A meter of floats: 230 V at 0, 35 200 W at 52, 103 kWh at 72; it has nothing between.
fn floats(asked: &Asked) -> Reply {
    let value: f32 = match (asked.address, asked.count) {
        (0, 2) => 229.8,
        (52, 2) => 35_200.0,
        (72, 2) => 103.5,
        _ => return Reply::Exception(2),
    };
    Reply::Words(words(value.to_bits()).to_vec())
}

fn float_profile() -> submeterd::model::meter::Profile {
    profile(&[
        (VOLTAGE, 0, RegisterType::F32, 1.0),
        (Channel::POWER, 52, RegisterType::F32, 1.0),
        (Channel::ENERGY, 72, RegisterType::F32, 1.0),
    ])
}

#[tokio::test]
async fn a_block_refused_for_its_gaps_is_split_and_then_read() {
    let meter = FakeMeter::listen(Framing::Tcp, floats).await;
    let mut profile = float_profile();
    profile.max_gap = 50;
    let mut rig = Rig::start(link_to(&meter, Framing::Tcp), registry(&[1], profile, 50));
    let status = rig.wait_for("scans after the split", |s| s.scans >= 5).await;
    assert_eq!((status.slaves[0].exceptions, status.connects), (1, 1), "it is refused once: {status:?}");
    let whole = [(VOLTAGE, f64::from(229.8_f32)), (Channel::POWER, 35_200.0), (Channel::ENERGY, 103.5)];
    for (_, values) in rig.finish().await {
        assert_eq!(values.unwrap(), whole);
    }
}

#[tokio::test]
async fn a_word_order_that_does_not_fit_is_said_and_nothing_is_changed() {
    let meter = FakeMeter::listen(Framing::Tcp, floats).await;
    let mut profile = float_profile();
    profile.word_order = WordOrder::Little;
    let mut rig = Rig::start(link_to(&meter, Framing::Tcp), registry(&[1], profile, 50));
    let status = rig.wait_for("the verdict", |s| s.slaves[0].state == SlaveState::Implausible).await;
    assert!(status.slaves[0].hint.as_ref().is_some_and(|h| h.contains("other word order")), "{status:?}");
    for (_, values) in rig.finish().await {
        assert_eq!(values.unwrap_err().code(), "implausible", "the bytes are kept, nothing is made of them");
    }
}

#[tokio::test]
async fn each_meter_keeps_its_own_period_on_a_shared_link() {
    let meter = FakeMeter::listen(Framing::Tcp, floats).await;
    let mut registry = registry(&[1, 2, 3], float_profile(), 400);
    registry.meters[1].period_ms = 100;
    let mut rig = Rig::start(link_to(&meter, Framing::Tcp), registry);
    let status = rig.wait_for("scans", |s| s.slaves[0].scans >= 5).await;
    let scans: Vec<_> = status.slaves.iter().map(|s| s.scans).collect();
    assert!((13..=24).contains(&scans[1]) && (4..=6).contains(&scans[2]), "{scans:?}");
    assert!(status.achieved_ms.is_some_and(|ms| (250..=600).contains(&ms)), "{status:?}");
    rig.finish().await;
}

#[tokio::test]
async fn a_link_comes_back_when_its_gateway_does() {
    let meter = FakeMeter::listen(Framing::Tcp, floats).await;
    let link = link_to(&meter, Framing::Tcp);
    drop(meter);
    let mut rig = Rig::start(link.clone(), registry(&[1], float_profile(), 50));
    let status = rig.wait_for("a reason", |s| !s.connected && s.last_error.is_some()).await;
    assert!(status.last_error.unwrap().contains("127.0.0.1"), "it names where it connects to");
    let Transport::Tcp { port, .. } = link.transport else { panic!("it is TCP") };
    let again = FakeMeter::listen_on(port, Framing::Tcp, floats).await;
    rig.wait_for("scans", |s| s.connected && s.scans >= 3).await;
    drop(again);
    rig.finish().await;
}

#[tokio::test]
async fn only_the_journal_ends_a_link() {
    let meter = FakeMeter::listen(Framing::Tcp, floats).await;
    let mut rig = Rig::start(link_to(&meter, Framing::Tcp), registry(&[1], float_profile(), 20));
    rig.wait_for("a scan", |s| s.scans >= 1).await;
    assert!(matches!(rig.break_journal().await, Err(LinkError::Journal { .. })));
}

#[tokio::test]
async fn a_link_waits_for_a_full_journal_and_goes_on_when_there_is_room() {
    const BYTES_MAX: u64 = 1 << 20;
    let meter = FakeMeter::listen(Framing::Tcp, floats).await;
    let registry = registry(&[1], float_profile(), 20);
    let (mut rig, journal) = Rig::start_within(BYTES_MAX, link_to(&meter, Framing::Tcp), registry);
    let mut random = fastrand::Rng::with_seed(1);
    let mut last = 0;
    loop {
        let payload: Vec<u8> = (0..4_096).map(|_| random.u8(..)).collect();
        let message = Message {
            kind: Kind::Tick,
            delivery: Delivery::PLAIN,
            received: UtcMs(0),
            source: "bus",
            topic: "",
            payload: &payload,
        };
        match journal.append_durable(&message).await {
            Ok(offset) => last = offset,
            Err(AppendError::Full { .. }) => break,
            Err(error) => panic!("{error}"),
        }
    }
    // One scan may be on its way to the journal; it is counted, and waits.
    let full = rig.wait_for("a scan", |s| s.scans > 0).await.scans;
    let goes_on = rig.wait_for("more scans", |s| s.scans > full + 1);
    let waits = tokio::time::timeout(Duration::from_millis(300), goes_on).await.is_err();
    assert!(waits, "it goes on reading though nothing can be kept");
    journal.set_keep_from(last);
    rig.wait_for("scans with room again", |s| s.scans > full + 5).await;
}

#[tokio::test]
async fn a_serial_line_is_read_too() {
    let (far, mut near) = SerialStream::pair().unwrap();
    near.set_exclusive(false).unwrap();
    let device = near.name().unwrap();
    // The far end fails when nobody has the near one open, and the link closes and opens it as it likes.
    let _held = std::fs::File::options().read(true).write(true).open(&device).unwrap();
    drop(near);
    let meter = FakeMeter::on_stream(far, |asked| match asked.n {
        // Left over from somebody else, then silence: the line must be quiet again before it is used.
        4 => Reply::Raw(vec![0x55; 40]),
        _ => floats(asked),
    });
    let mut link = link_to(&meter, Framing::Rtu);
    link.transport =
        Transport::Serial { device: device.into(), baud: 115_200, parity: Parity::Even, stop_bits: 1 };
    let mut rig = Rig::start(link, registry(&[1], float_profile(), 50));
    rig.wait_for("scans", |s| s.scans >= 10).await;
    for (_, values) in rig.finish().await {
        assert!(values.unwrap().contains(&(VOLTAGE, f64::from(229.8_f32))));
    }
}

#[tokio::test]
async fn a_probe_shows_every_register_and_a_scan_finds_every_slave() {
    let meter = FakeMeter::listen(Framing::Tcp, |asked| match (asked.unit, asked.address) {
        (3, 52) => Reply::Words(vec![0x7fc0, 0]),
        (3, _) => floats(asked),
        (5, _) => Reply::Exception(1),
        (6, _) => Reply::Exception(11),
        _ => Reply::Silence,
    })
    .await;
    let mut link = link_to(&meter, Framing::Tcp);
    link.retries = 0;
    let probed = probe::probe(&link, 3, &float_profile()).await.unwrap();
    let values: Vec<_> = probed.iter().map(|p| (p.channel, p.value, p.words.len())).collect();
    assert_eq!(
        values,
        [
            (VOLTAGE, Some(f64::from(229.8_f32)), 2),
            (Channel::POWER, None, 2),
            (Channel::ENERGY, Some(103.5), 2)
        ]
    );
    let silent = probe::probe(&link, 4, &float_profile()).await.unwrap_err();
    assert!(silent.to_string().contains("slave 4"), "{silent}");

    let mut asked = Vec::new();
    let found = probe::scan(&link, 2..=6, |unit, _| asked.push(unit)).await.unwrap();
    assert_eq!(found, [(3, Found::Exception(2)), (5, Found::Exception(1))]);
    assert_eq!(asked, [2, 3, 4, 5, 6]);
}
