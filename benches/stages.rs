//! Where the time of a reading goes: the stages one by one, over the same messages.

use anyhow::Context as _;
use submeterd::engine::effects::Effects;
use submeterd::engine::world::World;
use submeterd::journal::{Journal, Reader};
use submeterd::model::message::{Delivery, Kind, Message};
use submeterd::model::reading::ReadingBatch;
use submeterd::model::time::Clock;
use submeterd::sources::mqtt::decode::Decoders;

use crate::blaster::Form;
use crate::figures::{self, Scale, Stopwatch, median, short};
use crate::{pipeline, plants};

/// Readings in a journal row, as they come under full load.
const N_ROW: usize = 1_000;

const N_READINGS: usize = 200_000;

/// Topic and payload.
type Spoken = (String, String);

/// Prints what each stage costs.
pub fn print(scale: Scale, n_meters: u32) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for form in [Form::Single, Form::Rows, Form::Readings] {
        let n = scale.of(N_READINGS);
        let all: Vec<Spoken> = (0..n / form.n_readings() as usize)
            .map(|i| {
                let first = u32::try_from(i)? * form.n_readings();
                let round = i64::from(first / n_meters);
                Ok(form.message(first % n_meters, plants::START.plus(round * 10_000)))
            })
            .collect::<anyhow::Result<_>>()?;
        let runs =
            (0..scale.n_runs).map(|_| stages(form, n_meters, &all)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut row = vec![form.name().to_owned()];
        row.extend(
            (0..5).map(|stage| short(median(runs.iter().map(|r| r[stage] * 1e6 / n as f64).collect()))),
        );
        rows.push(row);
    }
    let head = ["message", "journal: append, sync", "journal: read", "decode", "judge", "store"];
    figures::print("ingest: the stages alone, CPU-µs a reading", &head, &rows);
    Ok(())
}

fn message((topic, payload): &Spoken) -> Message<'_> {
    Message {
        kind: Kind::Mqtt,
        delivery: Delivery::PLAIN,
        received: plants::START.plus(60_000),
        source: plants::BROKER,
        topic,
        payload: payload.as_bytes(),
    }
}

/// Processor time of each stage, s.
fn stages(form: Form, n_meters: u32, all: &[Spoken]) -> anyhow::Result<[f64; 5]> {
    let folder = figures::folder()?;
    let registry = plants::registry(n_meters as usize, 10_000);
    let n_row = (N_ROW / form.n_readings() as usize).max(1);

    let (journal, thread) = Journal::open(folder.path(), pipeline::ROOMY, Clock::System)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let packed = registry.pack()?;
    let received = plants::START.plus(-1);
    runtime.block_on(journal.append_durable(&pipeline::bare(Kind::Registry, received, &packed)))?;
    let mut durable = journal.durable();
    let begun = Stopwatch::start()?;
    for row in all.chunks(n_row) {
        let mut last = 0;
        for spoken in row {
            last = journal.append(&message(spoken))?;
        }
        runtime.block_on(durable.wait_for(|d| *d >= last)).context("the journal is closed")?;
    }
    let (_, append_s) = begun.read()?;
    thread.finish()?;

    let mut reader = Reader::open(folder.path())?;
    let begun = Stopwatch::start()?;
    let mut after = 0;
    while let Some(row) = reader.next(after)? {
        after = row.last();
    }
    let (_, read_s) = begun.read()?;

    let decoders = Decoders::new(&registry);
    let (mut readings, mut rejects) = (ReadingBatch::default(), Vec::new());
    let begun = Stopwatch::start()?;
    for row in all.chunks(n_row) {
        readings.clear();
        for spoken in row {
            decoders.decode(&registry.meters, &message(spoken), 1, &mut readings, &mut rejects);
        }
    }
    let (_, decode_s) = begun.read()?;
    anyhow::ensure!(rejects.is_empty(), "{rejects:?}");

    let (mut world, mut effects) = (World::empty(), Effects::default());
    world.take_registry(registry, received, 1);
    let begun = Stopwatch::start()?;
    for row in all.chunks(n_row) {
        effects.clear();
        for spoken in row {
            world.take(&message(spoken), 1, &mut effects);
        }
    }
    let (_, world_s) = begun.read()?;

    let mut engine = pipeline::engine(folder.path())?;
    let registry = reader.next(0)?.context("an empty journal")?;
    engine.step(registry.messages())?;
    let begun = Stopwatch::start()?;
    while let Some(row) = reader.next(engine.taken())? {
        engine.step(row.messages())?;
    }
    let (_, engine_s) = begun.read()?;
    Ok([append_s, read_s, decode_s, world_s - decode_s, engine_s - read_s - world_s])
}
