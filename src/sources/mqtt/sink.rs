//! Where decoders put what they find: readings that are whole, and the reasons for those that are not. Pure.

use super::moment::{AHEAD_MS_MAX, plausible};
use super::names::{Names, Who};
use crate::model::message::{Delivery, Message};
use crate::model::quantity::Channel;
use crate::model::reading::{MeterIdx, Offset, Quality, ReadingBatch};
use crate::model::time::UtcMs;
use crate::sources::reject::Reject;

use super::topic::Captures;

/// Rejects of one message that are told apart; the rest is one more that says how many. A batch of ten thousand bad
/// readings must not become ten thousand rows.
pub const REJECTS_MAX: usize = 64;

/// Longest part of a payload that a reject quotes, characters.
const QUOTED_MAX: usize = 60;

/// One message's way out.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    pub(super) names: Names<'a>,
    pub(super) captures: Captures<'a>,
    pub(super) received: UtcMs,
    offset: Offset,
    delivered: Quality,
    readings: &'a mut ReadingBatch,
    rejects: &'a mut Vec<Reject>,
    /// Readings and rejects there were before this message.
    before: (usize, usize),
    unlisted: usize,
    /// Whether a reading is begun and neither ended nor refused.
    open: bool,
    seen: u64,
    /// The first value of the open reading that is not a number.
    bad: Option<(Channel, Box<str>)>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        names: Names<'a>,
        captures: Captures<'a>,
        message: &Message<'_>,
        offset: Offset,
        readings: &'a mut ReadingBatch,
        rejects: &'a mut Vec<Reject>,
    ) -> Sink<'a> {
        let retained = message.delivery.has(Delivery::RETAINED);
        Sink {
            names,
            captures,
            received: message.received,
            offset,
            delivered: if retained { Quality::RETAINED } else { Quality::GOOD },
            before: (readings.len(), rejects.len()),
            readings,
            rejects,
            unlisted: 0,
            open: false,
            seen: 0,
            bad: None,
        }
    }

    /// Begins a reading; whose and of when is said at its end.
    pub(super) fn begin(&mut self) {
        self.cancel();
        self.readings.begin(MeterIdx::MAX, self.received, self.received, self.offset, self.delivered);
        (self.open, self.seen, self.bad) = (true, 0, None);
    }

    /// Whether the open reading has that channel already.
    pub(super) fn has(&self, channel: Channel) -> bool {
        self.seen & (1 << channel.index()) != 0
    }

    /// Whether anything of the open reading was a value, good or bad.
    pub(super) fn has_any(&self) -> bool {
        self.seen != 0 || self.bad.is_some()
    }

    /// A value of the open reading. The first of a channel stays.
    pub(super) fn value(&mut self, channel: Channel, value: f64) {
        if !value.is_finite() {
            self.bad_value(channel, &value.to_string());
        } else if self.open && !self.has(channel) {
            self.readings.push_new_value(channel, value);
            self.seen |= 1 << channel.index();
        }
    }

    /// What stands where a value of the open reading should be.
    pub(super) fn bad_value(&mut self, channel: Channel, text: &str) {
        if self.open && self.bad.is_none() {
            self.bad = Some((channel, quote(text)));
        }
    }

    /// Takes the open reading back, if there is one.
    pub(super) fn cancel(&mut self) {
        if std::mem::take(&mut self.open) {
            self.readings.abandon();
        }
    }

    /// Takes the open reading back and says why; without an open one, says why of the message.
    pub(super) fn refuse(&mut self, reject: Reject) {
        self.cancel();
        if self.rejects.len() - self.before.1 < REJECTS_MAX {
            self.rejects.push(reject);
        } else {
            self.unlisted += 1;
        }
    }

    /// The sender's own count, plus one, of the open reading.
    pub(super) fn seq(&mut self, seq: Option<std::num::NonZeroU32>) {
        if let (true, Some((head, _))) = (self.open, self.readings.last_mut()) {
            head.seq = seq;
        }
    }

    /// Ends the open reading: it is kept if meter, time and at least one value are good. `at` = `None`: it has no time of
    /// its own.
    pub(super) fn end(&mut self, who: Who<'_>, at: Result<Option<UtcMs>, Reject>, quality: Quality) {
        match self.names.resolve(who) {
            Ok(meter) => self.end_of(meter, at, quality),
            Err(reject) => self.refuse(reject),
        }
    }

    /// The same for a meter already found.
    pub(super) fn end_of(&mut self, meter: MeterIdx, at: Result<Option<UtcMs>, Reject>, quality: Quality) {
        let (time, quality) = match at {
            Ok(Some(at)) => (at, quality),
            Ok(None) => (self.received, quality.with(Quality::RECEIVE_TIME)),
            Err(reject) => return self.refuse(reject),
        };
        let ahead_ms = time.since(self.received);
        if ahead_ms > AHEAD_MS_MAX {
            return self.refuse(Reject::Future { ahead_ms, limit_ms: AHEAD_MS_MAX });
        }
        let bad = self.bad.take();
        if self.seen == 0 {
            let why =
                bad.map_or_else(|| "none is there".into(), |(c, text)| format!("{} is {text}", c.name()));
            return self.refuse(Reject::NoValue { why: why.into() });
        }
        let Some((head, values)) = self.readings.last_mut() else { return };
        self.names.apply_ratios(meter, values);
        (head.meter, head.time) = (meter, time);
        head.quality = head.quality.with(quality);
        self.open = false;
        if let Some((channel, value)) = bad {
            self.refuse(Reject::Implausible { channel: channel.name(), value });
        }
    }

    /// Takes everything of this message back, to decode it in another way.
    pub(super) fn start_over(&mut self) {
        self.cancel();
        while self.readings.len() > self.before.0 {
            self.readings.abandon();
        }
        self.rejects.truncate(self.before.1);
        self.unlisted = 0;
    }

    /// Nothing more comes.
    pub(super) fn finish(mut self) {
        self.cancel();
        if self.unlisted > 0 {
            let why = format!("{} more parts of this message could not be taken", self.unlisted);
            self.rejects.push(Reject::Shape { why: why.into() });
        }
    }
}

/// A time that was read, or why not.
pub(super) fn dated(at: Option<UtcMs>, text: &str) -> Result<Option<UtcMs>, Reject> {
    at.and_then(plausible).map(Some).ok_or_else(|| Reject::BadTime { text: quote(text) })
}

/// A text of a payload, cut to what a person needs to recognise it.
pub(super) fn quote(text: &str) -> Box<str> {
    match text.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// Why a text is not JSON of the right shape, in the parser's words.
pub(super) fn parser_says(error: &serde_json::Error) -> Reject {
    let why = error.to_string().into();
    if error.is_data() { Reject::Shape { why } } else { Reject::NotJson { why } }
}
