//! The demo, as people run it on a bare machine.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// What the demo promises: the alert is opened and cleared so soon after its start.
const PROMISED: Duration = Duration::from_secs(60);

/// After Ctrl-C it is gone so soon.
const GONE_WITHIN: Duration = Duration::from_secs(12);

#[test]
fn the_demo_opens_and_clears_treatment_off_within_a_minute_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_submeterd"))
        .args(["demo", "--lang", "en"])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (send, lines) = mpsc::channel();
    let out = BufReader::new(demo.stdout.take().unwrap());
    let reading =
        thread::spawn(move || out.lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));

    let mut told = Vec::new();
    let mut awaited = ["OPENED     treatment_off", "CLEARED    treatment_off"].into_iter().peekable();
    while let Some(next) = awaited.peek() {
        match lines.recv_timeout((begin + PROMISED).saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if line.contains(next) && line.contains("plant-b/line-1") {
                    awaited.next();
                }
                told.push(line);
            }
            Err(why) => {
                demo.kill().unwrap();
                demo.wait().unwrap();
                panic!("{why} before {next:?} in\n{}", told.join("\n"));
            }
        }
    }
    let evidence = told.iter().find(|line| line.contains("OPENED     treatment_off")).unwrap();
    assert!(evidence.contains("kW ≥ 50 kW: running") && evidence.contains("kW ≤ 10 kW: off"), "{evidence}");
    assert!(!told.iter().any(|line| line.contains("OPENED") && line.contains("plant-a")), "{told:?}");

    let interrupted = Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let deadline = Instant::now() + GONE_WITHIN;
    let closing: Vec<String> =
        std::iter::from_fn(|| match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                demo.kill().unwrap();
                panic!("the demo did not end after Ctrl-C");
            }
        })
        .collect();
    assert!(demo.wait().unwrap().success());
    assert!(reading.join().unwrap());
    assert!(closing.iter().any(|line| line.contains("submeterd replay")), "{closing:?}");
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
