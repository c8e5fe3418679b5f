//! A notice: what one receiver is told of one site at one moment.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::item::What;
use crate::alerts::alert::Alert;
use crate::model::reading::Offset;
use crate::model::rule::Level;
use crate::model::site::Site;
use crate::model::time::UtcMs;

/// More alerts than this go into a further notice.
pub const N_ALERTS_MAX: usize = 100;

/// What one receiver is told of one site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Always the same for the same notice, however often it is sent.
    pub id: Box<str>,
    /// When it was made, by the journal.
    pub at: UtcMs,
    /// Of which site.
    pub site: About,
    /// Alerts of the site that stand for this receiver after it.
    pub n_standing: usize,
    /// What is told, the gravest first.
    pub tellings: Vec<Telling>,
}

/// The site as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Site id.
    pub id: Box<str>,
    /// As people call it.
    pub name: Box<str>,
    /// District.
    pub region: Box<str>,
    /// IANA name of its time zone.
    pub time_zone: Box<str>,
}

/// What is told of one alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Telling {
    /// What.
    pub what: What,
    /// Every level it was told at, this one included; the lowest first.
    pub levels: Vec<Level>,
    /// The site's district as it was when the alert was first told.
    pub region: Box<str>,
    /// The alert as it was then.
    pub alert: Box<Alert>,
}

impl About {
    /// Of a site that is configured.
    #[must_use]
    pub fn of(site: &Site) -> About {
        About {
            id: site.id.clone(),
            name: site.name.clone(),
            region: site.region.clone(),
            time_zone: site.time_zone.clone(),
        }
    }

    /// Of a site that is configured no more.
    #[must_use]
    pub fn unknown(id: &str) -> About {
        About { id: id.into(), name: id.into(), region: "".into(), time_zone: "UTC".into() }
    }
}

/// The notices that tell all this to a receiver, at the message `by`.
#[must_use]
pub fn notices(
    receiver: &str,
    site: &About,
    mut tellings: Vec<Telling>,
    n_standing: usize,
    (by, at): (Offset, UtcMs),
) -> Vec<Notice> {
    tellings.sort_by(|a, b| {
        let rank = |t: &Telling| (std::cmp::Reverse(t.alert.level), t.alert.first, t.alert.id.clone());
        rank(a).cmp(&rank(b))
    });
    let parts = tellings.chunks(N_ALERTS_MAX).enumerate();
    parts
        .map(|(part, tellings)| Notice {
            id: identity(receiver, &site.id, (by, at), part),
            at,
            site: site.clone(),
            n_standing,
            tellings: tellings.to_vec(),
        })
        .collect()
}

/// Sixteen hex digits of SHA-256 over what makes it this notice: there is one of a part, receiver and site a message.
fn identity(receiver: &str, site: &str, (by, at): (Offset, UtcMs), part: usize) -> Box<str> {
    let mut hash = Sha256::new();
    for text in [receiver, site] {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hash.update(by.to_be_bytes());
    hash.update(at.0.to_be_bytes());
    hash.update((part as u64).to_be_bytes());
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

impl Notice {
    /// The gravest level in it.
    #[must_use]
    pub fn level(&self) -> Level {
        self.tellings.iter().map(|t| t.alert.level).max().unwrap_or(Level::Notice)
    }
}
