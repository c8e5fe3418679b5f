//! From an MQTT message of the journal to readings: finds the subscription, decodes, says what could not be taken. Pure.
//!
//! Of several subscriptions of the message's broker that fit its topic, the first in the registry decodes it.

use jiff::tz::TimeZone;

use super::kept;
use super::mapped::Mapped;
use super::names::Index;
use super::sink::Sink;
use super::topic::{Captures, Pattern};
use super::whole;
use crate::model::mapping::Decoder;
use crate::model::message::{Delivery, Message};
use crate::model::meter::Meter;
use crate::model::reading::{MeterIdx, Offset, ReadingBatch};
use crate::model::registry::Registry;
use crate::sources::reject::Reject;

/// Largest payload that is decoded, bytes: a batch of twenty thousand readings. A larger one is kept, not decoded.
pub const PAYLOAD_BYTES_MAX: usize = 4 << 20;

/// How an HJ 212 frame begins.
const HJ212_START: &[u8] = b"##";

/// Byte order mark that some writers put before JSON.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Readings of a message that carries only what changed, for [`Merge`](super::merge::Merge).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// A value older than this is not filled in, ms.
    pub max_age_ms: u32,
}

/// All decoders of a registry, ready to be used.
#[derive(Debug)]
pub struct Decoders {
    names: Index,
    routes: Vec<Route>,
    mapped: Vec<Mapped>,
    zones: Vec<Option<TimeZone>>,
}

#[derive(Debug)]
struct Route {
    broker: Box<str>,
    pattern: Pattern,
    decoder: Decoder,
}

impl Decoders {
    /// Makes ready what `registry` says. A pattern that is none was refused by the config; here it fits no topic.
    #[must_use]
    pub fn new(registry: &Registry) -> Decoders {
        let routes = registry.subscriptions.iter().filter_map(|s| {
            let pattern = Pattern::parse(&s.pattern).ok()?;
            Some(Route { broker: s.broker.clone(), pattern, decoder: s.decoder.clone() })
        });
        let mapped: Vec<_> = registry.mappings.iter().map(Mapped::new).collect();
        let zones = if mapped.iter().any(Mapped::wants_site_zones) {
            registry.sites.iter().map(|s| TimeZone::get(&s.time_zone).ok()).collect()
        } else {
            Vec::new()
        };
        Decoders { names: Index::new(&registry.meters), routes: routes.collect(), mapped, zones }
    }

    /// Decodes `message`, of one of `meters`, which are those of the registry it was made for; what of it could not be taken goes to `rejects`. Says whether its readings are partial.
    pub fn decode(
        &self,
        meters: &[Meter],
        message: &Message<'_>,
        offset: Offset,
        readings: &mut ReadingBatch,
        rejects: &mut Vec<Reject>,
    ) -> Option<Partial> {
        let Some((captures, decoder)) = self.route(message) else {
            rejects.push(Reject::Topic);
            return None;
        };
        if *decoder == Decoder::Kept {
            rejects.extend(kept::decode(message, offset, meters.len(), readings).err());
            return None;
        }
        let payload = message.payload.strip_prefix(BOM).unwrap_or(message.payload);
        if let Err(reject) = may_decode(message, payload) {
            rejects.push(reject);
            return None;
        }
        let mut sink = Sink::new(self.names.of(meters), captures, message, offset, readings, rejects);
        let mut partial = None;
        match decoder {
            Decoder::Native => whole::decode(payload, &mut sink),
            Decoder::Mapping(index) => {
                let mapped = self.mapped.get(*index as usize)?;
                mapped.decode(payload, &self.zones, &mut sink);
                partial = mapped.partial.map(|max_age_ms| Partial { max_age_ms });
            }
            Decoder::Kept => {}
        }
        sink.finish();
        partial
    }

    /// Index of the one of `meters` with that id (`site/meter`), whatever it is read over.
    #[must_use]
    pub fn meter(&self, meters: &[Meter], id: &str) -> Option<MeterIdx> {
        self.names.of(meters).meter(id)
    }

    fn route<'s, 'm>(&'s self, message: &Message<'m>) -> Option<(Captures<'m>, &'s Decoder)> {
        let own = self.routes.iter().filter(|r| *r.broker == *message.source);
        own.filter_map(|r| Some((r.pattern.captures(message.topic)?, &r.decoder))).next()
    }
}

fn may_decode(message: &Message<'_>, payload: &[u8]) -> Result<(), Reject> {
    let bytes = payload.len();
    if message.delivery.has(Delivery::OVERSIZED) {
        return Err(Reject::Oversized { bytes });
    }
    if bytes > PAYLOAD_BYTES_MAX {
        return Err(Reject::TooLarge { bytes, bytes_max: PAYLOAD_BYTES_MAX });
    }
    if payload.trim_ascii_start().starts_with(HJ212_START) {
        return Err(Reject::NotJson { why: "an HJ 212 frame, which is not read here".into() });
    }
    Ok(())
}
