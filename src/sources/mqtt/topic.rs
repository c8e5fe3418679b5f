//! Topic patterns with captures: what is subscribed to, and what a topic says about its meter. Pure.

use crate::model::mapping::Subscription;

/// A pattern such as `submeter/v1/{site}/{meter}/reading`. A shared subscription (`$share/group/…`) matches what
/// follows the group, as its messages carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    levels: Box<[Level]>,
    filter: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Literal(Box<str>),
    Site,
    Meter,
    Device,
    Any,
    Rest,
}

/// What a topic says about its meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Captures<'t> {
    /// The site's id.
    pub site: Option<&'t str>,
    /// The meter's name within its site.
    pub meter: Option<&'t str>,
    /// The name the device has for itself.
    pub device: Option<&'t str>,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing there.
    #[error("a topic pattern is empty")]
    Empty,
    /// A level that is neither a word, a wildcard nor a known capture.
    #[error(
        "{level:?} is no level of a topic pattern: a word, +, # or one of {{site}}, {{meter}}, {{device}}"
    )]
    Level {
        /// As it stood there.
        level: Box<str>,
    },
    /// `#` stands before another level.
    #[error("# is only allowed at the end of a topic pattern")]
    RestInside,
    /// The same capture twice.
    #[error("{level} is captured twice")]
    Twice {
        /// The capture.
        level: Box<str>,
    },
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is empty, or a level of it cannot be.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        let shared = text.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
        let own = shared.map_or(text, |(_, pattern)| pattern);
        if own.is_empty() {
            return Err(PatternError::Empty);
        }
        let levels = own.split('/').map(Level::parse).collect::<Result<Box<[_]>, _>>()?;
        if levels.iter().rev().skip(1).any(|l| *l == Level::Rest) {
            return Err(PatternError::RestInside);
        }
        for capture in [Level::Site, Level::Meter, Level::Device] {
            if levels.iter().filter(|l| **l == capture).count() > 1 {
                return Err(PatternError::Twice { level: capture.text().into() });
            }
        }
        let wild: Vec<_> = levels.iter().map(Level::wild).collect();
        let prefix = &text[..text.len() - own.len()];
        Ok(Pattern { filter: format!("{prefix}{}", wild.join("/")).into(), levels })
    }

    /// The filter to subscribe to: every capture is a `+`.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// What the topic says, if it fits.
    #[must_use]
    pub fn captures<'t>(&self, topic: &'t str) -> Option<Captures<'t>> {
        // The broker's own topics are not met by wildcards at the begin.
        if topic.starts_with('$') && !matches!(self.levels.first(), Some(Level::Literal(_))) {
            return None;
        }
        let mut found = Captures::default();
        let mut rest = topic.split('/');
        for level in &self.levels {
            if *level == Level::Rest {
                return Some(found);
            }
            let word = rest.next()?;
            match level {
                Level::Literal(own) if **own != *word => return None,
                Level::Literal(_) | Level::Any | Level::Rest => {}
                Level::Site => found.site = Some(word),
                Level::Meter => found.meter = Some(word),
                Level::Device => found.device = Some(word),
            }
        }
        rest.next().is_none().then_some(found)
    }
}

impl Level {
    fn parse(level: &str) -> Result<Level, PatternError> {
        match level {
            "+" => Ok(Level::Any),
            "#" => Ok(Level::Rest),
            "{site}" => Ok(Level::Site),
            "{meter}" => Ok(Level::Meter),
            "{device}" => Ok(Level::Device),
            word if word.contains(['+', '#', '{', '}', '\0']) => {
                Err(PatternError::Level { level: word.into() })
            }
            word => Ok(Level::Literal(word.into())),
        }
    }

    fn text(&self) -> &str {
        match self {
            Level::Literal(word) => word,
            Level::Site => "{site}",
            Level::Meter => "{meter}",
            Level::Device => "{device}",
            Level::Any => "+",
            Level::Rest => "#",
        }
    }

    fn wild(&self) -> &str {
        match self {
            Level::Site | Level::Meter | Level::Device | Level::Any => "+",
            Level::Literal(_) | Level::Rest => self.text(),
        }
    }
}

/// What is to be subscribed to at `broker`: each filter once, at its highest QoS.
#[must_use]
pub fn filters(subscriptions: &[Subscription], broker: &str) -> Vec<(String, u8)> {
    let mut found: Vec<(String, u8)> = Vec::new();
    for subscription in subscriptions.iter().filter(|s| *s.broker == *broker) {
        let Ok(pattern) = Pattern::parse(&subscription.pattern) else { continue };
        match found.iter_mut().find(|(filter, _)| *filter == pattern.filter()) {
            Some((_, qos)) => *qos = subscription.qos.max(*qos),
            None => found.push((pattern.filter().to_owned(), subscription.qos)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::mapping::Decoder;

    #[test]
    fn a_broker_is_asked_for_each_of_its_filters_once() {
        let to = |broker: &str, pattern: &str, qos| Subscription {
            broker: broker.into(),
            pattern: pattern.into(),
            qos,
            decoder: Decoder::Native,
        };
        let all =
            [to("a", "x/{site}/{meter}", 0), to("b", "y/#", 1), to("a", "x/+/{device}", 1), to("a", "z", 0)];
        assert_eq!(filters(&all, "a"), [("x/+/+".to_owned(), 1), ("z".to_owned(), 0)]);
    }

    fn captures<'t>(pattern: &str, topic: &'t str) -> Option<Captures<'t>> {
        Pattern::parse(pattern).unwrap().captures(topic)
    }

    #[test]
    fn captures_are_read_and_subscribed_to_as_wildcards() {
        let native = "submeter/v1/{site}/{meter}/reading";
        assert_eq!(Pattern::parse(native).unwrap().filter(), "submeter/v1/+/+/reading");
        let found = captures(native, "submeter/v1/s1/m1/reading").unwrap();
        assert_eq!(found, Captures { site: Some("s1"), meter: Some("m1"), device: None });
        assert_eq!(captures(native, "submeter/v1/s1/m1"), None);
        assert_eq!(captures(native, "submeter/v1/s1/m1/reading/x"), None);
        assert_eq!(captures(native, "submeter/v2/s1/m1/reading"), None);

        let device = captures("{device}/status/+", "shelly-1/status/em:0").unwrap();
        assert_eq!(device.device, Some("shelly-1"));
    }

    #[test]
    fn wildcards_follow_the_rules_of_mqtt() {
        assert!(captures("a/#", "a").is_some(), "# also meets its parent level");
        assert!(captures("a/#", "a/b/c").is_some());
        assert!(captures("#", "$SYS/uptime").is_none());
        assert!(captures("+/uptime", "$SYS/uptime").is_none());
        assert!(captures("$SYS/#", "$SYS/uptime").is_some());
        assert!(captures("a/+", "a/").is_some(), "a level may be empty");
        assert!(captures("a/+", "a").is_none());
    }

    #[test]
    fn a_shared_subscription_keeps_its_group_in_the_filter_only() {
        let shared = Pattern::parse("$share/daemons/tele/{device}/SENSOR").unwrap();
        assert_eq!(shared.filter(), "$share/daemons/tele/+/SENSOR");
        assert_eq!(shared.captures("tele/plug/SENSOR").unwrap().device, Some("plug"));
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
        assert_eq!(Pattern::parse("a/#/b"), Err(PatternError::RestInside));
        assert_eq!(Pattern::parse("a/b+"), Err(PatternError::Level { level: "b+".into() }));
        assert_eq!(Pattern::parse("a/{point}"), Err(PatternError::Level { level: "{point}".into() }));
        assert_eq!(Pattern::parse("{site}/{site}"), Err(PatternError::Twice { level: "{site}".into() }));
    }
}
