//! The guided test at commissioning: the dialogue as the electrician has it, with a running daemon, by a clock that is set.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use serde_json::Value;
use submeterd::cli::commission::{self, Terminal};
use submeterd::cli::setup::Globals;
use submeterd::model::time::{Clock, MINUTE_MS, UtcMs};

use crate::harness::program::Program;
use crate::harness::wait::wait_for_blocking;
use crate::thresholds::{CONFIG, DAYS, SITE, fill};

/// The command as it is typed.
#[derive(Debug, Parser)]
struct Typed {
    #[command(flatten)]
    globals: Globals,
    #[command(flatten)]
    args: commission::Args,
}

/// Somebody who types these lines, each so many minutes after the begin.
#[derive(Debug)]
struct Electrician {
    begin: UtcMs,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    lines: VecDeque<(i64, &'static str)>,
    now: UtcMs,
    read: Vec<String>,
}

impl Electrician {
    fn new(begin: UtcMs, lines: &[(i64, &'static str)]) -> Electrician {
        let state = State { lines: lines.iter().copied().collect(), now: begin, read: Vec::new() };
        Electrician { begin, state: Mutex::new(state) }
    }

    fn read(&self) -> String {
        self.state.lock().unwrap().read.join("\n")
    }
}

impl Terminal for Electrician {
    fn is_there(&self) -> bool {
        true
    }

    fn say(&self, text: &str) -> anyhow::Result<()> {
        self.state.lock().unwrap().read.push(text.to_owned());
        Ok(())
    }

    async fn ask(&self, text: &str) -> anyhow::Result<String> {
        let mut state = self.state.lock().unwrap();
        state.read.push(text.to_owned());
        let (minute, line) = state.lines.pop_front().context("nothing more is typed")?;
        state.now = self.begin.plus(minute * MINUTE_MS);
        Ok(line.to_owned())
    }

    fn now(&self) -> UtcMs {
        self.state.lock().unwrap().now
    }
}

/// From the begin of the test on: 30 minutes off, 30 minutes idle, then full load.
fn ready(now: UtcMs) -> Program {
    let mut program = Program::new(CONFIG, &[("plant".into(), SITE.into())]);
    fill(&program, now, |meter, hour, minute| match (hour - (DAYS - 2) * 24, minute) {
        (0, 0..30) => [60.0, 8.0][meter],
        (0, _) => [2_500.0, 300.0][meter],
        _ => [18_000.0, 4_200.0][meter],
    });
    program.start();
    program.await_ready();
    wait_for_blocking("the site", Duration::from_secs(30), || {
        program.try_ask(&["sites", "show", "plant"]).status.success().then_some(())
    });
    program
}

fn typed(program: &Program, more: &[&str]) -> Typed {
    let config = program.folder().join("submeterd.toml");
    let head = ["commission", "plant", "--config", config.to_str().unwrap()];
    Typed::parse_from([&head[..], more].concat())
}

fn thresholds_of(program: &Program, point: usize) -> (String, [f64; 4]) {
    let listed: Value = program.json(&["thresholds", "list", "plant"]);
    let own = &listed[0]["points"][point]["thresholds"];
    let w = |key: &str| own[key].as_f64().unwrap();
    let powers = ["running_above_w", "running_below_w", "idle_above_w", "off_below_w"].map(w);
    (own["basis"].as_str().unwrap().to_owned(), powers)
}

#[tokio::test]
async fn off_idle_and_full_load_step_by_step_become_thresholds() {
    let now = UtcMs(Clock::System.now().0.div_euclid(MINUTE_MS) * MINUTE_MS);
    let mut program = ready(now);
    let before = [0, 1].map(|point| thresholds_of(&program, point));
    let begin = now.plus(-2 * 1_440 * MINUTE_MS);
    let Typed { globals, args } = typed(&program, &["--lang", "en"]);
    let lines = [(1, "wang"), (2, ""), (27, ""), (32, ""), (57, ""), (62, ""), (100, ""), (101, "n")];
    let unsure = Electrician::new(begin, &lines);
    commission::talk(&globals, args, &unsure).await.unwrap();
    assert!(unsure.read().ends_with("Nothing was recorded."), "{}", unsure.read());
    assert_eq!([0, 1].map(|point| thresholds_of(&program, point)), before, "it was only looked at");

    let Typed { globals, args } = typed(&program, &["--lang", "en"]);
    let sure = Electrician::new(begin, &[&lines[..7], &[(101, "y")]].concat());
    commission::talk(&globals, args, &sure).await.unwrap();
    let read = sure.read();
    let mut rest = &read[..];
    for said in [
        "Who supervises the test?",
        "OFF. Switch off",
        "at least, min: 10",
        "Press Enter to begin",
        "Enter ends this phase",
        "press",
        "IDLE.",
        "s and Enter to leave it out",
        "FULL LOAD.",
        "at least, min: 30",
        "The test is accepted.",
        "press: running from",
        "fan: running from",
        "Record this test",
        "line: commissioning test, in force: supervised by wang",
        "press: thresholds, in force: measured in the test",
    ] {
        let at = rest.find(said).unwrap_or_else(|| panic!("{said:?} is not said, or not there: {read}"));
        rest = &rest[at + said.len()..];
    }
    for (point, off_w, idle_w, full_w) in [(0, 60.0, 2_500.0, 18_000.0), (1, 8.0, 300.0, 4_200.0)] {
        let (basis, [above, below, idle, off]) = thresholds_of(&program, point);
        assert_eq!(basis, "commissioned");
        assert!(idle_w < below && below < above && above < full_w, "{below} {above}");
        assert!(off_w < off && off < idle && idle < idle_w, "{off} {idle}");
    }
    program.stop();
}

#[tokio::test]
async fn a_guided_test_that_proves_nothing_is_refused_with_its_reasons() {
    let now = UtcMs(Clock::System.now().0.div_euclid(MINUTE_MS) * MINUTE_MS);
    let mut program = ready(now);
    let Typed { globals, args } = typed(&program, &["--who", "wang", "--lang", "zh"]);
    // Idle is left out; full load is ended too soon.
    let hasty = Electrician::new(
        now.plus(-2 * 1_440 * MINUTE_MS),
        &[(2, ""), (27, ""), (32, "s"), (62, ""), (82, "")],
    );
    let error = commission::talk(&globals, args, &hasty).await.unwrap_err().to_string();
    assert!(error.contains("试验不合格") && error.contains("仅 20 个整分钟，少于 30 个"), "{error}");
    assert!(hasty.read().contains("【停机】") && hasty.read().contains("【满负荷】"), "{}", hasty.read());
    assert_eq!(thresholds_of(&program, 0).0, "fallback");
    program.stop();
}
