//! Foreign JSON by a field mapping: pointers, scales, units and forms of time, made ready once. Pure.
//!
//! - `items` leads to the reading, or to a list of readings; where it leads nowhere, the document itself is that. So one
//!   mapping reads a device's answers with and without their wrapper.
//! - A pointer that leads nowhere or to `null` gives no value; of several pointers to one channel the first that gives one
//!   wins. Numbers may be written as texts (`"220.5"`); any other text, and `true` or `false`, is rejected by itself.
//! - Where the total of a power or an energy is asked for and a list of numbers is there, the total is their sum.
//! - Device and time are looked for inside the item first, then in the whole document. A device in the topic wins.
//! - A time that is missing or `null` is the receive time, and the reading is marked so; one that cannot be read rejects it.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::moment;
use super::names::{Who, shape};
use super::sink::{Sink, dated, parser_says};
use crate::model::mapping::{Mapping, TimeField, TimeForm};
use crate::model::quantity::{Channel, Phase, Quantity};
use crate::model::reading::Quality;
use crate::model::time::UtcMs;
use crate::sources::reject::Reject;

/// The word that stands for the zone of the meter's own site.
pub const ZONE_OF_SITE: &str = "site";

/// A mapping, ready to be used.
#[derive(Debug)]
pub(super) struct Mapped {
    items: Pointer,
    device: Option<Pointer>,
    time: Option<Time>,
    fields: Vec<Field>,
    /// Oldest value that may be filled in, ms, if its messages are partial.
    pub(super) partial: Option<u32>,
}

#[derive(Debug)]
struct Field {
    pointer: Pointer,
    channel: Channel,
    scale: Scale,
}

#[derive(Debug)]
struct Time {
    pointer: Pointer,
    form: TimeForm,
    zone: Zone,
}

#[derive(Debug)]
enum Zone {
    None,
    Site,
    Fixed(TimeZone),
}

/// Times or by: 1234.5 Wh / 1000 is exactly 1.2345 kWh, 1234.5 · 0.001 is not.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Times(f64),
    By(f64),
}

impl Scale {
    fn of(scale: f64) -> Scale {
        let by = (1.0 / scale).round();
        if scale.abs() < 1.0 && 1.0 / by == scale { Scale::By(by) } else { Scale::Times(scale) }
    }

    fn apply(self, number: f64) -> f64 {
        match self {
            Scale::Times(x) => number * x,
            Scale::By(x) => number / x,
        }
    }
}

/// A JSON pointer, cut and unescaped.
#[derive(Debug)]
struct Pointer(Box<[Box<str>]>);

impl Pointer {
    fn new(text: &str) -> Pointer {
        let text = text.strip_prefix('/').unwrap_or(text);
        if text.is_empty() {
            return Pointer(Box::default());
        }
        Pointer(text.split('/').map(|t| t.replace("~1", "/").replace("~0", "~").into()).collect())
    }

    fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        let found = self.0.iter().try_fold(document, |at, token| match at {
            Value::Object(map) => map.get(&**token),
            Value::Array(list) => list.get(token.parse::<usize>().ok()?),
            _ => None,
        })?;
        (!found.is_null()).then_some(found)
    }
}

/// Zones of the sites, by their index.
pub(super) type SiteZones = [Option<TimeZone>];

impl Mapped {
    pub(super) fn new(mapping: &Mapping) -> Mapped {
        let field = |f: &crate::model::mapping::Field| Field {
            pointer: Pointer::new(&f.pointer),
            channel: f.channel,
            scale: Scale::of(f.scale),
        };
        Mapped {
            items: Pointer::new(&mapping.items),
            device: mapping.device.as_deref().map(Pointer::new),
            time: mapping.time.as_ref().map(Time::new),
            fields: mapping.fields.iter().map(field).collect(),
            partial: mapping.partial.then_some(mapping.max_age_ms),
        }
    }

    /// Whether it reads local times in the zone of each site.
    pub(super) fn wants_site_zones(&self) -> bool {
        self.time.as_ref().is_some_and(|t| matches!(t.zone, Zone::Site))
    }

    /// Decodes a foreign message into `sink`.
    pub(super) fn decode(&self, payload: &[u8], zones: &SiteZones, sink: &mut Sink<'_>) {
        let document = match serde_json::from_slice::<Value>(payload) {
            Ok(document) => document,
            Err(error) => return sink.refuse(parser_says(&error)),
        };
        match self.items.find(&document).unwrap_or(&document) {
            Value::Array(list) => list.iter().for_each(|item| self.take(item, &document, zones, sink)),
            item => self.take(item, &document, zones, sink),
        }
    }

    fn take(&self, item: &Value, document: &Value, zones: &SiteZones, sink: &mut Sink<'_>) {
        if !item.is_object() && !item.is_array() {
            return sink.refuse(shape("a reading is an object or a list"));
        }
        let name = |pointer: &Pointer| {
            let found = pointer.find(item).or_else(|| pointer.find(document))?;
            found.as_str().map(str::to_owned).or_else(|| found.as_u64().map(|n| n.to_string()))
        };
        let captured = sink.captures;
        let known = captured.device.is_some() || captured.meter.is_some();
        let inside = if known { None } else { self.device.as_ref().and_then(name) };
        let who =
            Who { site: captured.site, meter: captured.meter, device: captured.device.or(inside.as_deref()) };
        let meter = match sink.names.resolve(who) {
            Ok(meter) => meter,
            Err(reject) => return sink.refuse(reject),
        };
        let at = match &self.time {
            Some(time) => {
                let site = zones.get(sink.names.site_of(meter) as usize).and_then(Option::as_ref);
                time.read(item, document, site, sink.received)
            }
            None => Ok(None),
        };
        sink.begin();
        self.fields.iter().for_each(|field| field.take(item, sink));
        sink.end_of(meter, at, Quality::GOOD);
    }
}

impl Field {
    fn take(&self, item: &Value, sink: &mut Sink<'_>) {
        if sink.has(self.channel) {
            return;
        }
        let Some(found) = self.pointer.find(item) else { return };
        match found {
            Value::Array(list) if adds_up(self.channel) => {
                if let Some(sum) = list.iter().map(number).sum::<Option<f64>>().filter(|_| !list.is_empty()) {
                    sink.value(self.channel, self.scale.apply(sum));
                }
            }
            Value::Array(_) | Value::Object(_) => {}
            found => match number(found) {
                Some(number) => sink.value(self.channel, self.scale.apply(number)),
                None => sink.bad_value(self.channel, &found.to_string()),
            },
        }
    }
}

/// Whether the whole is the sum of its phases.
fn adds_up(channel: Channel) -> bool {
    let additive = matches!(
        channel.quantity(),
        Quantity::ActivePower
            | Quantity::ReactivePower
            | Quantity::EnergyImport
            | Quantity::EnergyExport
            | Quantity::EnergyTotal
    );
    additive && channel.phase() == Phase::Total
}

/// A number, or a text that is one.
fn number(found: &Value) -> Option<f64> {
    match found {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => {
            let text = text.trim();
            let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
            if plain { text.parse().ok() } else { None }
        }
        _ => None,
    }
}

impl Time {
    fn new(field: &TimeField) -> Time {
        let zone = match field.zone.as_deref() {
            None => Zone::None,
            Some(ZONE_OF_SITE) => Zone::Site,
            Some(name) => TimeZone::get(name).map_or(Zone::None, Zone::Fixed),
        };
        Time { pointer: Pointer::new(&field.pointer), form: field.form, zone }
    }

    fn read(
        &self,
        item: &Value,
        document: &Value,
        site: Option<&TimeZone>,
        received: UtcMs,
    ) -> Result<Option<UtcMs>, Reject> {
        let Some(found) = self.pointer.find(item).or_else(|| self.pointer.find(document)) else {
            return Ok(None);
        };
        let zone = match &self.zone {
            Zone::None => None,
            Zone::Site => site,
            Zone::Fixed(zone) => Some(zone),
        };
        let at = match self.form {
            TimeForm::Ms => number(found).and_then(moment::from_ms),
            TimeForm::S => number(found).and_then(moment::from_s),
            TimeForm::Iso => found.as_str().and_then(|text| moment::from_iso(text, zone, received)),
        };
        dated(at, found.as_str().unwrap_or(&found.to_string()))
    }
}
