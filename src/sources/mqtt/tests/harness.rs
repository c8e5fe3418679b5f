//! A small registry, and one message through it.

use crate::model::mapping::{Decoder, Field, Mapping, Subscription, TimeField, TimeForm};
use crate::model::message::{Delivery, Kind, Message};
use crate::model::meter::{Input, Meter};
use crate::model::quantity::Channel;
use crate::model::reading::{Quality, ReadingBatch};
use crate::model::registry::Registry;
use crate::model::time::UtcMs;
use crate::sources::mqtt::decode::{Decoders, Partial};
use crate::sources::reject::Reject;

pub const NOW: UtcMs = UtcMs(1_661_789_460_000);
pub const TS: i64 = 1_661_789_400_000;

fn meter(id: &str, device: Option<&str>, ct: f64, pt: f64) -> Meter {
    let input = Input::Mqtt { device: device.map(Into::into) };
    Meter {
        id: id.into(),
        site: 0,
        gateway: "g".into(),
        period_ms: 60_000,
        heartbeat_ms: 0,
        ct,
        pt,
        input,
        counting: None,
    }
}

fn mapping() -> Mapping {
    let field = |pointer: &str, channel: &str, scale| Field {
        pointer: pointer.into(),
        channel: Channel::from_name(channel).unwrap(),
        scale,
    };
    Mapping {
        name: "test".into(),
        items: "/list".into(),
        device: Some("/id".into()),
        time: Some(TimeField { pointer: "/at".into(), form: TimeForm::S, zone: None }),
        fields: vec![
            field("/e/P", "power_w", 1000.0),
            field("/e/P/0", "power_l1_w", 1000.0),
            field("/e/P/1", "power_l2_w", 1000.0),
            field("/u", "voltage_v", 1.0),
            field("/u~1old", "voltage_v", 1.0),
            field("/wh", "energy_import_kwh", 0.001),
        ],
        partial: true,
        max_age_ms: 60_000,
    }
}

pub fn registry() -> Registry {
    let to = |pattern: &str, decoder| Subscription {
        broker: "b".into(),
        pattern: pattern.into(),
        qos: 1,
        decoder,
    };
    Registry {
        meters: vec![
            meter("s1/m1", None, 1.0, 1.0),
            meter("s1/m2", None, 1.0, 1.0),
            meter("s1/ratio", Some("dev"), 40.0, 10.0),
        ],
        subscriptions: vec![
            to("submeter/v1/{site}/{meter}/reading", Decoder::Native),
            to("submeter/v1/{site}/batch", Decoder::Native),
            to("batch", Decoder::Native),
            to("own/{device}", Decoder::Native),
            to("map/{device}", Decoder::Mapping(0)),
            to("map", Decoder::Mapping(0)),
        ],
        mappings: vec![mapping()],
        ..Registry::default()
    }
}

/// A reading: meter, time, values by name.
pub type Seen = (u32, i64, Vec<(&'static str, f64)>);

pub struct Outcome {
    pub readings: ReadingBatch,
    pub rejects: Vec<Reject>,
    pub partial: Option<Partial>,
}

impl Outcome {
    /// Each reading.
    pub fn seen(&self) -> Vec<Seen> {
        let values = |v: &[(Channel, f64)]| v.iter().map(|(c, x)| (c.name(), *x)).collect();
        self.readings.iter().map(|(h, v)| (h.meter, h.time.0, values(v))).collect()
    }

    pub fn codes(&self) -> Vec<&'static str> {
        self.rejects.iter().map(Reject::code).collect()
    }

    pub fn quality(&self) -> Quality {
        self.readings.heads()[0].quality
    }
}

pub fn decode_as(topic: &str, payload: &[u8], delivery: Delivery) -> Outcome {
    let message = Message { kind: Kind::Mqtt, delivery, received: NOW, source: "b", topic, payload };
    let (mut readings, mut rejects) = (ReadingBatch::default(), Vec::new());
    let registry = registry();
    let decoders = Decoders::new(&registry);
    let partial = decoders.decode(&registry.meters, &message, 7, &mut readings, &mut rejects);
    Outcome { readings, rejects, partial }
}

pub fn decode(topic: &str, payload: &str) -> Outcome {
    decode_as(topic, payload.as_bytes(), Delivery::PLAIN)
}

pub const ONE: &str = "submeter/v1/s1/m1/reading";
