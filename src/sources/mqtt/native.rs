//! The native JSON, decoded in one pass without a tree and without allocation. Pure.
//!
//! A reading is an object. Every key may be left out; `null` counts as left out; unknown keys are passed over.
//!
//! | key | is |
//! |---|---|
//! | `ts` | measuring time: milliseconds since 1970, or ISO 8601 with zone. Left out: the receive time, and the reading is marked so |
//! | `meter` | the meter, where the topic captures none; its whole id `site/meter` will do. Beside a captured one it is the serial number and is passed over |
//! | `site` | the site, where the topic captures none |
//! | `q` | quality: `"good"`; anything else marks the reading as doubtful: kept, never judged |
//! | `backfill` | `true`: sent later than measured, on purpose |
//! | `seq` | the sender's own count: where it begins anew, the sender was started again; not asked of back-fill |
//! | `u` `i` | voltage, V; current, A |
//! | `p` `rp` `s` | active power, kW; reactive power, kvar; apparent power, kVA |
//! | `pf` `f` | power factor, 1; frequency, Hz |
//! | `ep` `er` `et` | energy consumed, fed back, both together, kWh |
//!
//! A quantity is a number (the meter as a whole), or a list: up to three numbers are the phases L1, L2, L3; four are the
//! whole and then the phases. `u1`, `u2`, `u3` and so on name a phase by itself. A value that is no number (a text, say)
//! is rejected by itself, and the rest of the reading is kept.
//!
//! Many readings in one message:
//!
//! ```json
//! [{"meter":"m1","ts":1661789400000,"p":35.2}, {"meter":"m2","ts":1661789400000,"p":0.1}]
//! {"site":"s1","readings":[{"meter":"m1","ts":1661789400000,"p":35.2}]}
//! {"site":"s1","columns":["meter","ts","p","ep"],"rows":[["m1",1661789400000,35.2,103245.67]]}
//! ```
//!
//! What stands beside `readings` or `rows` holds for each of them that does not say otherwise. The last form is the
//! cheapest to send and to read. A bad reading of many is rejected by itself.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::loose::Loose;
use super::moment;
use super::names::{Who, shape};
use super::sink::{Sink, dated};
use crate::model::quantity::{Channel, Phase, Quantity};
use crate::model::reading::Quality;
use crate::sources::reject::Reject;

/// A key of the native JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Key {
    Ts,
    Meter,
    Site,
    Q,
    Backfill,
    Seq,
    Readings,
    Columns,
    Rows,
    Quantity(Quantity),
    Channel(Channel),
    Other,
}

impl Key {
    pub(super) fn of(text: &str) -> Key {
        match text {
            "ts" => Key::Ts,
            "meter" => Key::Meter,
            "site" => Key::Site,
            "q" => Key::Q,
            "backfill" => Key::Backfill,
            "seq" => Key::Seq,
            "readings" => Key::Readings,
            "columns" => Key::Columns,
            "rows" => Key::Rows,
            _ => quantity(text).map_or_else(|| phase(text).map_or(Key::Other, Key::Channel), Key::Quantity),
        }
    }
}

fn quantity(text: &str) -> Option<Quantity> {
    Some(match text {
        "u" => Quantity::Voltage,
        "i" => Quantity::Current,
        "p" => Quantity::ActivePower,
        "rp" => Quantity::ReactivePower,
        "s" => Quantity::ApparentPower,
        "pf" => Quantity::PowerFactor,
        "f" => Quantity::Frequency,
        "ep" => Quantity::EnergyImport,
        "er" => Quantity::EnergyExport,
        "et" => Quantity::EnergyTotal,
        _ => return None,
    })
}

fn phase(text: &str) -> Option<Channel> {
    let phase = match text.as_bytes().last()? {
        b'1' => Phase::L1,
        b'2' => Phase::L2,
        b'3' => Phase::L3,
        _ => return None,
    };
    Some(Channel::of(quantity(&text[..text.len() - 1])?, phase))
}

/// Native unit times this gives the channel's unit.
const fn scale(quantity: Quantity) -> f64 {
    match quantity {
        Quantity::ActivePower | Quantity::ReactivePower | Quantity::ApparentPower => 1000.0,
        _ => 1.0,
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E>(self, text: &str) -> Result<Key, E> {
                Ok(Key::of(text))
            }
        }
        from.deserialize_identifier(Text)
    }
}

/// What holds for a reading besides its values.
#[derive(Clone, Debug, Default)]
pub(super) struct About<'de> {
    site: Option<Cow<'de, str>>,
    meter: Option<Cow<'de, str>>,
    ts: Option<Loose<'de>>,
    quality: Quality,
    seq: Option<NonZeroU32>,
}

impl<'de> About<'de> {
    /// Takes what stands under `key`.
    pub(super) fn set(&mut self, key: Key, found: Loose<'de>) {
        match (key, found) {
            (_, Loose::Null) => {}
            (Key::Ts, found) => self.ts = Some(found),
            (Key::Meter, Loose::Text(name)) => self.meter = Some(name),
            (Key::Meter, Loose::Int(n)) => self.meter = Some(Cow::Owned(n.to_string())),
            (Key::Site, Loose::Text(name)) => self.site = Some(name),
            (Key::Q, Loose::Text(q)) if q == "good" => {}
            (Key::Q, _) => self.quality = self.quality.with(Quality::DOUBTFUL),
            (Key::Backfill, Loose::Bool(true)) => self.quality = self.quality.with(Quality::BACKFILL),
            (Key::Seq, Loose::Int(n)) => {
                self.seq = u32::try_from(n).ok().and_then(|n| NonZeroU32::new(n.wrapping_add(1)));
            }
            _ => {}
        }
    }

    /// Ends the open reading.
    fn end(&self, sink: &mut Sink<'_>) {
        let captured = sink.captures;
        let who = Who {
            site: captured.site.or(self.site.as_deref()),
            meter: captured.meter.or(self.meter.as_deref()),
            device: captured.device,
        };
        let at = self.time(sink);
        // What was sent later has a later count than its time would have.
        sink.seq(self.seq.filter(|_| !self.quality.has(Quality::BACKFILL)));
        sink.end(who, at, self.quality);
    }

    fn time(&self, sink: &Sink<'_>) -> Result<Option<crate::model::time::UtcMs>, Reject> {
        match &self.ts {
            None => Ok(None),
            Some(Loose::Text(text)) => dated(moment::from_iso(text, None, sink.received), text),
            Some(other) => match other.number().and_then(moment::from_ms) {
                Some(at) => Ok(Some(at)),
                None => dated(None, &other.to_string()),
            },
        }
    }
}

/// A value of a phase, or of the whole, into the open reading; for the whole a list of phases will do.
pub(super) struct Values<'s, 'k> {
    pub(super) sink: &'s mut Sink<'k>,
    pub(super) channel: Channel,
}

impl Values<'_, '_> {
    fn put(self, found: &Loose<'_>) {
        put(self.sink, self.channel, found);
    }
}

fn put(sink: &mut Sink<'_>, channel: Channel, found: &Loose<'_>) {
    match found.number() {
        Some(number) => put_number(sink, channel, number),
        None if *found == Loose::Null => {}
        None => sink.bad_value(channel, &found.to_string()),
    }
}

fn put_number(sink: &mut Sink<'_>, channel: Channel, number: f64) {
    sink.value(channel, number * scale(channel.quantity()));
}

/// Visits everything that is no list and no map: numbers as such, all else as [`Loose`] does.
macro_rules! scalars {
    (|$this:ident, $number:ident| $numeric:expr, |$found:ident| $other:expr) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            let ($this, $found) = (self, &Loose::Null);
            Ok($other)
        }
        fn visit_bool<E>(self, b: bool) -> Result<(), E> {
            let ($this, $found) = (self, &Loose::Bool(b));
            Ok($other)
        }
        fn visit_i64<E>(self, n: i64) -> Result<(), E> {
            let ($this, $number) = (self, n as f64);
            Ok($numeric)
        }
        fn visit_u64<E>(self, n: u64) -> Result<(), E> {
            let ($this, $number) = (self, n as f64);
            Ok($numeric)
        }
        fn visit_f64<E>(self, $number: f64) -> Result<(), E> {
            let $this = self;
            Ok($numeric)
        }
        fn visit_str<E>(self, text: &str) -> Result<(), E> {
            let ($this, $found) = (self, &Loose::Text(Cow::Borrowed(text)));
            Ok($other)
        }
    };
}

impl<'de> DeserializeSeed<'de> for Values<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_, '_> {
    type Value = ();

    scalars!(|this, number| put_number(this.sink, this.channel, number), |found| this.put(found));

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.channel.phase() != Phase::Total {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            self.put(&Loose::List);
            return Ok(());
        }
        let mut all = [Loose::Null, Loose::Null, Loose::Null, Loose::Null];
        let mut n = 0;
        while let Some(found) = list.next_element::<Loose<'de>>()? {
            if let Some(slot) = all.get_mut(n) {
                *slot = found;
            }
            n += 1;
        }
        let phases: &[Phase] = match n {
            0..=3 => &[Phase::L1, Phase::L2, Phase::L3],
            4 => &[Phase::Total, Phase::L1, Phase::L2, Phase::L3],
            _ => &[],
        };
        let quantity = self.channel.quantity();
        phases
            .iter()
            .zip(&all)
            .for_each(|(phase, found)| put(self.sink, Channel::of(quantity, *phase), found));
        if n > 4 {
            self.sink.bad_value(self.channel, &format!("a list of {n}"));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.put(&Loose::Map);
        Ok(())
    }
}

/// What stands under one key of a reading, or in one cell of a row.
pub(super) struct Part<'s, 'k, 'de> {
    pub(super) key: Key,
    pub(super) about: &'s mut About<'de>,
    pub(super) sink: &'s mut Sink<'k>,
}

impl<'de> DeserializeSeed<'de> for Part<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        match self.key {
            Key::Quantity(quantity) => {
                Values { sink: self.sink, channel: Channel::of(quantity, Phase::Total) }.deserialize(from)
            }
            Key::Channel(channel) => Values { sink: self.sink, channel }.deserialize(from),
            Key::Ts | Key::Meter | Key::Site | Key::Q | Key::Backfill | Key::Seq => {
                self.about.set(self.key, Loose::deserialize(from)?);
                Ok(())
            }
            Key::Readings | Key::Columns | Key::Rows | Key::Other => {
                IgnoredAny::deserialize(from).map(|_| ())
            }
        }
    }
}

/// A reading among others: an object, or with `columns` a row of cells.
pub(super) struct Item<'s, 'k, 'de> {
    pub(super) sink: &'s mut Sink<'k>,
    pub(super) envelope: &'s About<'de>,
    pub(super) columns: Option<&'s [Key]>,
}

impl Item<'_, '_, '_> {
    fn refuse(self, found: &Loose<'_>) {
        let wanted = if self.columns.is_some() { "a row is a list" } else { "a reading is an object" };
        self.sink.refuse(shape(&format!("{wanted}, this is {found}")));
    }
}

impl<'de> DeserializeSeed<'de> for Item<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_, '_, 'de> {
    type Value = ();

    scalars!(|this, number| this.refuse(&Loose::Float(number)), |found| this.refuse(found));

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.columns.is_some() {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            self.refuse(&Loose::Map);
            return Ok(());
        }
        let mut about = self.envelope.clone();
        self.sink.begin();
        while let Some(key) = map.next_key::<Key>()? {
            map.next_value_seed(Part { key, about: &mut about, sink: self.sink })?;
        }
        about.end(self.sink);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<(), A::Error> {
        let Some(columns) = self.columns else {
            while cells.next_element::<IgnoredAny>()?.is_some() {}
            self.refuse(&Loose::List);
            return Ok(());
        };
        let mut about = self.envelope.clone();
        self.sink.begin();
        let mut n = 0;
        for key in columns {
            let cell = Part { key: *key, about: &mut about, sink: self.sink };
            if cells.next_element_seed(cell)?.is_none() {
                break;
            }
            n += 1;
        }
        while cells.next_element::<IgnoredAny>()?.is_some() {
            n += 1;
        }
        if n == columns.len() {
            about.end(self.sink);
        } else {
            self.sink.refuse(shape(&format!("a row of {n} cells under {} columns", columns.len())));
        }
        Ok(())
    }
}

/// A single reading at the top of a message.
pub(super) fn end_single(about: &About<'_>, sink: &mut Sink<'_>) {
    about.end(sink);
}
