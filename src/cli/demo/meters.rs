//! The meters of the simulated plants on real sockets: MQTT gateways that publish, Modbus TCP slaves that answer.
//!
//! A silent meter is silent as in life: nothing is published for it, its slave does not answer.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing, QoS};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};
use tokio_util::sync::CancellationToken;

use super::plant::{Measured, Plant, Snapshot};
use crate::model::time::{Clock, UtcMs};

/// Publishes that wait for the broker; beyond it the newest is dropped, as a small gateway would.
const PUBLISHES_WAITING_MAX: usize = 32;

/// Between two tries of a gateway to connect.
const RECONNECT_AFTER: Duration = Duration::from_millis(200);

/// A gateway says goodbye to the broker within this time or leaves without.
const GOODBYE_WITHIN: Duration = Duration::from_millis(500);

/// Registers of an SDM630 that the demo serves: 0 up to this one.
const REGISTERS: usize = 358;

/// The meter answers no more than so many registers at once.
const REGISTERS_AT_ONCE: u16 = 80;

/// Why the meters ended.
#[derive(Debug, thiserror::Error)]
pub enum MeterError {
    /// The Modbus slaves cannot accept connections.
    #[error("serve the Modbus slaves of {plant}")]
    Slaves {
        /// Which plant.
        plant: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A reading could not be written as JSON.
    #[error("write the readings of {plant} as JSON")]
    Json {
        /// Which plant.
        plant: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// The native JSON of one reading.
#[derive(Serialize)]
struct Native {
    ts: i64,
    seq: u64,
    u: [f64; 3],
    i: [f64; 3],
    p: f64,
    pf: f64,
    ep: f64,
}

/// Topic of a meter's readings.
#[must_use]
pub fn topic(site: &str, meter: &str) -> String {
    format!("submeter/v1/{site}/{meter}/reading")
}

/// One reading as a meter's gateway writes it, with the digits a meter has.
///
/// # Errors
/// Not a number that JSON can carry.
pub fn native(measured: &Measured, at: UtcMs, seq: u64) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Native {
        ts: at.0,
        seq,
        u: measured.voltages_v.map(|v| rounded(v, 10.0)),
        i: measured.currents_a.map(|a| rounded(a, 100.0)),
        p: rounded(measured.power_kw, 1_000.0),
        pf: rounded(measured.power_factor, 100.0),
        ep: rounded(measured.energy_kwh, 1_000.0),
    })
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

/// The gateway of a plant: publishes every meter that is not silent whenever there is a new snapshot.
///
/// # Errors
/// See [`MeterError`].
pub async fn gateway(
    (index, plant): (usize, &'static Plant),
    broker: SocketAddr,
    clock: Clock,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    stop: CancellationToken,
) -> Result<(), MeterError> {
    let mut options =
        MqttOptions::new(format!("gateway-{}", plant.id), broker.ip().to_string(), broker.port());
    options.set_keep_alive(Duration::from_secs(10));
    let (client, events) = AsyncClient::new(options, PUBLISHES_WAITING_MAX);
    let publishing = async {
        let result = publish((index, plant), &client, &clock, snapshots, &stop).await;
        // A broker that is gone needs no goodbye.
        let _ = client.try_disconnect();
        result
    };
    let (result, ()) = tokio::join!(publishing, drive(events, stop.clone()));
    result
}

async fn publish(
    (index, plant): (usize, &'static Plant),
    client: &AsyncClient,
    clock: &Clock,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    stop: &CancellationToken,
) -> Result<(), MeterError> {
    let topics: Vec<String> = plant.units.iter().map(|u| topic(plant.id, u.id)).collect();
    let mut seq = 0;
    loop {
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() { return Ok(()) },
            () = stop.cancelled() => return Ok(()),
        }
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        let Some(meters) = snapshot.plants.get(index) else { continue };
        seq += 1;
        for (measured, topic) in meters.iter().zip(&topics).filter(|(m, _)| m.heard) {
            let payload = native(measured, clock.now(), seq)
                .map_err(|source| MeterError::Json { plant: plant.id, source })?;
            if let Err(error) = client.try_publish(topic, QoS::AtLeastOnce, false, payload) {
                tracing::warn!(plant = plant.id, %error, "A simulated gateway dropped a reading.");
            }
        }
    }
}

/// Keeps a gateway's connection going until its goodbye is sent.
async fn drive(mut events: EventLoop, stop: CancellationToken) {
    let goodbye = async {
        stop.cancelled().await;
        tokio::time::sleep(GOODBYE_WITHIN).await;
    };
    let connection = async {
        loop {
            match events.poll().await {
                Ok(Event::Outgoing(Outgoing::Disconnect)) => return,
                Ok(_) => {}
                Err(_) if stop.is_cancelled() => return,
                Err(error) => {
                    tracing::debug!(%error, "A simulated gateway connects again.");
                    tokio::time::sleep(RECONNECT_AFTER).await;
                }
            }
        }
    };
    tokio::select! {
        () = connection => {}
        () = goodbye => {}
    }
}

/// The Modbus TCP slaves of a plant behind one port: unit 1 is its first meter, and so on.
///
/// # Errors
/// See [`MeterError`].
pub async fn slaves(
    (index, plant): (usize, &'static Plant),
    listener: TcpListener,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    stop: CancellationToken,
) -> Result<(), MeterError> {
    let service = Arc::new(Slaves { plant: index, snapshots });
    let new_service = |_| Ok(Some(Arc::clone(&service)));
    let on_connected =
        |stream: TcpStream, peer| async move { accept_tcp_connection(stream, peer, new_service) };
    let on_error = |error| tracing::debug!(%error, "A Modbus connection of the demo broke.");
    let served = Server::new(listener)
        .serve_until(&on_connected, on_error, stop.cancelled_owned())
        .await
        .map_err(|source| MeterError::Slaves { plant: plant.id, source });
    served.map(|_| ())
}

struct Slaves {
    plant: usize,
    snapshots: watch::Receiver<Arc<Snapshot>>,
}

impl Service for Slaves {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Option<Response>, ExceptionCode>>;

    fn call(&self, request: SlaveRequest<'static>) -> Self::Future {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        let meters = snapshot.plants.get(self.plant);
        let unit = usize::from(request.slave).checked_sub(1);
        ready(match unit.and_then(|unit| meters?.get(unit)) {
            Some(measured) if measured.heard => answer(measured, &request.request).map(Some),
            _ => Ok(None),
        })
    }
}

/// What an SDM630 answers: input registers in pairs, at most 80 of them.
fn answer(measured: &Measured, request: &Request<'_>) -> Result<Response, ExceptionCode> {
    let Request::ReadInputRegisters(address, count) = *request else {
        return Err(ExceptionCode::IllegalFunction);
    };
    if count == 0 || count > REGISTERS_AT_ONCE || !count.is_multiple_of(2) {
        return Err(ExceptionCode::IllegalDataValue);
    }
    let (from, image) = (usize::from(address), image(measured));
    let words = image.get(from..from + usize::from(count)).ok_or(ExceptionCode::IllegalDataAddress)?;
    Ok(Response::ReadInputRegisters(words.to_vec()))
}

/// The registers of an SDM630: 32-bit floats, high word first.
#[expect(clippy::cast_possible_truncation, reason = "the meter keeps 32-bit floats")]
fn image(measured: &Measured) -> [u16; REGISTERS] {
    let mut image = [0; REGISTERS];
    let mut put = |address: usize, value: f64| {
        let bits = (value as f32).to_bits();
        let [high, low] = [bits >> 16, bits & 0xFFFF].map(|word| u16::try_from(word).unwrap_or_default());
        (image[address], image[address + 1]) = (high, low);
    };
    let phases = measured.voltages_v.iter().zip(measured.currents_a);
    for (phase, (volts, amperes)) in phases.enumerate() {
        let apparent_va = volts * amperes;
        put(2 * phase, *volts);
        put(6 + 2 * phase, amperes);
        put(12 + 2 * phase, apparent_va * measured.power_factor);
        put(24 + 2 * phase, reactive(apparent_va, measured.power_factor));
        put(30 + 2 * phase, measured.power_factor);
        put(346 + 2 * phase, measured.energy_kwh / 3.0);
    }
    let power_w = measured.power_kw * 1_000.0;
    put(52, power_w);
    put(60, reactive(power_w / measured.power_factor, measured.power_factor));
    put(62, measured.power_factor);
    put(70, 50.0);
    put(72, measured.energy_kwh);
    put(342, measured.energy_kwh);
    image
}

fn reactive(apparent_va: f64, power_factor: f64) -> f64 {
    apparent_va * (1.0 - power_factor * power_factor).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use rumqttc::Packet;
    use tokio::time::timeout;
    use tokio_modbus::client::{Reader, tcp};
    use tokio_modbus::{Slave, prelude::SlaveContext};

    use super::super::broker;
    use super::super::plant::Simulation;
    use super::super::story::PLANTS;
    use super::*;
    use crate::daemon::tasks::Tasks;

    const SOON: Duration = Duration::from_secs(10);

    fn f32_at(words: &[u16], address: usize) -> f64 {
        f64::from(f32::from_bits(u32::from(words[address]) << 16 | u32::from(words[address + 1])))
    }

    #[test]
    fn the_image_is_that_of_the_meter() {
        let measured = Simulation::new(&PLANTS, 1).read(5_000).plants[2][0];
        let image = image(&measured);
        let near = |address, value: f64| {
            let read = f32_at(&image, address);
            assert!((read - value).abs() <= value.abs() * 1e-6, "{address}: {read} {value}");
        };
        near(0, measured.voltages_v[0]);
        near(10, measured.currents_a[2]);
        near(52, measured.power_kw * 1_000.0);
        near(72, measured.energy_kwh);
        let by_phase: f64 = [12, 14, 16].iter().map(|a| f32_at(&image, *a)).sum();
        assert!((by_phase - measured.power_kw * 1_000.0).abs() < 1.0, "{by_phase}");
    }

    #[test]
    fn a_reading_is_the_native_json() {
        let measured = Measured {
            power_kw: 71.236_4,
            voltages_v: [229.84, 230.1, 231.0],
            currents_a: [117.446, 117.0, 116.0],
            power_factor: 0.88,
            energy_kwh: 20_331.750_4,
            heard: true,
        };
        let json = String::from_utf8(native(&measured, UtcMs(1_661_789_400_000), 7).unwrap()).unwrap();
        assert_eq!(
            json,
            r#"{"ts":1661789400000,"seq":7,"u":[229.8,230.1,231.0],"i":[117.45,117.0,116.0],"p":71.236,"pf":0.88,"ep":20331.75}"#
        );
    }

    #[tokio::test]
    async fn the_broker_brings_the_readings_of_a_gateway_to_a_plain_subscriber() {
        let broker = tokio::task::spawn_blocking(broker::start).await.unwrap().unwrap();
        let mut simulation = Simulation::new(&PLANTS, 1);
        let (send, snapshots) = watch::channel(Arc::new(simulation.read(0)));

        let options = MqttOptions::new("audience", broker.ip().to_string(), broker.port());
        let (client, mut events) = AsyncClient::new(options, 8);
        client.subscribe("submeter/v1/+/+/reading", QoS::AtLeastOnce).await.unwrap();
        let next = async |events: &mut EventLoop, wanted: fn(&Packet) -> bool| {
            timeout(SOON, async {
                loop {
                    match events.poll().await.unwrap() {
                        Event::Incoming(packet) if wanted(&packet) => return packet,
                        _ => {}
                    }
                }
            })
            .await
            .unwrap()
        };
        next(&mut events, |p| matches!(p, Packet::SubAck(_))).await;

        let mut tasks = Tasks::new();
        tasks.spawn("gateway", gateway((1, &PLANTS[1]), broker, Clock::System, snapshots, tasks.stop()));
        send.send(Arc::new(simulation.read(1_000))).unwrap();
        let mut seen = Vec::new();
        while seen.len() < 2 {
            if let Packet::Publish(publish) = next(&mut events, |p| matches!(p, Packet::Publish(_))).await {
                let json: serde_json::Value = serde_json::from_slice(&publish.payload).unwrap();
                seen.push((publish.topic, json["p"].as_f64().unwrap()));
            }
        }
        assert_eq!(seen[0].0, "submeter/v1/plant-b/press/reading");
        assert_eq!(seen[1].0, "submeter/v1/plant-b/scrubber/reading");
        assert!((65.0..78.0).contains(&seen[0].1), "{seen:?}");
        assert!(tasks.stop_within(SOON).await.is_empty());
    }

    #[tokio::test]
    async fn a_slave_answers_as_the_meter_does_and_a_silent_one_not_at_all() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut simulation = Simulation::new(&PLANTS, 1);
        let snapshot = simulation.read(10_000);
        let line = snapshot.plants[2][0];
        let (_send, snapshots) = watch::channel(Arc::new(snapshot));
        let mut tasks = Tasks::new();
        tasks.spawn("slaves", slaves((2, &PLANTS[2]), listener, snapshots, tasks.stop()));

        let mut master = tcp::connect_slave(address, Slave(1)).await.unwrap();
        let words = timeout(SOON, master.read_input_registers(52, 22)).await.unwrap().unwrap().unwrap();
        assert!((f32_at(&words, 0) - line.power_kw * 1_000.0).abs() < 0.1);
        assert!((f32_at(&words, 20) - line.energy_kwh).abs() < 0.01);
        let odd = timeout(SOON, master.read_input_registers(52, 3)).await.unwrap().unwrap();
        assert_eq!(odd, Err(ExceptionCode::IllegalDataValue));
        let beyond = timeout(SOON, master.read_input_registers(356, 4)).await.unwrap().unwrap();
        assert_eq!(beyond, Err(ExceptionCode::IllegalDataAddress));
        let table = timeout(SOON, master.read_holding_registers(52, 2)).await.unwrap().unwrap();
        assert_eq!(table, Err(ExceptionCode::IllegalFunction));

        master.set_slave(Slave(2));
        let silent = timeout(Duration::from_millis(150), master.read_input_registers(52, 2)).await;
        assert!(silent.is_err(), "the fan's meter is silent at that time: {silent:?}");
        assert!(tasks.stop_within(SOON).await.is_empty());
    }
}
