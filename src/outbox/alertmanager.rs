//! Notices to an Alertmanager, whose routing, grouping, silences and receivers then serve.
//!
//! What stands is sent again and again, since an Alertmanager keeps no alerts over a restart; and each time it is told to
//! believe for long that it stands, since silence is no end. An alert ends there when it certainly ended, and then only.
//! One that rises stands at every level it had, so that no level ever "resolves" by rising: inhibit the lower ones by
//! `alert`. Source: Alertmanager, API v2.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::answer::Answer;
use super::text;
use super::web::{Web, WebError};
use crate::alerts::alert::Alert;
use crate::config::receivers::{Alertmanager, Receiver};
use crate::model::rule::Level;
use crate::model::time::{MINUTE_MS, UtcMs};
use crate::notices::item::{Item, What};
use crate::notices::notice::{About, Notice, Telling};
use crate::wording::words::{self, Lang};

/// What was over before it could be told stands for so long, so that somebody is told at all, ms. Longer than an
/// Alertmanager usually waits for company.
const PAST_FOR_MS: i64 = 5 * MINUTE_MS;

/// Carries notices to an Alertmanager.
#[derive(Debug)]
pub struct AlertmanagerCourier {
    own: Alertmanager,
    language: Lang,
    pub(super) web: Web,
}

impl AlertmanagerCourier {
    /// Reads the authority's certificate, if one is named.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn new(receiver: &Receiver, own: &Alertmanager) -> Result<AlertmanagerCourier, WebError> {
        let web = Web::new(own.ca_file.as_deref(), receiver.timeout)?;
        Ok(AlertmanagerCourier { own: own.clone(), language: receiver.language, web })
    }

    /// One notice.
    pub async fn carry(&mut self, notice: &Notice, now: UtcMs) -> Answer {
        let told = notice.tellings.iter().flat_map(|t| self.told(t, &notice.site, now));
        let all: Vec<Value> = told.collect();
        self.post(&all).await
    }

    /// Everything that stands, again.
    pub async fn keep_alive(&mut self, standing: &[(Item, Alert, About)], now: UtcMs) -> Answer {
        let mut all = Vec::new();
        for (item, alert, site) in standing {
            let levels = item.told.as_ref().map(|told| told.levels.clone()).unwrap_or_default();
            let telling = Telling {
                what: What::Reminder,
                levels,
                region: item.region.clone(),
                alert: Box::new(alert.clone()),
            };
            all.extend(self.told(&telling, site, now));
        }
        if all.is_empty() { Answer::Taken } else { self.post(&all).await }
    }

    /// How often that is.
    #[must_use]
    pub fn keep_alive_every(&self) -> std::time::Duration {
        self.own.keep_alive
    }

    /// An alert, at every level it was told at.
    fn told(&self, telling: &Telling, site: &About, now: UtcMs) -> Vec<Value> {
        let alert = &telling.alert;
        let hold_ms = i64::try_from(self.own.hold.as_millis()).unwrap_or(i64::MAX);
        let ends = match telling.what {
            What::Raised | What::Escalated | What::Reminder => now.plus(hold_ms),
            What::Past => now.plus(PAST_FOR_MS),
            What::Cleared => alert.cleared.unwrap_or(now).min(now),
            What::Retracted => now,
        };
        let starts = alert.first.min(ends);
        let one = |level: &Level| {
            json!({
                "labels": {
                    "alertname": alert.rule.name(),
                    "severity": level.name(),
                    "alert": alert.id,
                    "site": site.id,
                    "region": telling.region,
                    "subject_kind": alert.subject_kind,
                    "subject": alert.subject,
                },
                "annotations": {
                    "site_name": site.name,
                    "summary": format!("{}: {}", site.name, words::rule(alert.rule).in_lang(self.language)),
                    "description": text::line(telling, site, self.language),
                },
                "startsAt": starts.iso(),
                "endsAt": ends.iso(),
            })
        };
        telling.levels.iter().map(one).collect()
    }

    async fn post(&mut self, all: &[Value]) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = &self.own.token {
            match HeaderValue::try_from(format!("Bearer {}", token.expose())) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    headers.insert(AUTHORIZATION, value);
                }
                Err(error) => return Answer::Hold { why: format!("the token cannot be sent: {error}") },
            }
        }
        let body = Value::from(all.to_vec()).to_string().into_bytes();
        self.web.post(&format!("{}/api/v2/alerts", self.own.url), headers, body).await
    }
}
