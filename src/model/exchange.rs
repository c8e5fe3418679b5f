//! A meter exchanged for another one under the same id, as a person tells it.

use serde::{Deserialize, Serialize};

use super::time::UtcMs;

/// What is told. What is measured from `at` on is of the new meter: its register has nothing to do with that before.
/// Source: rule catalogue, R11: a meter-change record turns a reset or a jump into a replacement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The meter, as SITE/METER.
    pub meter: Box<str>,
    /// When it was exchanged.
    pub at: UtcMs,
    /// Last register of the old meter, kWh, as its readings count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_register_kwh: Option<f64>,
    /// First register of the new one, kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_register_kwh: Option<f64>,
    /// Serial number of the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Box<str>>,
    /// Who says so.
    pub who: Box<str>,
    /// Work order, or whatever else is to be known of it.
    #[serde(default)]
    pub note: Box<str>,
}

/// Why an exchange cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// It lies ahead.
    #[error("the meter is not exchanged yet; hint: tell it once it is done")]
    Ahead,
    /// Nobody says so.
    #[error("it is not said who exchanged it; hint: --who NAME")]
    Nobody,
    /// A register no meter shows.
    #[error(
        "a register is a number of kWh from 0 up; hint: --old-register and --new-register as `readings` shows them"
    )]
    Register,
}

impl Exchange {
    /// Whether it can be taken at `now`.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn check(&self, now: UtcMs) -> Result<(), ExchangeError> {
        if self.at > now {
            return Err(ExchangeError::Ahead);
        }
        if self.who.trim().is_empty() {
            return Err(ExchangeError::Nobody);
        }
        let registers = [self.old_register_kwh, self.new_register_kwh];
        if registers.into_iter().flatten().any(|kwh| !kwh.is_finite() || kwh < 0.0) {
            return Err(ExchangeError::Register);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_is_of_nobody_or_has_no_register_is_not_taken() {
        let own = Exchange {
            meter: "plant/fan".into(),
            at: UtcMs(10),
            old_register_kwh: Some(5_000.0),
            new_register_kwh: Some(0.0),
            serial: None,
            who: "li".into(),
            note: "".into(),
        };
        assert_eq!(own.check(UtcMs(10)), Ok(()));
        assert_eq!(own.check(UtcMs(9)), Err(ExchangeError::Ahead));
        let nobody = Exchange { who: " ".into(), ..own.clone() };
        assert_eq!(nobody.check(UtcMs(10)), Err(ExchangeError::Nobody));
        let below = Exchange { new_register_kwh: Some(-1.0), ..own };
        assert_eq!(below.check(UtcMs(10)), Err(ExchangeError::Register));
    }
}
