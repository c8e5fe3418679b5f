//! Everything that runs in a demo: put up, kept going while somebody watches, taken down.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::broker;
use super::door;
use super::files;
use super::meters;
use super::plant::{Simulation, Snapshot, Wire};
use super::scene::{Findings, Past};
use super::screen::Screen;
use super::service::{self, Reader};
use super::story::PLANTS;
use crate::daemon::tasks::Tasks;
use crate::model::time::Clock;
use crate::wording::words::Lang;

/// Meters are read so often: a second stands for a minute.
const READ_EVERY: Duration = Duration::from_secs(1);

/// The scene is shown so often.
const SHOW_EVERY: Duration = Duration::from_millis(250);

/// The daemon, and then the meters, may take so long to end.
const END_WITHIN: Duration = Duration::from_secs(5);

/// What is to be performed.
#[derive(Clone, Debug)]
pub struct Play {
    /// Makes the plants.
    pub seed: u64,
    /// Language of names in the configuration.
    pub lang: Lang,
    /// Ends by itself after this time.
    pub length: Option<Duration>,
}

/// Performs the demo in a folder and returns what the daemon had found at its end.
///
/// # Errors
/// Something cannot be started, or ended unasked.
pub async fn perform(play: &Play, folder: &Path, screen: &mut Screen) -> anyhow::Result<Findings> {
    let mut signals = Signals::new().context("listen for signals")?;
    let mut simulation = Simulation::new(&PLANTS, play.seed);
    let (send, snapshots) = watch::channel(Arc::new(simulation.read(0)));
    let (mut props, mut house) = (Tasks::new(), Tasks::new());

    let addresses = put_up(&snapshots, &mut props).await?;
    let page = door::make(&files::data_dir(folder)).await?;
    let config_file = files::write(folder, &PLANTS, &addresses, page.address, play.lang)?;
    service::start(&config_file, &mut house).await?;
    screen.open(&page.line(play.lang)).context("write to the terminal")?;
    let begin = Instant::now();
    props.spawn("plants", run_plants(simulation, begin, send, props.stop()));

    let mut audience =
        Audience { folder, begin, snapshots, past: Past::new(&PLANTS), reader: Reader::default() };
    let over = async {
        match play.length {
            Some(length) => tokio::time::sleep_until(begin + length).await,
            None => std::future::pending().await,
        }
    };
    let watched = tokio::select! {
        failed = audience.watch(screen) => failed.map(|never| match never {}),
        () = over => Ok(()),
        () = signals.end() => Ok(()),
        why = house.unasked_end() => Err(why.into()),
        why = props.unasked_end() => Err(why.into()),
    };
    // The daemon first: it must not take the end of the play for an outage.
    let mut failures = house.stop_within(END_WITHIN).await;
    let last = watched.and_then(|()| audience.look(screen));
    failures.extend(props.stop_within(END_WITHIN).await);
    match failures.into_iter().next() {
        Some(failure) if last.is_ok() => Err(failure.into()),
        _ => last,
    }
}

/// Starts broker and meters; returns where the daemon finds each plant.
async fn put_up(
    snapshots: &watch::Receiver<Arc<Snapshot>>,
    props: &mut Tasks,
) -> anyhow::Result<Vec<SocketAddr>> {
    let broker = tokio::task::spawn_blocking(broker::start)
        .await
        .context("start the MQTT broker")?
        .context("start the MQTT broker")?;
    let mut addresses = Vec::new();
    for (index, plant) in PLANTS.iter().enumerate() {
        let place = (index, plant);
        let name = format!("meters of {}", plant.id);
        match plant.wire {
            Wire::Mqtt => {
                let gateway = meters::gateway(place, broker, Clock::System, snapshots.clone(), props.stop());
                props.spawn(name, gateway);
                addresses.push(broker);
            }
            Wire::Modbus => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
                let listener = listener.context("open a port for the Modbus slaves")?;
                addresses.push(listener.local_addr().context("open a port for the Modbus slaves")?);
                props.spawn(name, meters::slaves(place, listener, snapshots.clone(), props.stop()));
            }
        }
    }
    Ok(addresses)
}

/// Lets time pass in the plants.
async fn run_plants(
    mut simulation: Simulation,
    begin: Instant,
    send: watch::Sender<Arc<Snapshot>>,
    stop: CancellationToken,
) -> Result<(), Infallible> {
    let mut every = tokio::time::interval_at(begin, READ_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = stop.cancelled() => return Ok(()),
        }
        send.send_replace(Arc::new(simulation.read(elapsed_ms(begin))));
    }
}

fn elapsed_ms(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Who watches: the meters over there, the daemon's store over here.
struct Audience<'a> {
    folder: &'a Path,
    begin: Instant,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    past: Past,
    reader: Reader,
}

impl Audience<'_> {
    /// Shows the scene again and again.
    async fn watch(&mut self, screen: &mut Screen) -> anyhow::Result<Infallible> {
        let mut every = tokio::time::interval(SHOW_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            every.tick().await;
            self.look(screen)?;
        }
    }

    /// Looks at meters and store once and shows the scene.
    fn look(&mut self, screen: &mut Screen) -> anyhow::Result<Findings> {
        if self.snapshots.has_changed().unwrap_or(false) {
            self.past.add(&self.snapshots.borrow_and_update());
        }
        let sites: Vec<&str> = PLANTS.iter().map(|plant| plant.id).collect();
        let findings = self.reader.findings(&files::data_dir(self.folder), &sites)?;
        let scene = self.past.scene(elapsed_ms(self.begin), findings);
        screen.show(&scene).context("write to the terminal")?;
        Ok(scene.findings)
    }
}

/// Ctrl-C and a service manager's request.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for either.
    async fn end(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
