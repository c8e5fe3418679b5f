//! Notices as CloudEvents to an MQTT broker, each acknowledged before the next.

use std::time::Duration;

use rumqttc::{AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, Outgoing, QoS};

use super::answer::{self, Answer};
use super::event;
use crate::config::receivers::{Mqtt, Receiver};
use crate::notices::notice::Notice;
use crate::sources::mqtt::options::{self, OptionsError};
use crate::wording::words::Lang;

/// Requests between the client and its connection: one notice at a time, and a farewell.
const N_REQUESTS_MAX: usize = 2;

/// Carries notices to a broker.
pub struct PublishCourier {
    own: Mqtt,
    name: Box<str>,
    language: Lang,
    timeout: Duration,
    /// While there is something to carry.
    connection: Option<(AsyncClient, EventLoop)>,
}

impl PublishCourier {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(receiver: &Receiver, own: &Mqtt) -> PublishCourier {
        PublishCourier {
            own: own.clone(),
            name: receiver.name.clone(),
            language: receiver.language,
            timeout: receiver.timeout,
            connection: None,
        }
    }

    /// One notice, up to the broker's acknowledgement.
    pub async fn carry(&mut self, notice: &Notice) -> Answer {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => match self.connect() {
                Ok(connection) => connection,
                Err(error) => return Answer::Hold { why: answer::chain(&error) },
            },
        };
        let topic = self.own.topic.replace("{site}", &notice.site.id);
        let body = event::of(notice, &self.name, self.language).to_string();
        match tokio::time::timeout(self.timeout, exchange(connection, topic, self.own.retain, body)).await {
            Ok(Ok(connection)) => {
                self.connection = Some(connection);
                Answer::Taken
            }
            Ok(Err(answer)) => answer,
            Err(_) => Answer::Slow { why: format!("no acknowledgement within {:?}", self.timeout) },
        }
    }

    /// Nothing is left to carry: the connection would only be dropped by the broker for being silent.
    pub async fn rest(&mut self) {
        let Some((client, mut events)) = self.connection.take() else { return };
        if client.disconnect().await.is_ok() {
            let gone = async {
                while !matches!(events.poll().await, Err(_) | Ok(Event::Outgoing(Outgoing::Disconnect))) {}
            };
            let _ = tokio::time::timeout(self.timeout, gone).await;
        }
    }

    fn connect(&self) -> Result<(AsyncClient, EventLoop), OptionsError> {
        Ok(AsyncClient::new(options::options(&self.own.broker)?, N_REQUESTS_MAX))
    }
}

/// Publishes, and polls until that is acknowledged. The connection comes back if it is of further use.
async fn exchange(
    (client, mut events): (AsyncClient, EventLoop),
    topic: String,
    retain: bool,
    body: String,
) -> Result<(AsyncClient, EventLoop), Answer> {
    let later = |why: String| Answer::Later { why };
    client.publish(topic, QoS::AtLeastOnce, retain, body).await.map_err(|e| later(answer::chain(&e)))?;
    let mut sent = None;
    loop {
        match events.poll().await {
            Ok(Event::Outgoing(Outgoing::Publish(id))) => sent = Some(id),
            Ok(Event::Incoming(Incoming::PubAck(ack))) if Some(ack.pkid) == sent => {
                return Ok((client, events));
            }
            Ok(_) => {}
            Err(error) => return Err(refused(&error)),
        }
    }
}

/// A password that is wrong will not be right later; everything else may be.
fn refused(error: &ConnectionError) -> Answer {
    let why = answer::chain(error);
    let is_ours = matches!(
        error,
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword
                | ConnectReturnCode::NotAuthorized
                | ConnectReturnCode::BadClientId
        )
    );
    if is_ours { Answer::Hold { why } } else { Answer::Later { why } }
}

impl std::fmt::Debug for PublishCourier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublishCourier").field("name", &self.name).finish_non_exhaustive()
    }
}
