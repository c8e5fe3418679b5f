//! The checked settings, one type a stage; a stage takes its own and never the whole [`Config`](super::Config).

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::secret::Secret;

/// An MQTT broker.
#[derive(Clone, Debug, PartialEq)]
pub struct Broker {
    /// Name in logs, status and the journal (the message's source).
    pub name: Box<str>,
    /// Host name or address.
    pub host: Box<str>,
    /// TCP port.
    pub port: u16,
    /// Stays the same over restarts, so that the broker keeps messages while the daemon is away.
    pub client_id: Box<str>,
    /// Whether the broker forgets the session when the connection ends. Messages sent meanwhile are lost then.
    pub clean_session: bool,
    /// A ping at least so often.
    pub keep_alive: Duration,
    /// User name and password.
    pub credentials: Option<Credentials>,
    /// TLS, where the broker wants it.
    pub tls: Option<Tls>,
    /// Largest packet that is taken, bytes; a larger one is skipped and counted.
    pub packet_bytes_max: u32,
    /// Received and not yet acknowledged, at most; beyond it the socket is not read.
    pub unacknowledged_max: usize,
    /// Longest pause between two tries to connect.
    pub backoff_max: Duration,
    /// Connected, and no message for so long: a warning.
    pub silent_after: Duration,
}

/// User name and password.
#[derive(Clone, Debug, PartialEq)]
pub struct Credentials {
    /// The name.
    pub username: Box<str>,
    /// The password.
    pub password: Secret,
}

/// What a TLS connection is checked by. PEM files; that they can be read and parsed was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Tls {
    /// The authority that signed the broker's certificate.
    pub ca_file: PathBuf,
    /// Certificate chain and key of this client.
    pub client: Option<ClientCertificate>,
}

/// How this client proves who it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientCertificate {
    /// Certificate chain, PEM.
    pub certificate_file: PathBuf,
    /// Private key, PEM.
    pub key_file: PathBuf,
}

/// Where the page and the API are served.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// The address.
    pub listen: std::net::SocketAddr,
    /// Certificate chain and key, where it is served by TLS.
    pub tls: Option<ClientCertificate>,
    /// Whether a proxy stands before it and says who asks.
    pub behind_proxy: bool,
}

/// A Modbus link: a bus or a TCP gateway, with what hangs on it. One request at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Name in logs, status and the journal (the message's source).
    pub name: Box<str>,
    /// What it runs over.
    pub transport: Transport,
    /// How long a slave may take to answer.
    pub timeout: Duration,
    /// So many more tries after a failed request before the meter is given up for this scan.
    pub retries: u8,
    /// Rest between two requests.
    pub pause: Duration,
    /// Longest pause of a slave that does not answer, before it is tried again.
    pub breaker_pause_max: Duration,
    /// Longest pause between two tries to connect.
    pub backoff_max: Duration,
}

/// What a Modbus link runs over.
#[derive(Clone, Debug, PartialEq)]
pub enum Transport {
    /// Modbus TCP.
    Tcp {
        /// Host name or address.
        host: Box<str>,
        /// TCP port.
        port: u16,
    },
    /// RTU frames through a TCP socket, as serial device servers carry them.
    RtuOverTcp {
        /// Host name or address.
        host: Box<str>,
        /// TCP port.
        port: u16,
        /// Speed of the bus behind it, for the scan time.
        baud: u32,
    },
    /// RTU on a serial port.
    Serial {
        /// The device file.
        device: PathBuf,
        /// Bits a second.
        baud: u32,
        /// Parity.
        parity: Parity,
        /// 1 or 2.
        stop_bits: u8,
    },
}

/// Parity of a serial port; data bits are always 8 in RTU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Parity {
    None,
    Even,
    Odd,
}

/// An InfluxDB, or what speaks its v2 write API.
#[derive(Clone, Debug, PartialEq)]
pub struct Influx {
    /// `http://host:8086`; that it parses was checked.
    pub url: Box<str>,
    /// Organisation.
    pub org: Box<str>,
    /// Bucket.
    pub bucket: Box<str>,
    /// API token, where one is needed.
    pub token: Option<Secret>,
    /// How long a write may take.
    pub timeout: Duration,
    /// Lines in one request, at most.
    pub lines_max: usize,
    /// Whether bodies are compressed.
    pub gzip: bool,
    /// Longest pause after a failure.
    pub backoff_max: Duration,
}

/// How long and how large the journal may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Older rows are removed, days.
    pub days_max: u32,
    /// Above this the oldest rows are removed, bytes; where they may not be, nothing is acknowledged any more.
    pub bytes_max: u64,
}

/// How long and how large the history may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// Older blocks are removed, days.
    pub days_max: u32,
    /// Above this the oldest blocks are removed, bytes.
    pub bytes_max: u64,
}

/// The daemon itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Daemon {
    /// Journal and store lie here.
    pub data_dir: PathBuf,
    /// The Unix socket for the command line.
    pub socket: PathBuf,
    /// The engine hears of time passing so often.
    pub tick: Duration,
    /// How long an ordered stop may take.
    pub stop_within: Duration,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level, or directives such as `info,rumqttc=warn`; that they parse was checked.
    pub level: Box<str>,
    /// What the lines look like.
    pub format: LogFormat,
}

/// Where log lines go and what they look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// To the journal of systemd where it started the daemon, otherwise text.
    Auto,
    /// Text on standard error.
    Text,
    /// To the journal of systemd, with every value a field of its own.
    Journald,
}

/// When and from what the daily job learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learning {
    /// Whether it does.
    pub on: bool,
    /// Time of day in the machine's zone, ms after midnight.
    pub at_ms: i64,
    /// How far back it looks.
    pub window: Duration,
}
