//! By which way a receiver is told.

use std::time::Duration;

use super::alertmanager::AlertmanagerCourier;
use super::answer::Answer;
use super::mail::{MailCourier, MailError};
use super::publish::PublishCourier;
use super::web::WebError;
use super::webhook::WebhookCourier;
use crate::alerts::alert::Alert;
use crate::config::receivers::{Receiver, Via};
use crate::model::time::UtcMs;
use crate::notices::item::Item;
use crate::notices::notice::{About, Notice};

/// Why a receiver cannot be told at all.
#[derive(Debug, thiserror::Error)]
pub enum CourierError {
    /// A webhook or an Alertmanager.
    #[error("requests cannot be made")]
    Web(#[source] WebError),
    /// A mail server.
    #[error("mails cannot be made")]
    Mail(#[source] MailError),
}

/// Carries notices by one of the ways there are.
#[derive(Debug)]
pub enum Courier {
    /// To a web address.
    Webhook(WebhookCourier),
    /// To an Alertmanager.
    Alertmanager(AlertmanagerCourier),
    /// To a broker.
    Publish(Box<PublishCourier>),
    /// To a mail server.
    Mail(Box<MailCourier>),
}

impl Courier {
    /// The way that is configured. Reads certificates.
    ///
    /// # Errors
    /// See [`CourierError`].
    pub fn new(receiver: &Receiver) -> Result<Courier, CourierError> {
        Ok(match &receiver.via {
            Via::Webhook(own) => {
                Courier::Webhook(WebhookCourier::new(receiver, own).map_err(CourierError::Web)?)
            }
            Via::Alertmanager(own) => {
                Courier::Alertmanager(AlertmanagerCourier::new(receiver, own).map_err(CourierError::Web)?)
            }
            Via::Mqtt(own) => Courier::Publish(Box::new(PublishCourier::new(receiver, own))),
            Via::Mail(own) => {
                Courier::Mail(Box::new(MailCourier::new(receiver, own).map_err(CourierError::Mail)?))
            }
        })
    }

    /// One notice, and what came of it.
    pub async fn carry(&mut self, notice: &Notice, now: UtcMs) -> Answer {
        match self {
            Courier::Webhook(own) => own.carry(notice, now).await,
            Courier::Alertmanager(own) => own.carry(notice, now).await,
            Courier::Publish(own) => own.carry(notice).await,
            Courier::Mail(own) => own.carry(notice, now).await,
        }
    }

    /// Nothing waits any more.
    pub async fn rest(&mut self) {
        if let Courier::Publish(own) = self {
            own.rest().await;
        }
    }

    /// How often what stands is told again, by a way on which it would be forgotten.
    #[must_use]
    pub fn keep_alive_every(&self) -> Option<Duration> {
        match self {
            Courier::Alertmanager(own) => Some(own.keep_alive_every()),
            _ => None,
        }
    }

    /// Tells what stands again.
    pub async fn keep_alive(&mut self, standing: &[(Item, Alert, About)], now: UtcMs) -> Answer {
        match self {
            Courier::Alertmanager(own) => own.keep_alive(standing, now).await,
            _ => Answer::Taken,
        }
    }

    /// How long the far side last asked to wait, once.
    pub fn retry_after(&mut self) -> Option<Duration> {
        match self {
            Courier::Webhook(own) => own.web.retry_after(),
            Courier::Alertmanager(own) => own.web.retry_after(),
            Courier::Publish(_) | Courier::Mail(_) => None,
        }
    }
}
