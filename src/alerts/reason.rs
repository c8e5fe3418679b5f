//! A reason for which nobody is told of an alert, as the alert keeps it.

use serde::{Deserialize, Serialize};

use crate::model::rule::Rule;
use crate::model::time::UtcMs;

/// What is the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Maintenance was filed before it began.
    Maintenance,
    /// A point of it is being put into service.
    Commissioning,
    /// The whole site was without power.
    PowerCut,
    /// It lies outside the working time that was declared.
    OutsideWorkingTime,
}

impl Why {
    /// Whether it explains what the rule says.
    #[must_use]
    pub const fn explains(self, rule: Rule) -> bool {
        match self {
            // What is known of a power cut, or of changed settings, is nobody's to hide.
            Why::Maintenance | Why::Commissioning => !matches!(rule, Rule::PowerCut | Rule::ConfigChange),
            Why::PowerCut => matches!(
                rule,
                Rule::DataMissing | Rule::GapWhileProducing | Rule::IncompleteDay | Rule::Fragmented
            ),
            Why::OutsideWorkingTime => matches!(rule, Rule::DataMissing | Rule::IncompleteDay),
        }
    }

    /// Whether only an alert that lies in it whole is explained.
    pub(super) const fn holds_whole(self) -> bool {
        matches!(self, Why::PowerCut | Why::OutsideWorkingTime)
    }
}

/// A reason for which nobody is told of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Suppression {
    /// What.
    pub why: Why,
    /// From when it holds.
    pub from: UtcMs,
    /// Up to, not with; `None` where no end is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<UtcMs>,
    /// Who filed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Box<str>>,
    /// Id of the filing, or of the alert of the power cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Box<str>>,
    /// The alert went on beyond its end, or may have: from there on it is told again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outlasted: bool,
}
