//! Why a message, or a part of one, is kept but not taken as readings.

/// A reason; the reject itself is the message in the journal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Reject {
    /// No subscription of the registry fits the topic.
    #[error("no subscription fits this topic")]
    Topic,
    /// The topic, the payload or the device name leads to no meter of the registry.
    #[error("no meter {meter:?} is configured")]
    UnknownMeter {
        /// The name that was looked for.
        meter: Box<str>,
    },
    /// Not JSON, or JSON that is cut.
    #[error("not JSON: {why}")]
    NotJson {
        /// The parser's words.
        why: Box<str>,
    },
    /// JSON of another shape than the decoder's.
    #[error("unexpected shape: {why}")]
    Shape {
        /// What is missing or of the wrong type.
        why: Box<str>,
    },
    /// The time cannot be read.
    #[error("the time {text:?} cannot be read")]
    BadTime {
        /// As it stood there.
        text: Box<str>,
    },
    /// Measured too far in the future of its receive time.
    #[error("measured {ahead_ms} ms after it was received; up to {limit_ms} ms are taken for clock drift")]
    Future {
        /// So far ahead, ms.
        ahead_ms: i64,
        /// The bound, ms.
        limit_ms: i64,
    },
    /// No value that could be kept is in it.
    #[error("no usable value: {why}")]
    NoValue {
        /// What was there instead.
        why: Box<str>,
    },
    /// A value is not a number that could be measured.
    #[error("{channel} is {value}, which no meter measures")]
    Implausible {
        /// The channel's name.
        channel: &'static str,
        /// As it stood there.
        value: Box<str>,
    },
    /// Larger than a payload may be.
    #[error("{bytes} bytes, at most {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// Larger than the source's own bound.
    #[error("{bytes} bytes are kept of it; it is larger than its broker's packet_bytes_max")]
    Oversized {
        /// Bytes of it that are kept.
        bytes: usize,
    },
    /// Registers that do not fit the meter's profile.
    #[error("registers do not fit the profile {profile}: {why}")]
    Registers {
        /// The profile's name.
        profile: Box<str>,
        /// What does not fit.
        why: Box<str>,
    },
    /// A command that cannot be read.
    #[error("a command that cannot be read: {why}")]
    Command {
        /// What is wrong with it.
        why: String,
    },
}

impl Reject {
    /// A short word, for counting and filtering.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Reject::Topic => "topic",
            Reject::UnknownMeter { .. } => "unknown_meter",
            Reject::NotJson { .. } => "not_json",
            Reject::Shape { .. } => "shape",
            Reject::BadTime { .. } => "bad_time",
            Reject::Future { .. } => "future",
            Reject::NoValue { .. } => "no_value",
            Reject::Implausible { .. } => "implausible",
            Reject::TooLarge { .. } => "too_large",
            Reject::Oversized { .. } => "oversized",
            Reject::Registers { .. } => "registers",
            Reject::Command { .. } => "command",
        }
    }
}
