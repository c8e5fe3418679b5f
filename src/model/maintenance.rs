//! Maintenance as a plant files it: what is taken out of service, from when to when.

use serde::{Deserialize, Serialize};

use super::site::Site;
use super::time::{DAY_MS, UtcMs};

/// Nothing may be filed for longer at a time, days.
pub const DAYS_MAX: i64 = 31;

/// What of a site is meant: the whole site where nothing is named.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Scope {
    /// Ids of processes.
    pub processes: Vec<Box<str>>,
    /// Ids of points.
    pub points: Vec<Box<str>>,
}

impl Scope {
    /// Whether the whole site is meant.
    #[must_use]
    pub fn is_whole_site(&self) -> bool {
        self.processes.is_empty() && self.points.is_empty()
    }
}

/// What is filed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Filing {
    /// Site id.
    pub site: String,
    /// What of it.
    #[serde(default)]
    pub scope: Scope,
    /// Begin.
    pub from: UtcMs,
    /// End.
    pub to: UtcMs,
    /// Who files it.
    pub who: String,
    /// What is done, and why.
    pub note: String,
}

/// Why something cannot be filed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilingError {
    /// It ends before it begins.
    #[error("the end is not after the begin; hint: --from is when the work begins, --to when it is over")]
    Order,
    /// It is too long.
    #[error(
        "{days} days are more than the {DAYS_MAX} that can be filed at a time; hint: file the rest when it is due"
    )]
    TooLong {
        /// Whole days, rounded up.
        days: i64,
    },
    /// Nobody says so.
    #[error("it is not said who files it; hint: --who NAME")]
    Nobody,
    /// It is not said what is done.
    #[error("it is not said what is done; hint: --note TEXT")]
    NoNote,
    /// The site has no such process or point.
    #[error("the site {site} has no {kind} {id:?}; hint: it has {known}")]
    Unknown {
        /// Site id.
        site: Box<str>,
        /// `process` or `point`.
        kind: &'static str,
        /// As it was named.
        id: Box<str>,
        /// Those it has.
        known: String,
    },
}

impl Filing {
    /// Whether it can be filed for that site.
    ///
    /// # Errors
    /// See [`FilingError`].
    pub fn check(&self, site: &Site) -> Result<(), FilingError> {
        let length_ms = self.to.since(self.from);
        if length_ms <= 0 {
            return Err(FilingError::Order);
        }
        if length_ms > DAYS_MAX * DAY_MS {
            return Err(FilingError::TooLong { days: (length_ms + DAY_MS - 1) / DAY_MS });
        }
        if self.who.trim().is_empty() {
            return Err(FilingError::Nobody);
        }
        if self.note.trim().is_empty() {
            return Err(FilingError::NoNote);
        }
        let processes: Vec<&str> = site.processes.iter().map(|p| &*p.id).collect();
        let points: Vec<&str> = site.points.iter().map(|p| &*p.id).collect();
        for (kind, named, known) in
            [("process", &self.scope.processes, processes), ("point", &self.scope.points, points)]
        {
            if let Some(id) = named.iter().find(|id| !known.contains(&&***id)) {
                let (site, id, known) = (site.id.clone(), id.clone(), known.join(", "));
                return Err(FilingError::Unknown { site, kind, id, known });
            }
        }
        Ok(())
    }

    /// Whether it counts: what is filed only once it has begun is a declaration, and changes nothing.
    #[must_use]
    pub fn counts(&self, filed: UtcMs) -> bool {
        filed < self.from
    }
}
