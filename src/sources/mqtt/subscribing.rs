//! Whether the broker has granted what was asked for, and what to ask for next. Time is an input. Pure.

use std::time::Duration;

use rumqttc::{QoS, SubscribeFilter, SubscribeReasonCode};
use tokio::time::Instant;

use crate::sources::backoff::Backoff;

/// An answer to SUBSCRIBE takes no longer; after that it is asked again.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// First pause after a refusal.
const BACKOFF_BASE: Duration = Duration::from_secs(1);

/// What a SUBACK says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answer {
    /// Filters that were refused.
    pub(super) refused: Vec<String>,
    /// Filters that were granted at a lower QoS than asked for.
    pub(super) lowered: Vec<String>,
}

#[derive(Debug)]
enum Stage {
    /// No connection.
    Idle,
    /// Asked, not answered; the packet number is known once it is sent.
    Asked { packet: Option<u16>, until: Instant },
    /// Refused: to be asked again.
    Waiting { until: Instant },
    /// Granted, all of it.
    Granted,
}

/// The filters of a broker, on one connection after the other.
#[derive(Debug)]
pub(super) struct Subscribing {
    filters: Vec<(String, QoS)>,
    /// Indices of those that are not granted yet.
    open: Vec<usize>,
    stage: Stage,
    backoff: Backoff,
}

impl Subscribing {
    pub(super) fn new(filters: Vec<(String, u8)>, backoff_max: Duration) -> Subscribing {
        let qos = |n| if n == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        Subscribing {
            filters: filters.into_iter().map(|(filter, n)| (filter, qos(n))).collect(),
            open: Vec::new(),
            stage: Stage::Idle,
            backoff: Backoff::new(BACKOFF_BASE, backoff_max),
        }
    }

    pub(super) fn is_granted(&self) -> bool {
        matches!(self.stage, Stage::Granted)
    }

    /// A connection stands: everything is to be asked for anew.
    pub(super) fn connected(&mut self, now: Instant) {
        self.open = (0..self.filters.len()).collect();
        self.backoff.reset();
        self.stage = if self.open.is_empty() { Stage::Granted } else { Stage::Waiting { until: now } };
    }

    /// The connection is gone.
    pub(super) fn disconnected(&mut self) {
        self.stage = Stage::Idle;
    }

    /// What is to be asked for now, if anything.
    pub(super) fn due(&mut self, now: Instant) -> Option<Vec<SubscribeFilter>> {
        match self.stage {
            Stage::Asked { until, .. } | Stage::Waiting { until } if now >= until => {}
            _ => return None,
        }
        self.stage = Stage::Asked { packet: None, until: now + ANSWER_WITHIN };
        let filter = |&i: &usize| {
            let (path, qos) = &self.filters[i];
            SubscribeFilter::new(path.clone(), *qos)
        };
        Some(self.open.iter().map(filter).collect())
    }

    /// The question was sent under that number.
    pub(super) fn sent(&mut self, number: u16) {
        if let Stage::Asked { packet, .. } = &mut self.stage {
            *packet = Some(number);
        }
    }

    /// The broker's answer; `None` if it answers something else.
    pub(super) fn answered(
        &mut self,
        number: u16,
        codes: &[SubscribeReasonCode],
        now: Instant,
    ) -> Option<Answer> {
        if !matches!(self.stage, Stage::Asked { packet: Some(packet), .. } if packet == number) {
            return None;
        }
        let mut answer = Answer::default();
        let mut still_open = Vec::new();
        for (n, &index) in self.open.iter().enumerate() {
            let (path, asked) = &self.filters[index];
            match codes.get(n) {
                Some(SubscribeReasonCode::Success(granted)) => {
                    if granted < asked {
                        answer.lowered.push(path.clone());
                    }
                }
                // A code that is not there was not granted either.
                Some(SubscribeReasonCode::Failure) | None => {
                    answer.refused.push(path.clone());
                    still_open.push(index);
                }
            }
        }
        self.open = still_open;
        self.stage = if self.open.is_empty() {
            Stage::Granted
        } else {
            Stage::Waiting { until: now + self.backoff.next() }
        };
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: SubscribeReasonCode = SubscribeReasonCode::Success(QoS::AtLeastOnce);
    const LOW: SubscribeReasonCode = SubscribeReasonCode::Success(QoS::AtMostOnce);

    fn due(subscribing: &mut Subscribing, now: Instant) -> Option<Vec<String>> {
        subscribing.due(now).map(|asked| asked.into_iter().map(|f| f.path).collect())
    }

    #[test]
    fn everything_is_asked_on_every_connection_and_the_refused_again_later() {
        let now = Instant::now();
        let filters = ["a", "b", "c"].map(|f| (f.to_owned(), 1)).to_vec();
        let mut subscribing = Subscribing::new(filters, Duration::from_secs(30));
        assert_eq!(due(&mut subscribing, now), None, "not connected");
        for _ in 0..2 {
            subscribing.connected(now);
            assert_eq!(due(&mut subscribing, now).unwrap(), ["a", "b", "c"]);
            assert_eq!(due(&mut subscribing, now), None, "asked already");
            assert_eq!(subscribing.answered(1, &[OK; 3], now), None, "it is not known to be ours");
            subscribing.sent(1);
            assert_eq!(subscribing.answered(2, &[OK; 3], now), None, "another question's answer");
            let codes = [LOW, SubscribeReasonCode::Failure];
            let answer = subscribing.answered(1, &codes, now).unwrap();
            assert_eq!(answer, Answer { refused: vec!["b".into(), "c".into()], lowered: vec!["a".into()] });
            assert!(!subscribing.is_granted());
            assert_eq!(due(&mut subscribing, now), None, "not at once");
            assert_eq!(due(&mut subscribing, now + BACKOFF_BASE).unwrap(), ["b", "c"]);
            subscribing.sent(2);
            assert_eq!(subscribing.answered(2, &[OK; 2], now), Some(Answer::default()));
            assert!(subscribing.is_granted());
            subscribing.disconnected();
            assert!(!subscribing.is_granted());
        }
    }

    #[test]
    fn a_question_that_is_not_answered_is_asked_again() {
        let now = Instant::now();
        let mut subscribing = Subscribing::new(vec![("a".into(), 1)], Duration::from_secs(30));
        subscribing.connected(now);
        assert!(subscribing.due(now).is_some());
        assert!(subscribing.due(now + ANSWER_WITHIN / 2).is_none());
        assert!(subscribing.due(now + ANSWER_WITHIN).is_some());
    }
}
