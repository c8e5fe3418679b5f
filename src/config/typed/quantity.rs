//! Durations, sizes and powers as people type them: a number with its unit, in quotes.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// A duration: `"30s"`, `"10 min"`, `"1h 30min"`, `"500ms"`, `"2d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A size: `"10GiB"`, `"500 MB"`, `"4096 B"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// An energy: `"0.01 kWh"`, `"1000000 kWh"`, `"1 Wh"`. In kWh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Energy(pub f64);

/// A power: `"50 kW"`, `"800 W"`, or a share of the rated power: `"15%"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Power {
    /// W.
    Watts(f64),
    /// Of rated power, 0 to 1.
    Share(f64),
}

impl Span {
    /// Reads a duration.
    #[must_use]
    pub fn parse(text: &str) -> Option<Span> {
        let mut rest = text.trim();
        let mut seconds = 0.0;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let (number, after) = number(rest)?;
            let n = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let unit = match &after[..n] {
                "ms" => 0.001,
                "s" => 1.0,
                "min" | "m" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                _ => return None,
            };
            seconds += number * unit;
            rest = after[n..].trim_start();
        }
        // Rounded to milliseconds, which is all that is kept, so that "0.1s" is no more than it says.
        Duration::try_from_secs_f64((seconds * 1_000.0).round() / 1_000.0).ok().map(Span)
    }
}

impl Size {
    /// Reads a size.
    #[must_use]
    pub fn parse(text: &str) -> Option<Size> {
        let (number, unit) = number(text.trim())?;
        let unit = match unit {
            "B" => 1_u64,
            "kB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            _ => return None,
        };
        let bytes = number * unit as f64;
        (bytes < u64::MAX as f64 / 2.0).then_some(Size(bytes.round() as u64))
    }
}

impl Energy {
    /// Reads an energy.
    #[must_use]
    pub fn parse(text: &str) -> Option<Energy> {
        let (number, unit) = number(text.trim())?;
        match unit {
            "Wh" => Some(Energy(number / 1e3)),
            "kWh" => Some(Energy(number)),
            "MWh" => Some(Energy(number * 1e3)),
            _ => None,
        }
    }
}

impl Power {
    /// Reads a power.
    #[must_use]
    pub fn parse(text: &str) -> Option<Power> {
        let (number, unit) = number(text.trim())?;
        match unit {
            "W" => Some(Power::Watts(number)),
            "kW" => Some(Power::Watts(number * 1e3)),
            "MW" => Some(Power::Watts(number * 1e6)),
            "%" => Some(Power::Share(number / 100.0)),
            _ => None,
        }
    }
}

/// A number that is not negative, and what stands behind it.
fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let value = text[..end].replace('_', "").parse::<f64>().ok()?;
    Some((value, text[end..].trim_start()))
}

/// Reads a text with `parse`, and complains with what was expected.
struct Quoted<T>(fn(&str) -> Option<T>, &'static str);

impl<T> Visitor<'_> for Quoted<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::custom(format_args!("{text:?}, expected {}", self.1)))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
        from.deserialize_str(Quoted(
            Span::parse,
            "a duration in quotes with its unit, such as \"30s\", \"10min\" or \"2h\"",
        ))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Size, D::Error> {
        from.deserialize_str(Quoted(
            Size::parse,
            "a size in quotes with its unit, such as \"500MB\" or \"10GiB\"",
        ))
    }
}

impl<'de> Deserialize<'de> for Energy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Energy, D::Error> {
        from.deserialize_str(Quoted(
            Energy::parse,
            "an energy in quotes with its unit, such as \"0.01 kWh\" or \"1000 MWh\"",
        ))
    }
}

impl<'de> Deserialize<'de> for Power {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Power, D::Error> {
        from.deserialize_str(Quoted(
            Power::parse,
            "a power in quotes with its unit, such as \"50kW\" or \"15%\" (of rated power)",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_their_units_are_read_and_others_are_not() {
        let ms = |text| Span::parse(text).map(|s| s.0.as_millis());
        assert_eq!(ms("30s"), Some(30_000));
        assert_eq!(ms(" 10 min "), Some(600_000));
        assert_eq!(ms("1h 30min"), Some(5_400_000));
        assert_eq!(ms("0.5s"), Some(500));
        assert_eq!(ms("250ms"), Some(250));
        for bad in ["", "30", "s", "-3s", "3 weeks", "1.2.3s"] {
            assert_eq!(ms(bad), None, "{bad}");
        }
        assert_eq!(Size::parse("10GiB"), Some(Size(10 << 30)));
        assert_eq!(Size::parse("500 MB"), Some(Size(500_000_000)));
        assert_eq!(Size::parse("10"), None);
        assert_eq!(Power::parse("15 %"), Some(Power::Share(0.15)));
        assert_eq!(Power::parse("1.5 kW"), Some(Power::Watts(1_500.0)));
        assert_eq!(Power::parse("50"), None);
        assert_eq!(Energy::parse("10 Wh"), Some(Energy(0.01)));
        assert_eq!((Energy::parse("1_000 MWh"), Energy::parse("0.01 kW")), (Some(Energy(1e6)), None));
    }
}
