//! The real program: a data folder with its configuration, the daemon on it, and commands asked of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tempfile::TempDir;

use super::wait::wait_for_blocking;

const READY_WITHIN: Duration = Duration::from_secs(30);
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A folder with `submeterd.toml`, `sites/` and the daemon's data, and the daemon while it runs.
#[derive(Debug)]
pub struct Program {
    folder: TempDir,
    child: Option<Child>,
}

impl Program {
    /// A program whose configuration says this, and whose sites are these (name, text).
    pub fn new(config: &str, sites: &[(String, String)]) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("sites")).unwrap();
        let daemon = format!(
            "[daemon]\ndata_dir = {:?}\nsocket = {:?}\ntick = \"200ms\"\n{config}",
            at("data"),
            at("api.sock")
        );
        std::fs::write(at("submeterd.toml"), daemon).unwrap();
        for (name, text) in sites {
            std::fs::write(at("sites").join(format!("{name}.toml")), text).unwrap();
        }
        Program { folder, child: None }
    }

    /// Where journal and store lie.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the daemon; it may not be ready yet.
    pub fn start(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("daemon.log"))
            .unwrap();
        let child = command(&["run", "--config"])
            .arg(self.folder.path().join("submeterd.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// Waits until the daemon answers.
    pub fn await_ready(&mut self) {
        let log = self.log_file();
        let child = self.child.as_mut().unwrap();
        let socket = self.folder.path().join("api.sock");
        wait_for_blocking("the daemon's socket", READY_WITHIN, || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the daemon ended with {status}:\n{}", std::fs::read_to_string(&log).unwrap());
            }
            std::os::unix::net::UnixStream::connect(&socket).ok()
        });
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }

    /// What the daemon has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Ends the daemon as a power cut would: SIGKILL.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        if let Some(status) = child.try_wait().unwrap() {
            panic!("the daemon ended by itself with {status}:\n{}", self.log());
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks the daemon to stop, as systemd does, and checks that it does so in order.
    pub fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let asked = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", child.id())).status().unwrap();
        assert!(asked.success());
        let status = wait_for_blocking("the daemon's end", ENDS_WITHIN, || child.try_wait().unwrap());
        assert!(status.success(), "{status}\n{}", self.log());
    }

    /// Runs a command on its configuration; what it printed.
    pub fn ask(&self, args: &[&str]) -> String {
        let output = self.try_ask(args);
        let said = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "submeterd {args:?}: {}\n{said}\n{errors}\n{}",
            output.status,
            self.log()
        );
        said
    }

    /// The same, whatever comes of it.
    pub fn try_ask(&self, args: &[&str]) -> Output {
        command(args).arg("--config").arg(self.folder.path().join("submeterd.toml")).output().unwrap()
    }

    /// Runs a command that is told something on standard input, whatever comes of it.
    pub fn tell(&self, args: &[&str], input: &str) -> Output {
        let mut command = command(args);
        command.arg("--config").arg(self.folder.path().join("submeterd.toml"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may have ended before it has read.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs a command with `--json`.
    pub fn json<T: DeserializeOwned>(&self, args: &[&str]) -> T {
        let said = self.ask(&[args, &["--json"]].concat());
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("submeterd {args:?} --json: {e}\n{said}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The program with these arguments, in plain English, and nothing of the tester's environment.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_submeterd"));
    command
        .args(args)
        .env_remove("SUBMETERD_CONFIG")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("NO_COLOR", "1");
    command
}
