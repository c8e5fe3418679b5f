//! The page and the API over a whole city: a hundred thousand points, a million alerts of a year; and browsers that listen.

#[expect(dead_code, reason = "another bench uses the rest")]
mod figures;
#[expect(dead_code, reason = "another bench uses the rest")]
mod plants;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use submeterd::accounts::accounts::Accounts;
use submeterd::accounts::role::{Role, Scope};
use submeterd::accounts::tokens::NewToken;
use submeterd::alerts::alert::{Alert, Status, Step, identity};
use submeterd::alerts::evidence::{Evidence, PointEvidence};
use submeterd::api::board::follow::Follower;
use submeterd::api::board::news::{N_NEWS_MAX, News};
use submeterd::api::context::Context;
use submeterd::api::serve::{self, Listener};
use submeterd::api::status::Sensors;
use submeterd::config::settings::Web;
use submeterd::engine::run::Progress;
use submeterd::journal::Journal;
use submeterd::journal::writer::Retention;
use submeterd::model::rule::{Level, Rule};
use submeterd::model::site::Site;
use submeterd::model::time::{Clock, DAY_MS, MINUTE_MS, UtcMs};
use submeterd::store::overview::Brief;
use submeterd::store::schema::STORE_FILE;
use submeterd::store::write::Store;
use tokio::net::TcpStream;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use figures::{Scale, median, short};

const N_POINTS: usize = 100_000;
const N_ALERTS: usize = 1_000_000;
/// Alerts of the last day that are open.
const N_OPEN: usize = 2_000;
/// Each page is asked for so often.
const N_ASKED: usize = 100;
const N_BROWSERS: usize = 200;
const N_NEWS: usize = 50;

const ROOMY: Retention = Retention { max_age_days: 10_000, max_bytes: 1 << 40 };

/// The paths that are asked for, and what they are.
const PAGES: [(&str, &str); 9] = [
    ("overview", "/"),
    ("alerts, newest", "/alerts"),
    ("alerts, open and grave", "/alerts?status=open&level=alarm"),
    ("alerts of a rule", "/alerts?rule=frozen"),
    ("alerts, a search", "/alerts?q=plant-04711"),
    ("alerts, a search in vain", "/alerts?q=no-such-thing"),
    ("alerts of a district, API", "/api/v1/alerts?region=Yuhua&limit=50"),
    ("alerts, page 10,000", "/alerts?after="),
    ("a site", "/sites/plant-04711"),
];

fn main() -> anyhow::Result<()> {
    let scale = Scale::from_args();
    let n_alerts = scale.of(N_ALERTS);
    let folder = figures::folder()?;
    let begun = Instant::now();
    let middle = fill(folder.path(), n_alerts)?;
    println!("{n_alerts} alerts written in {:.0} s", begun.elapsed().as_secs_f64());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(folder.path(), &middle))
}

fn alert(site: &Site, n: usize, of: usize) -> Alert {
    let begun_ms = 364 * DAY_MS * i64::try_from(n).unwrap_or_default() / i64::try_from(of).unwrap_or(1);
    let first = plants::START.plus(begun_ms - 364 * DAY_MS);
    let is_open = n + N_OPEN >= of;
    let rule = Rule::ALL[n % Rule::ALL.len()];
    let raised = first.plus(10 * MINUTE_MS);
    let level = Level::ALL[n % 4];
    let step = |at, what: &str| Step { at, what: what.into(), level, offset: n as u64 + 1 };
    let point = |i: usize| PointEvidence {
        point: site.points[i].id.clone(),
        name: site.points[i].name.clone(),
        kind: site.points[i].kind,
        mean_kw: Some(71.2),
        max_kw: Some(80.1),
        energy_first_kwh: Some(1_000.0),
        energy_last_kwh: Some(1_012.5),
        energy_kwh: Some(12.5),
        n_samples: 10,
        thresholds: site.points[i].thresholds.clone(),
        thresholds_before: Vec::new(),
    };
    let cleared = (!is_open).then(|| raised.plus(30 * MINUTE_MS));
    Alert {
        // The same site and rule twice at the same moment would be the same alert.
        id: identity(&site.id, rule, "process", &n.to_string(), first),
        site: site.id.clone(),
        rule,
        rule_version: 1,
        subject_kind: "process".into(),
        subject: "coating".into(),
        status: if is_open { Status::Open } else { Status::Cleared },
        level,
        first,
        raised,
        raised_before: None,
        last_certain: raised,
        cleared,
        certain_ms: 10 * MINUTE_MS,
        unknown_ms: 0,
        evidence: Evidence { points: vec![point(0), point(2)], data_share: 1.0, ..Evidence::default() },
        acknowledged: None,
        history: vec![step(raised, "raised")],
        deeds: Vec::new(),
        said: n as u64,
        retroactive: false,
        revisions: Vec::new(),
        suppressed: Vec::new(),
    }
}

/// Fills a store; a place in the middle of the list.
fn fill(folder: &Path, n_alerts: usize) -> anyhow::Result<String> {
    let registry = plants::registry(N_POINTS, 60_000);
    let mut store = Store::open(&folder.join(STORE_FILE))?;
    let mut middle = String::new();
    let mut written = 0;
    while written < n_alerts {
        let tx = store.begin()?;
        if written == 0 {
            tx.put_registry(1, &registry.pack()?)?;
        }
        for n in written..(written + 20_000).min(n_alerts) {
            let alert = alert(&registry.sites[n * 7_919 % registry.sites.len()], n, n_alerts);
            if n == n_alerts / 2 {
                middle = format!("{}-{}", alert.raised.0, alert.id);
            }
            tx.put_alert(&alert, n as u64 + 1)?;
        }
        tx.commit(n_alerts as u64 + 1)?;
        written += 20_000;
    }
    Ok(middle)
}

async fn measure(folder: &Path, middle: &str) -> anyhow::Result<()> {
    let (journal, thread) = Journal::open(folder, ROOMY, Clock::System)?;
    let accounts = Accounts::open(folder)?;
    let token = NewToken { name: "bench".into(), role: Role::Admin, scope: Scope::All, expires: None };
    let (_, token) = accounts.add_token(&token, "bench", Clock::System.now())?;
    let begun = Instant::now();
    let mut follower = Follower::open(folder)?;
    follower.follow(plants::START)?;
    println!("the board is read whole in {:.2} s", begun.elapsed().as_secs_f64());
    let (_board, board) = watch::channel(Arc::new(follower.board()));
    let (news, _) = broadcast::channel(N_NEWS_MAX);
    let (_progress, progress) = watch::channel(Progress::default());
    let context = Arc::new(Context {
        data_dir: folder.to_owned(),
        journal: journal.clone(),
        clock: Clock::System,
        sensors: Sensors {
            started: plants::START,
            journal: journal.clone(),
            progress,
            journal_bytes_max: 1 << 40,
            brokers: Vec::new(),
            links: Vec::new(),
            sinks: Vec::new(),
        },
        window: Duration::from_secs(28 * 86_400),
        accounts: Some(accounts),
        board,
        news: news.clone(),
        behind_proxy: false,
        is_secure: false,
    });
    let web = Web { listen: ([127, 0, 0, 1], 0).into(), tls: None, behind_proxy: false };
    let listener = Listener::bind(&web).await?;
    let address = listener.address().context("where it listens")?.to_string();
    let stop = CancellationToken::new();
    let mut served = JoinSet::new();
    served.spawn(serve::run(listener, submeterd::web::routes::router(context), stop.clone()));

    let mut visitor = Visitor { connection: connect(&address, &mut served).await?, token };
    let mut rows = Vec::new();
    for (what, path) in PAGES {
        let path = if path.ends_with("after=") { format!("{path}{middle}") } else { path.to_owned() };
        let (mut took_ms, mut bytes) = (Vec::new(), 0);
        for _ in 0..N_ASKED {
            let begun = Instant::now();
            bytes = visitor.ask(&path).await?;
            took_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        took_ms.sort_by(f64::total_cmp);
        let p99 = took_ms[took_ms.len() * 99 / 100 - 1];
        rows.push(vec![what.into(), short(median(took_ms)), short(p99), short(bytes as f64 / 1e3)]);
    }
    figures::print("page: 100,000 points", &["page", "ms", "ms, p99", "kB"], &rows);
    stream(&address, &visitor.token, &news, &mut served).await?;
    stop.cancel();
    thread.finish()?;
    Ok(())
}

struct Visitor {
    connection: SendRequest<Empty<Bytes>>,
    token: String,
}

fn request(path: &str, token: &str) -> anyhow::Result<Request<Empty<Bytes>>> {
    let request =
        Request::get(path).header("host", "bench").header("authorization", format!("Bearer {token}"));
    Ok(request.body(Empty::new())?)
}

async fn connect(address: &str, tasks: &mut JoinSet<()>) -> anyhow::Result<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (send, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tasks.spawn(async move { drop(connection.await) });
    Ok(send)
}

impl Visitor {
    async fn ask(&mut self, path: &str) -> anyhow::Result<usize> {
        self.connection.ready().await?;
        let answer = self.connection.send_request(request(path, &self.token)?).await?;
        ensure!(answer.status().is_success(), "{path}: {}", answer.status());
        Ok(answer.into_body().collect().await?.to_bytes().len())
    }
}

/// Browsers listen; how long it takes until the last of them has heard.
async fn stream(
    address: &str,
    token: &str,
    news: &broadcast::Sender<News>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let (heard, mut told) = tokio::sync::mpsc::channel(N_BROWSERS * N_NEWS);
    let mut browsers = Vec::new();
    for _ in 0..N_BROWSERS {
        let mut send = connect(address, tasks).await?;
        let answer = send.send_request(request("/api/v1/stream", token)?).await?;
        ensure!(answer.status().is_success(), "the stream: {}", answer.status());
        let heard = heard.clone();
        tasks.spawn(async move {
            let mut frames = answer.into_body().into_data_stream();
            while let Some(Ok(chunk)) = frames.next().await {
                for _ in 0..chunk.windows(6).filter(|w| w == b"event:").count() {
                    let _ = heard.send(Instant::now()).await;
                }
            }
        });
        browsers.push(send);
    }
    let brief = Brief {
        id: "0123456789ab".into(),
        site: "plant-00001".into(),
        rule: Rule::TreatmentOff,
        subject: "coating".into(),
        level: Level::Alarm,
        first: UtcMs(0),
        raised: UtcMs(0),
        cleared: None,
        is_open: true,
        is_retracted: false,
        is_acknowledged: false,
        is_suppressed: false,
        offset: 1,
    };
    let mut last_ms = Vec::new();
    let watch = figures::Stopwatch::start()?;
    for _ in 0..N_NEWS {
        let begun = Instant::now();
        let _ = news.send(News::of_alert(&brief));
        let mut last = begun;
        for _ in 0..N_BROWSERS {
            let one = tokio::time::timeout(Duration::from_secs(10), told.recv()).await;
            last = last.max(one.context("a browser did not hear")?.context("no browser is left")?);
        }
        last_ms.push(last.duration_since(begun).as_secs_f64() * 1e3);
    }
    let (_, cpu_s) = watch.read()?;
    let us = cpu_s * 1e6 / (N_NEWS * N_BROWSERS) as f64;
    last_ms.sort_by(f64::total_cmp);
    let most = last_ms[last_ms.len() - 1];
    let row = vec![N_BROWSERS.to_string(), short(median(last_ms)), short(most), short(us)];
    let head = ["browsers", "ms until the last has heard", "at most", "CPU-µs an event, both ends"];
    figures::print("page: what happens, as it happens", &head, &[row]);
    Ok(())
}
