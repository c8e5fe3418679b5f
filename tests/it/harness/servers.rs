//! Real servers: found, started on a free loopback port, ended by pid.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::wait::wait_for_blocking;

/// A server on a busy machine may take this long to answer.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// Another process may take a free port between our look and the server's; so often it is tried anew.
const N_PORTS_TRIED: usize = 5;

/// Where Debian puts what is not in everybody's PATH.
const FOLDERS: &[&str] = &["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

/// A kind of server: its names, its package and how it is started.
#[derive(Clone, Copy, Debug)]
struct Kind {
    programs: &'static [&'static str],
    package: &'static str,
    command: fn(&mut Command, &Path, u16),
}

/// A server of its own for a test: its folder and port stay the same when it is stopped and started again.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    program: PathBuf,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

/// A mosquitto with these lines in its configuration, which lacks only the listener. `None`: not installed, the test
/// is skipped. Its folder, for persistence files, is its working folder.
pub fn mosquitto(conf: &str) -> Option<Server> {
    let kind = Kind {
        programs: &["mosquitto"],
        package: "mosquitto",
        command: |command, folder, port| {
            let conf = fs::read_to_string(folder.join("test.conf")).unwrap();
            let all = format!("listener {port} 127.0.0.1\n{conf}\n");
            fs::write(folder.join("mosquitto.conf"), all).unwrap();
            command.arg("-c").arg(folder.join("mosquitto.conf"));
        },
    };
    Server::start_new(kind, Some(conf))
}

/// A VictoriaMetrics that keeps data of any age. `None`: not installed, the test is skipped.
pub fn victoria_metrics() -> Option<Server> {
    let kind = Kind {
        programs: &["victoria-metrics", "victoria-metrics-prod", "victoriametrics"],
        package: "victoria-metrics",
        command: |command, folder, port| {
            command
                .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
                .arg(format!("-storageDataPath={}", folder.join("data").display()))
                .args(["-retentionPeriod=100y", "-search.disableCache", "-memory.allowedBytes=64MB"]);
        },
    };
    Server::start_new(kind, None)
}

/// An InfluxDB 1, which speaks InfluxQL. `None`: not installed, the test is skipped.
pub fn influxdb() -> Option<Server> {
    let kind = Kind {
        programs: &["influxd"],
        package: "influxdb",
        command: |command, folder, port| {
            let own = |name: &str| folder.join(name).display().to_string();
            let conf = format!(
                "reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n[meta]\ndir = {:?}\n[data]\ndir = {:?}\n\
                 wal-dir = {:?}\n[monitor]\nstore-enabled = false\n[http]\nbind-address = \"127.0.0.1:{port}\"\n",
                own("meta"),
                own("data"),
                own("wal")
            );
            fs::write(folder.join("influxdb.conf"), conf).unwrap();
            command.arg("run").arg("-config").arg(folder.join("influxdb.conf"));
        },
    };
    Server::start_new(kind, None)
}

/// A Prometheus with this configuration. `None`: not installed, the test is skipped.
pub fn prometheus(conf: &str) -> Option<Server> {
    let kind = Kind {
        programs: &["prometheus"],
        package: "prometheus",
        command: |command, folder, port| {
            command
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg(format!("--config.file={}", folder.join("test.conf").display()))
                .arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
        },
    };
    Server::start_new(kind, Some(conf))
}

/// What drives a Chromium without a window. `None`: not installed, the test is skipped.
pub fn chromedriver() -> Option<Server> {
    let kind = Kind {
        programs: &["chromedriver"],
        package: "chromium chromium-driver",
        command: |command, _, port| {
            command.arg(format!("--port={port}"));
        },
    };
    Server::start_new(kind, None)
}

/// The tool that tries an API by its description. `None`: not installed, the test is skipped.
pub fn schemathesis() -> Option<PathBuf> {
    let kind = Kind {
        programs: &["schemathesis", "st"],
        package: "python3-venv, then pip install schemathesis",
        command: |_, _, _| {},
    };
    find(kind)
}

/// An Alertmanager with this configuration. `None`: not installed, the test is skipped.
pub fn alertmanager(conf: &str) -> Option<Server> {
    let kind = Kind {
        programs: &["prometheus-alertmanager", "alertmanager"],
        package: "prometheus-alertmanager",
        command: |command, folder, port| {
            command
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg("--cluster.listen-address=")
                .arg(format!("--config.file={}", folder.join("test.conf").display()))
                .arg(format!("--storage.path={}", folder.join("data").display()));
        },
    };
    Server::start_new(kind, Some(conf))
}

/// The tool that checks rules for Prometheus. `None`: not installed, the test is skipped.
pub fn promtool() -> Option<PathBuf> {
    find(Kind { programs: &["promtool"], package: "prometheus", command: |_, _, _| {} })
}

/// The tool that checks an Alertmanager's configuration. `None`: not installed, the test is skipped.
pub fn amtool() -> Option<PathBuf> {
    find(Kind { programs: &["amtool"], package: "prometheus-alertmanager", command: |_, _, _| {} })
}

impl Server {
    fn start_new(kind: Kind, conf: Option<&str>) -> Option<Server> {
        let program = find(kind)?;
        let folder = tempfile::tempdir().unwrap();
        if let Some(conf) = conf {
            fs::write(folder.path().join("test.conf"), conf).unwrap();
        }
        let mut server = Server { kind, program, folder, port: 0, child: None };
        for _ in 0..N_PORTS_TRIED {
            server.port = free_port();
            if server.try_start() {
                return Some(server);
            }
        }
        panic!("{} does not start:\n{}", server.program.display(), server.log());
    }

    /// The port it listens on, or will.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// Starts it again, on the same port and folder.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "it runs");
        assert!(self.try_start(), "{} does not start again:\n{}", self.program.display(), self.log());
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let asked = Command::new("kill").arg(child.id().to_string()).status();
        assert!(asked.is_ok_and(|s| s.success()), "kill {}", child.id());
        wait_for_blocking("the server's end", READY_WITHIN, || child.try_wait().unwrap());
    }

    /// Ends it as a power cut would: SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// True if it answers; false if it ended before it did.
    fn try_start(&mut self) -> bool {
        let path = self.folder.path().join("server.log");
        let log = File::options().create(true).append(true).open(path).unwrap();
        let mut command = Command::new(&self.program);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        (self.kind.command)(&mut command, self.folder.path(), self.port);
        let mut child = command.spawn().unwrap();
        let ready = wait_for_blocking("the server's answer", READY_WITHIN, || {
            let ended = child.try_wait().unwrap().is_some();
            let answers = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
            (ended || answers).then_some(!ended)
        });
        self.child = Some(child);
        if !ready {
            self.kill();
        }
        ready
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program. Where it is missing a machine that tests everything fails, and another says that it tests less.
fn find(kind: Kind) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.iter().map(PathBuf::from));
    let found = folders
        .flat_map(|folder| kind.programs.iter().map(move |program| folder.join(program)))
        .find(|candidate| candidate.is_file());
    if found.is_none() {
        let hint = format!("{} is not installed: apt-get install {}", kind.programs[0], kind.package);
        assert!(std::env::var_os("CI").is_none(), "{hint}");
        eprintln!("\n*** SKIPPED *** {hint}\n");
    }
    found
}

/// A port that nobody has at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[test]
fn a_real_server_keeps_port_and_folder_over_a_stop_and_a_kill() {
    let Some(mut server) = mosquitto("allow_anonymous true") else { return };
    let answers = |server: &Server| TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).is_ok();
    assert!(answers(&server));
    let (port, folder) = (server.port(), server.folder().to_owned());
    server.stop();
    assert!(!answers(&server));
    server.start();
    server.kill();
    assert!(!answers(&server));
    server.start();
    assert!(answers(&server));
    assert_eq!((server.port(), server.folder()), (port, &*folder));
    drop(server);
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err(), "it is gone with its test");
}
