//! A native message as a whole: one reading, a list of them, or an envelope around many. Pure.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::native::{About, Item, Key, Part, end_single};
use super::sink::Sink;
use crate::sources::reject::Reject;

/// What is known of a message between its keys, and between two passes over it.
#[derive(Debug, Default)]
pub(super) struct Document<'de> {
    pub(super) envelope: About<'de>,
    pub(super) columns: Option<Vec<Key>>,
    /// Whether readings were met whose envelope was not complete yet.
    again: bool,
}

impl<'de> Document<'de> {
    /// Reads a whole message into `sink`.
    pub(super) fn read(payload: &'de [u8], sink: &mut Sink<'_>) -> Result<(), serde_json::Error> {
        let mut document = Document::default();
        document.pass(payload, sink)?;
        if document.again {
            // What holds for all readings stood behind them.
            sink.start_over();
            document.pass(payload, sink)?;
        }
        Ok(())
    }

    fn pass(&mut self, payload: &'de [u8], sink: &mut Sink<'_>) -> Result<(), serde_json::Error> {
        let mut from = serde_json::Deserializer::from_slice(payload);
        Top { second: std::mem::take(&mut self.again), document: self, sink }.deserialize(&mut from)?;
        from.end()
    }
}

struct Top<'s, 'k, 'de> {
    document: &'s mut Document<'de>,
    sink: &'s mut Sink<'k>,
    second: bool,
}

impl<'de> DeserializeSeed<'de> for Top<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reading or a list of readings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        Items { document: self.document, sink: self.sink, rows: false }.visit_seq(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Top { document, sink, second } = self;
        let (mut many, mut met, mut skipped) = (false, false, false);
        sink.begin();
        while let Some(key) = map.next_key::<Key>()? {
            if !many && matches!(key, Key::Readings | Key::Columns | Key::Rows) {
                many = true;
                refuse_stray(sink);
            }
            match key {
                Key::Columns => {
                    document.columns = Some(map.next_value::<Names>()?.0);
                    document.again |= met && !second;
                }
                Key::Rows if document.columns.is_none() => {
                    map.next_value::<IgnoredAny>()?;
                    (met, skipped) = (true, true);
                }
                Key::Readings | Key::Rows => {
                    map.next_value_seed(Items { document, sink, rows: key == Key::Rows })?;
                    met = true;
                }
                Key::Quantity(_) | Key::Channel(_) if many => {
                    map.next_value::<IgnoredAny>()?;
                    sink.refuse(stray());
                }
                key => {
                    map.next_value_seed(Part { key, about: &mut document.envelope, sink })?;
                    document.again |= met && !second && key != Key::Other;
                }
            }
        }
        if !many {
            end_single(&document.envelope, sink);
        } else if !met {
            sink.refuse(Reject::Shape { why: "columns without rows".into() });
        } else if skipped && document.columns.is_none() {
            sink.refuse(Reject::Shape { why: "rows without columns".into() });
        }
        Ok(())
    }
}

/// Values beside `readings` belong to nobody.
fn refuse_stray(sink: &mut Sink<'_>) {
    let any = sink.has_any();
    sink.cancel();
    if any {
        sink.refuse(stray());
    }
}

fn stray() -> Reject {
    Reject::Shape { why: "values beside readings: whose are they?".into() }
}

/// A list of readings or of rows.
pub(super) struct Items<'s, 'k, 'de> {
    pub(super) document: &'s Document<'de>,
    pub(super) sink: &'s mut Sink<'k>,
    pub(super) rows: bool,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of readings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let columns = self.document.columns.as_deref().filter(|_| self.rows);
        let envelope = &self.document.envelope;
        while list.next_element_seed(Item { sink: &mut *self.sink, envelope, columns })?.is_some() {}
        Ok(())
    }
}

/// The names of columns.
pub(super) struct Names(pub(super) Vec<Key>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::deserialize(from).map(Names)
    }
}
