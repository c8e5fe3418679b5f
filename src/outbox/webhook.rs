//! Notices as CloudEvents to a web address, signed.
//!
//! `X-Submeterd-Timestamp` is the second it is sent, `X-Submeterd-Signature` is [`signature::of`] that and the body. Whoever
//! gets it checks both, refuses what is older than some minutes, and takes an event whose `id` it has for taken already.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::answer::Answer;
use super::event;
use super::signature;
use super::web::{Web, WebError};
use crate::config::receivers::{Receiver, Webhook};
use crate::model::time::UtcMs;
use crate::notices::notice::Notice;
use crate::wording::words::Lang;

/// When the request was sent, s since 1970.
pub const TIMESTAMP: &str = "x-submeterd-timestamp";
/// The signature.
pub const SIGNATURE: &str = "x-submeterd-signature";

/// Carries notices to a webhook.
#[derive(Debug)]
pub struct WebhookCourier {
    own: Webhook,
    name: Box<str>,
    language: Lang,
    pub(super) web: Web,
}

impl WebhookCourier {
    /// Reads the authority's certificate, if one is named.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn new(receiver: &Receiver, own: &Webhook) -> Result<WebhookCourier, WebError> {
        Ok(WebhookCourier {
            own: own.clone(),
            name: receiver.name.clone(),
            language: receiver.language,
            web: Web::new(own.ca_file.as_deref(), receiver.timeout)?,
        })
    }

    /// One notice.
    pub async fn carry(&mut self, notice: &Notice, now: UtcMs) -> Answer {
        let body = event::of(notice, &self.name, self.language).to_string().into_bytes();
        let timestamp_s = now.0.div_euclid(1_000);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(event::CONTENT_TYPE));
        headers.insert(HeaderName::from_static(TIMESTAMP), HeaderValue::from(timestamp_s));
        if let Some(secret) = &self.own.secret {
            let signed = signature::of(secret.expose(), timestamp_s, &body);
            if let Ok(value) = HeaderValue::try_from(signed) {
                headers.insert(HeaderName::from_static(SIGNATURE), value);
            }
        }
        self.web.post(&self.own.url, headers, body).await
    }
}
