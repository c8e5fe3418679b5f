//! What an answer of InfluxDB, or the lack of one, means for the lines that were sent. Pure.

use influxdb2::RequestError;

/// So much of the far side's words is kept, characters.
const WORDS_MAX: usize = 500;

/// What becomes of the lines.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Taken: they are in the database.
    Taken,
    /// At least one of them is bad. Whether the others were stored differs by product and version (OSS v2: 400 none,
    /// 422 all good ones), and does not matter, since a point sent again is the same point.
    Refused {
        /// HTTP status.
        status: u16,
        /// The far side's words.
        why: String,
    },
    /// Too many at once.
    TooLarge {
        /// The far side's words.
        why: String,
    },
    /// Nothing is wrong with them; a person must see to the settings.
    Hold {
        /// What is wrong, in the far side's words where it had any.
        why: String,
    },
    /// No answer in time: later, and fewer at once.
    Slow {
        /// How long was waited.
        why: String,
    },
    /// Nothing is wrong with them; later.
    Later {
        /// Why not now.
        why: String,
    },
}

/// The meaning of what the client says.
#[must_use]
pub fn of(outcome: Result<(), RequestError>) -> Answer {
    match outcome {
        Ok(()) => Answer::Taken,
        Err(RequestError::Http { status, text }) => of_status(status.as_u16(), &text),
        Err(RequestError::ReqwestProcessing { source }) => {
            // A request that could not even be built will not be better later: a token with a line break in it.
            let unsendable = source.is_builder();
            let why = chain(&source.without_url());
            if unsendable { Answer::Hold { why } } else { Answer::Later { why } }
        }
        Err(other) => Answer::Later { why: chain(&other) },
    }
}

/// The meaning of a status. The client takes 204 alone for success, so other statuses of success come here as well.
/// It does not give Retry-After away; the growing pauses stand in for it.
#[must_use]
pub fn of_status(status: u16, text: &str) -> Answer {
    let words: String = text.trim().chars().take(WORDS_MAX).collect();
    let why = if words.is_empty() { format!("status {status}") } else { format!("status {status}: {words}") };
    match status {
        // A login page or a proxy says 200 to everything. What is not a database must not make us forget lines.
        200..=299 if words.starts_with('<') => Answer::Hold { why: format!("a page, not a database; {why}") },
        200..=299 => Answer::Taken,
        400 | 422 => Answer::Refused { status, why: words },
        413 => Answer::TooLarge { why },
        408 | 425 | 429 | 500..=599 => Answer::Later { why },
        // 401, 403, 404 and whatever else is no fault of the lines; redirects are not followed, since most of them
        // turn a write into a read.
        _ => Answer::Hold { why },
    }
}

/// An error and all that lies behind it, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_class() {
        let class = |status| match of_status(status, "words") {
            Answer::Taken => "taken",
            Answer::Refused { .. } => "refused",
            Answer::TooLarge { .. } => "too large",
            Answer::Hold { .. } => "hold",
            Answer::Later { .. } | Answer::Slow { .. } => "later",
        };
        for (statuses, expected) in [
            (&[200, 202, 204][..], "taken"),
            (&[400, 422], "refused"),
            (&[413], "too large"),
            (&[301, 302, 307, 401, 403, 404, 405, 415], "hold"),
            (&[408, 425, 429, 500, 502, 503, 504], "later"),
        ] {
            for status in statuses {
                assert_eq!(class(*status), expected, "{status}");
            }
        }
    }

    #[test]
    fn a_page_is_not_a_database() {
        let answer = of_status(200, "\n<!doctype html><title>Log in</title>");
        assert!(matches!(answer, Answer::Hold { .. }), "{answer:?}");
        assert_eq!(of_status(200, "{}"), Answer::Taken);
    }

    #[test]
    fn words_are_kept_but_not_without_bound() {
        let Answer::Refused { why, .. } = of_status(400, &"ü".repeat(10_000)) else { panic!("not refused") };
        assert_eq!(why, "ü".repeat(WORDS_MAX));
    }
}
