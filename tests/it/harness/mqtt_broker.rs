//! A scripted MQTT broker on port 0: it does nothing by itself; the test says each packet.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::mqttbytes::Error;
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::{
    ConnAck, Connect, ConnectReturnCode, Packet, Publish, SubAck, Subscribe, SubscribeReasonCode,
};
use rumqttc::tokio_rustls::TlsAcceptor;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::bytes::BytesMut;

/// Longest wait for a packet or a connection.
const WITHIN: Duration = Duration::from_secs(10);

/// No packet of a test is longer.
const PACKET_BYTES_MAX: usize = 64 << 20;

/// The listening side.
pub struct Broker {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

/// One accepted connection.
pub struct Peer {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Broker {
    /// Listens without TLS.
    pub async fn start() -> Broker {
        Broker { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), tls: None }
    }

    /// Listens with TLS.
    pub async fn start_tls(config: ServerConfig) -> Broker {
        Broker { tls: Some(TlsAcceptor::from(Arc::new(config))), ..Broker::start().await }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// The next connection, whatever it says; with TLS the handshake may fail.
    pub async fn accept(&self) -> std::io::Result<Peer> {
        let accepted = tokio::time::timeout(WITHIN, self.listener.accept()).await;
        let (tcp, _) = accepted.expect("nobody connects")?;
        tcp.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match &self.tls {
            Some(tls) => Box::new(tls.accept(tcp).await?),
            None => Box::new(tcp),
        };
        Ok(Peer { stream, buffer: BytesMut::new() })
    }

    /// The next connection, greeted.
    pub async fn greet(&self, session_present: bool) -> (Peer, Connect) {
        let mut peer = self.accept().await.unwrap();
        let Packet::Connect(connect) = peer.next().await else { panic!("no CONNECT") };
        peer.send(Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, session_present))).await;
        (peer, connect)
    }

    /// The next connection, greeted, and granted whatever it subscribes to.
    pub async fn serve(&self, session_present: bool) -> Peer {
        let (mut peer, _) = self.greet(session_present).await;
        let asked = peer.subscribe().await;
        peer.grant(&asked).await;
        peer
    }
}

impl Peer {
    /// The next packet but pings, which are answered.
    pub async fn next(&mut self) -> Packet {
        let packet = tokio::time::timeout(WITHIN, self.receive()).await.expect("no packet came");
        packet.expect("the connection was closed")
    }

    /// The next packet but pings, or `None` if none comes for so long.
    pub async fn next_within(&mut self, wait: Duration) -> Option<Packet> {
        tokio::time::timeout(wait, self.receive()).await.ok().map(|p| p.expect("the connection was closed"))
    }

    /// The number of the next acknowledgement; nothing else may come.
    pub async fn ack(&mut self) -> u16 {
        match self.next().await {
            Packet::PubAck(ack) => ack.pkid,
            other => panic!("no PUBACK but {other:?}"),
        }
    }

    /// Numbers of the next `n` acknowledgements.
    pub async fn acks(&mut self, n: usize) -> Vec<u16> {
        let mut seen = Vec::new();
        while seen.len() < n {
            seen.push(self.ack().await);
        }
        seen
    }

    /// The next packet is a SUBSCRIBE.
    pub async fn subscribe(&mut self) -> Subscribe {
        match self.next().await {
            Packet::Subscribe(asked) => asked,
            other => panic!("no SUBSCRIBE but {other:?}"),
        }
    }

    /// Grants all that was asked for.
    pub async fn grant(&mut self, asked: &Subscribe) {
        let codes = asked.filters.iter().map(|f| SubscribeReasonCode::Success(f.qos)).collect();
        self.send(Packet::SubAck(SubAck::new(asked.pkid, codes))).await;
    }

    /// Sends a message; number 0 is QoS 0.
    pub async fn publish(&mut self, number: u16, topic: &str, payload: &[u8]) {
        self.send(Packet::Publish(publish(number, topic, payload))).await;
    }

    /// Sends a packet.
    pub async fn send(&mut self, packet: Packet) {
        self.send_all([packet]).await;
    }

    /// Sends packets with one write.
    pub async fn send_all(&mut self, packets: impl IntoIterator<Item = Packet>) {
        let mut bytes = BytesMut::new();
        for packet in packets {
            packet.write(&mut bytes, PACKET_BYTES_MAX).unwrap();
        }
        self.stream.write_all(&bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Waits until the other side has closed the connection; says what came before.
    pub async fn until_closed(&mut self) -> Vec<Packet> {
        let mut before = Vec::new();
        let reading = async {
            while let Some(packet) = self.receive().await {
                before.push(packet);
            }
        };
        tokio::time::timeout(WITHIN, reading).await.expect("the connection stays open");
        before
    }

    async fn receive(&mut self) -> Option<Packet> {
        loop {
            match Packet::read(&mut self.buffer, PACKET_BYTES_MAX) {
                Ok(Packet::PingReq) => self.send(Packet::PingResp).await,
                Ok(packet) => return Some(packet),
                Err(Error::InsufficientBytes(_)) => {
                    if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                        return None;
                    }
                }
                Err(error) => panic!("the client sends no MQTT: {error}"),
            }
        }
    }
}

/// A message; number 0 is QoS 0.
pub fn publish(number: u16, topic: &str, payload: &[u8]) -> Publish {
    let qos = if number == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
    let mut publish = Publish::new(topic, qos, payload);
    publish.pkid = number;
    publish
}
