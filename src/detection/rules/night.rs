//! R15 c `night`: by day treatment runs with production, by night it does not.
//!
//! Over the last `nights_min` nights with production, and the days before each of them: treatment certainly ran in
//! `day_share` of production time or more by day, and in `night_share` or less by night. A warning at the end of the night;
//! cleared at the end of a later night with production by which the share is above that again. Time in which production or
//! treatment cannot be told is left out on both sides. A night, or the days, with less than half an hour of production say
//! nothing, nor do those of which more than a tenth cannot be told, which is ours. Source: rule catalogue, R15.

use serde::{Deserialize, Serialize};

use super::scene::{Piece, Scene};
use crate::alerts::figure::{Fact, Figure};
use crate::alerts::finding::{AlertFinding, Change};
use crate::detection::debounce::Truth;
use crate::detection::finding::Finding;
use crate::model::param::Param;
use crate::model::rule::{Level, Rule};
use crate::model::time::{MINUTE_MS, UtcMs};

/// Less production than this says nothing.
const PRODUCTION_MIN_MS: i64 = 30 * MINUTE_MS;

/// Production time in which treatment could be told, and what of it treatment ran, ms.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Time {
    known_ms: i64,
    on_ms: i64,
    /// Time in which production may have run and one of the two could not be told.
    #[serde(default)]
    unknown_ms: i64,
}

impl Time {
    fn plus(self, other: Time) -> Time {
        Time {
            known_ms: self.known_ms + other.known_ms,
            on_ms: self.on_ms + other.on_ms,
            unknown_ms: self.unknown_ms + other.unknown_ms,
        }
    }

    /// Whether enough of it is known to say anything: half an hour of production, and nine tenths of what may have been.
    fn is_enough(self) -> bool {
        self.known_ms >= PRODUCTION_MIN_MS && self.unknown_ms * 9 <= self.known_ms
    }

    #[expect(clippy::cast_precision_loss, reason = "days in ms, far below 2^52")]
    fn share(self) -> f64 {
        self.on_ms as f64 / self.known_ms.max(1) as f64
    }
}

/// A night with production, and the days since the one before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Tour {
    /// First moment of production in the night.
    begins: UtcMs,
    day: Time,
    night: Time,
}

/// State of the rule for one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Night {
    /// Nights with production, the last as many as are needed.
    tours: Vec<Tour>,
    now: Tour,
    is_night: bool,
    open: Option<UtcMs>,
}

impl Default for Night {
    fn default() -> Self {
        let now = Tour { begins: UtcMs::MIN, day: Time::default(), night: Time::default() };
        Night { tours: Vec::new(), now, is_night: false, open: None }
    }
}

impl Night {
    /// Nothing changed in a piece of time.
    pub fn stretch(&mut self, piece: &Piece, scene: &Scene<'_>, out: &mut impl FnMut(Finding)) {
        if self.is_night != piece.is_night {
            self.is_night = piece.is_night;
            if !piece.is_night {
                self.over(piece.from, scene, out);
            }
        }
        let may_produce = scene.production != Truth::No;
        if may_produce && (scene.production == Truth::Unknown || scene.failed == Truth::Unknown) {
            let time = if piece.is_night { &mut self.now.night } else { &mut self.now.day };
            time.unknown_ms += piece.length_ms();
        } else if may_produce {
            if piece.is_night && self.now.night.known_ms == 0 {
                self.now.begins = piece.from;
            }
            let time = if piece.is_night { &mut self.now.night } else { &mut self.now.day };
            time.known_ms += piece.length_ms();
            if scene.failed == Truth::No {
                time.on_ms += piece.length_ms();
            }
        }
    }

    /// A night is over.
    fn over(&mut self, at: UtcMs, scene: &Scene<'_>, out: &mut impl FnMut(Finding)) {
        if !self.now.night.is_enough() {
            self.now.night = Time::default();
            return;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the table")]
        let n_nights = scene.get(Param::NightNights) as usize;
        self.tours.push(self.now);
        self.now = Night::default().now;
        self.tours.drain(..self.tours.len().saturating_sub(n_nights));
        let sum = |of: fn(&Tour) -> Time| self.tours.iter().map(of).fold(Time::default(), Time::plus);
        let (day, night) = (sum(|t| t.day), sum(|t| t.night));
        let is_rare = night.share() <= scene.get(Param::NightNightShare);
        let is_usual = day.is_enough() && day.share() >= scene.get(Param::NightDayShare);
        let told = match self.open {
            None if self.tours.len() == n_nights && is_rare && is_usual && scene.is_on(Rule::Night) => {
                let first = self.tours[0].begins;
                self.open = Some(first);
                Some((Change::Raised, first))
            }
            Some(first) if !is_rare => {
                self.open = None;
                Some((Change::Cleared, first))
            }
            _ => None,
        };
        let Some((change, first)) = told else { return };
        #[expect(clippy::cast_precision_loss, reason = "days in ms, far below 2^52")]
        let figures = vec![
            Figure::new(Fact::DayShare, day.share()),
            Figure::new(Fact::NightShare, night.share()),
            Figure::new(Fact::Nights, self.tours.len() as f64),
            Figure::new(Fact::NightProduction, night.known_ms as f64),
        ];
        out(Finding::Alert(Box::new(AlertFinding {
            level: scene.worth(Level::Warning),
            certain_ms: night.known_ms - night.on_ms,
            figures,
            ..AlertFinding::new(Rule::Night, scene.subject, change, at, first)
        })));
    }
}
