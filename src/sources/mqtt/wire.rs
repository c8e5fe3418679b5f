//! One connection at a time to a broker, by rumqttc's codec and state.
//!
//! rumqttc's `poll()` only makes the connection here; once it stands, its parts are driven one by one. So acknowledgements go
//! out many at a time with one write, where its request channel would take a write each; and nothing is read while nothing
//! may be. [`Wire::read`] may be dropped at any time: it waits in one place only, for the first packet, and goes on
//! without waiting once it has it (the packets that would make it wait are those of QoS 2).

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rumqttc::{
    ConnAck, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Packet, PingReq, PubAck,
    PubRec, Publish, QoS, Request, StateError, Subscribe, SubscribeFilter,
};

use super::acks::Ack;

/// Name resolution, TCP, TLS and the broker's answer together take no longer, s.
const CONNECT_WITHIN_S: u64 = 10;

/// The broker takes what is written to it within this time.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// rumqttc's channel for requests, which is not used.
const REQUESTS_MAX: usize = 1;

/// Why a connection ended or could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("cannot connect: {0}")]
    Connect(ConnectionError),
    #[error("the connection is lost: {0}")]
    Lost(StateError),
    #[error("the broker took nothing for {} s", WRITE_WITHIN.as_secs())]
    Stuck,
    #[error("there is no connection")]
    None,
}

impl WireError {
    /// Whether the broker has said that it does not want us: a person must look.
    pub(super) fn is_refusal(&self) -> bool {
        let Self::Connect(ConnectionError::ConnectionRefused(code)) = self else { return false };
        *code != ConnectReturnCode::ServiceUnavailable
    }
}

/// Packets taken from what has come already before anything else is done, about.
const N_PACKETS_AT_ONCE: usize = 256;

pub(super) struct Wire {
    eventloop: EventLoop,
    /// What was read and not given out yet.
    packets: VecDeque<Packet>,
}

impl Wire {
    pub(super) fn new(options: MqttOptions) -> Wire {
        let mut eventloop = EventLoop::new(options, REQUESTS_MAX);
        eventloop.network_options.set_tcp_nodelay(true);
        eventloop.network_options.set_connection_timeout(CONNECT_WITHIN_S);
        Wire { eventloop, packets: VecDeque::new() }
    }

    /// Makes the connection. To be waited for to its end; what is dropped before begins anew.
    pub(super) async fn connect(&mut self) -> Result<ConnAck, WireError> {
        match self.eventloop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(answer))) => Ok(answer),
            Ok(_) => Err(WireError::None),
            Err(error) => Err(WireError::Connect(error)),
        }
    }

    /// Waits for packets; [`next`](Wire::next) gives them. May be dropped.
    pub(super) async fn read(&mut self) -> Result<(), WireError> {
        let network = self.eventloop.network.as_mut().ok_or(WireError::None)?;
        let mut packet = network.read().await.map_err(WireError::Lost)?;
        loop {
            self.keep(packet).await?;
            if self.packets.len() >= N_PACKETS_AT_ONCE {
                return Ok(());
            }
            let network = self.eventloop.network.as_mut().ok_or(WireError::None)?;
            // Only what is there already: nobody is woken for what comes later, the next call looks for it.
            match pin!(network.read()).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(next) => packet = next.map_err(WireError::Lost)?,
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Keeps a packet for [`next`](Wire::next). The client's state is not asked about the many at QoS 0 and 1, which mean
    /// nothing to it: it would copy each.
    async fn keep(&mut self, packet: Packet) -> Result<(), WireError> {
        if matches!(&packet, Packet::Publish(publish) if publish.qos != QoS::ExactlyOnce) {
            self.packets.push_back(packet);
            return Ok(());
        }
        let state = &mut self.eventloop.state;
        let answer = state.handle_incoming_packet(packet).map_err(WireError::Lost)?;
        let seen = state.events.drain(..);
        self.packets.extend(seen.filter_map(|event| match event {
            Event::Incoming(packet) => Some(packet),
            Event::Outgoing(_) => None,
        }));
        let Some(answer) = answer else { return Ok(()) };
        let network = self.eventloop.network.as_mut().ok_or(WireError::None)?;
        network.write(answer).await.map_err(WireError::Lost)
    }

    /// The next packet that was read.
    pub(super) fn next(&mut self) -> Option<Packet> {
        self.packets.pop_front()
    }

    /// Gives a packet back, to be the next again.
    pub(super) fn put_back(&mut self, publish: Publish) {
        self.packets.push_front(Packet::Publish(publish));
    }

    /// Sends acknowledgements, all with one write; says how many.
    pub(super) async fn acknowledge(
        &mut self,
        mut due: impl FnMut() -> Option<Ack>,
    ) -> Result<u64, WireError> {
        let Some(first) = due() else { return Ok(0) };
        let network = self.eventloop.network.as_mut().ok_or(WireError::None)?;
        let mut n = 0;
        let writing = async {
            for ack in std::iter::once(first).chain(std::iter::from_fn(due)) {
                let packet = match ack {
                    Ack { packet, twice: false } => Packet::PubAck(PubAck::new(packet)),
                    Ack { packet, twice: true } => Packet::PubRec(PubRec::new(packet)),
                };
                network.write(packet).await?;
                n += 1;
            }
            network.flush().await
        };
        in_time(writing).await.map(|()| n)
    }

    /// Asks for `filters`; the broker's answer carries the number that is returned.
    pub(super) async fn subscribe(&mut self, filters: Vec<SubscribeFilter>) -> Result<u16, WireError> {
        let asked = Subscribe::new_many(filters);
        match self.send(Request::Subscribe(asked)).await? {
            Some(Packet::Subscribe(sent)) => Ok(sent.pkid),
            _ => Err(WireError::None),
        }
    }

    /// Sends a ping; fails if the one before was not answered, unless nothing was read meanwhile.
    pub(super) async fn ping(&mut self, was_read: bool) -> Result<(), WireError> {
        self.eventloop.state.await_pingresp &= was_read;
        self.send(Request::PingReq(PingReq)).await.map(|_| ())
    }

    /// Says goodbye.
    pub(super) async fn disconnect(&mut self) -> Result<(), WireError> {
        self.send(Request::Disconnect(rumqttc::Disconnect)).await?;
        self.hang_up();
        Ok(())
    }

    /// Drops the connection and everything that belonged to it.
    pub(super) fn hang_up(&mut self) {
        self.eventloop.clean();
        self.eventloop.pending.clear();
        self.eventloop.state.events.clear();
        self.packets.clear();
    }

    async fn send(&mut self, request: Request) -> Result<Option<Packet>, WireError> {
        let packet = self.eventloop.state.handle_outgoing_packet(request).map_err(WireError::Lost)?;
        let network = self.eventloop.network.as_mut().ok_or(WireError::None)?;
        let writing = async {
            if let Some(packet) = packet.clone() {
                network.write(packet).await?;
            }
            network.flush().await
        };
        in_time(writing).await?;
        Ok(packet)
    }
}

async fn in_time(writing: impl Future<Output = Result<(), StateError>>) -> Result<(), WireError> {
    match tokio::time::timeout(WRITE_WITHIN, writing).await {
        Ok(outcome) => outcome.map_err(WireError::Lost),
        Err(_) => Err(WireError::Stuck),
    }
}
