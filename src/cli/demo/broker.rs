//! The demo's MQTT broker: rumqttd in this process, on a free loopback port. For the demo only, never a store.
//!
//! It keeps everything in memory and cannot be stopped: its threads end with the process.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Another process may take a port between our looking and the broker's binding: so many tries.
const TRIES_MAX: u32 = 5;

/// The broker binds within milliseconds; after this long the port was lost to another process.
const START_WITHIN: Duration = Duration::from_secs(3);

/// Between two looks whether it listens.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What the broker keeps of each topic, bytes in one segment and segments. Enough for some minutes of a demo.
const KEPT: (usize, usize) = (256 * 1_024, 2);

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No port could be had.
    #[error("find a free port on the loopback interface")]
    Port(#[source] io::Error),
    /// No thread could be had.
    #[error("start a thread for the MQTT broker")]
    Thread(#[source] io::Error),
    /// It never listened.
    #[error("the MQTT broker did not listen on any of {TRIES_MAX} ports")]
    Silent,
}

/// Starts the broker and waits until it listens. Blocks for some milliseconds.
///
/// # Errors
/// See [`BrokerError`].
pub fn start() -> Result<SocketAddr, BrokerError> {
    for _ in 0..TRIES_MAX {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr());
        let address = free.map_err(BrokerError::Port)?;
        let running = thread::Builder::new()
            .name("demo-broker".to_owned())
            .spawn(move || {
                if let Err(error) = rumqttd::Broker::new(settings(address)).start() {
                    tracing::debug!(%error, "The demo's broker did not start.");
                }
            })
            .map_err(BrokerError::Thread)?;
        let looks = START_WITHIN.as_millis() / LOOK_EVERY.as_millis();
        for _ in 0..looks {
            if running.is_finished() {
                break;
            }
            if TcpStream::connect_timeout(&address, START_WITHIN).is_ok() {
                return Ok(address);
            }
            thread::sleep(LOOK_EVERY);
        }
    }
    Err(BrokerError::Silent)
}

fn settings(listen: SocketAddr) -> rumqttd::Config {
    let connections = rumqttd::ConnectionSettings {
        connection_timeout_ms: 10_000,
        max_payload_size: 64 * 1_024,
        max_inflight_count: 100,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let server = rumqttd::ServerSettings {
        name: "demo-mqtt".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 1,
        connections,
    };
    let router = rumqttd::RouterConfig {
        max_connections: 64,
        max_outgoing_packet_count: 200,
        max_segment_size: KEPT.0,
        max_segment_count: KEPT.1,
        ..Default::default()
    };
    rumqttd::Config { router, v4: Some(HashMap::from([("1".to_owned(), server)])), ..Default::default() }
}
