//! Where a number that is judged by comes from, and so how much it may be trusted.

use serde::{Deserialize, Serialize};

/// Where thresholds and baselines come from. The order is their priority, the first the most certain: what is further
/// down never takes the place of what is further up by itself. Source: rule catalogue, 3.2 and 2.4.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Written in the config by a person.
    Configured,
    /// Measured in a recorded commissioning test.
    Commissioned,
    /// Learned, and confirmed by a person.
    Confirmed,
    /// Learned and only proposed: nobody has looked at it.
    Learned,
    /// A share of rated power by the kind of point.
    Fallback,
}

impl Basis {
    /// The word in config, API and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Basis::Configured => "configured",
            Basis::Commissioned => "commissioned",
            Basis::Confirmed => "confirmed",
            Basis::Learned => "learned",
            Basis::Fallback => "fallback",
        }
    }

    /// Whether it is only proposed. What rests on a proposal is worth a warning and no more.
    #[must_use]
    pub const fn is_proposal(self) -> bool {
        matches!(self, Basis::Learned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_learned_and_not_confirmed_is_a_proposal() {
        let all = [Basis::Configured, Basis::Commissioned, Basis::Confirmed, Basis::Learned, Basis::Fallback];
        assert!(all.is_sorted(), "the order is the priority");
        let proposals: Vec<_> = all.into_iter().filter(|b| b.is_proposal()).collect();
        assert_eq!(proposals, [Basis::Learned]);
        for basis in all {
            assert_eq!(serde_json::to_string(&basis).unwrap(), format!("{:?}", basis.name()));
        }
    }
}
