//! MQTT end to end at QoS 1: broker → session → journal → engine → history and outbox, against a client that only drains
//! the same broker. A reading counts when it is synced, acknowledged, decoded, judged, in history and in the outbox.
//!
//! The plants' time runs ahead of the clock on the wall: each round of readings is [`blaster::ROUND_MS`] later than the
//! one before, and ticks come every [`TICK_MS`] of that time.

mod blaster;
mod figures;
mod pipeline;
mod plants;
mod stages;

use blaster::{Blaster, Form};
use figures::{Scale, Stopwatch, median, short};
use pipeline::Outcome;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};

/// Meters that speak: of 3,627 plants with six each, as many as go into whole batches.
const N_METERS: u32 = 21_760;

/// Messages of each form.
const CASES: [(Form, usize); 3] =
    [(Form::Single, 1_000_000), (Form::Rows, 100_000), (Form::Readings, 100_000)];

fn main() -> anyhow::Result<()> {
    if blaster::was_asked_for()? {
        return Ok(());
    }
    let scale = Scale::from_args();
    let only = std::env::args().find_map(|a| a.strip_prefix("--form=").map(str::to_owned));
    let (mut whole, mut threads) = (Vec::new(), Vec::new());
    for (form, n_all) in CASES.into_iter().filter(|(f, _)| only.as_ref().is_none_or(|o| o == f.name())) {
        let n_messages = scale.of(n_all);
        let n = n_messages as f64 * f64::from(form.n_readings());
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..scale.n_runs {
            ours.push(pipeline::run(form, N_METERS, n_messages)?);
            bare.push(drain(form, n_messages)?);
        }
        let of = |all: &[Outcome], f: &dyn Fn(&Outcome) -> f64| median(all.iter().map(f).collect());
        let cpu_us = |o: &Outcome| o.cpu_s * 1e6 / n;
        let per_s = |o: &Outcome| n / o.wall_s;
        let ratio = median(ours.iter().zip(&bare).map(|(a, b)| a.cpu_s / b.cpu_s).collect());
        whole.push(vec![
            form.name().to_owned(),
            short(form.message(0, plants::START).1.len() as f64),
            short(of(&ours, &cpu_us)),
            short(of(&bare, &cpu_us)),
            short(ratio),
            short(of(&ours, &per_s)),
            short(of(&bare, &per_s)),
        ]);
        let mut row = vec![form.name().to_owned()];
        row.extend(pipeline::THREADS.map(|name| short(of(&ours, &|o| o.thread(name) * 1e6 / n))));
        threads.push(row);
    }
    let head = [
        "message",
        "bytes",
        "CPU-µs a reading",
        "bare client, CPU-µs a reading",
        "ratio",
        "readings/s",
        "bare client, readings/s",
    ];
    figures::print("ingest: MQTT at QoS 1 into history and outbox, everything synced", &head, &whole);
    let head = ["message", "session", "journal", "engine"];
    figures::print("ingest: CPU-µs a reading by thread", &head, &threads);
    if only.is_none() {
        stages::print(scale, N_METERS)?;
    }
    Ok(())
}

/// A client that receives and acknowledges the same messages and does nothing with them.
fn drain(form: Form, n_messages: usize) -> anyhow::Result<Outcome> {
    let broker = Blaster::start(form, N_METERS, n_messages)?;
    let runtime = pipeline::runtime()?;
    let mut options = MqttOptions::new("drain", "127.0.0.1", broker.port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut eventloop) = AsyncClient::new(options, 10);
    let begun = Stopwatch::start()?;
    let mut draining = tokio::task::JoinSet::new();
    draining.spawn_on(
        async move {
            client.subscribe("#", QoS::AtLeastOnce).await?;
            let mut n = 0;
            while n < n_messages {
                n += usize::from(matches!(eventloop.poll().await?, Event::Incoming(Packet::Publish(_))));
            }
            anyhow::Ok(())
        },
        runtime.handle(),
    );
    runtime.block_on(draining.join_next()).transpose()?.transpose()?;
    let (wall_s, cpu_s) = begun.read()?;
    Ok(Outcome { wall_s, cpu_s, threads: Vec::new() })
}
