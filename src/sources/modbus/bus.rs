//! A link's connection, one request at a time. Whatever went wrong, it is dropped: what may still come on it would be
//! taken for the answer to another question.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_modbus::client::{Client as _, Context, rtu, tcp};
use tokio_modbus::slave::{Slave, SlaveContext as _};
use tokio_modbus::{Error, ExceptionCode, Request, Response};
use tokio_serial::{DataBits, SerialPortBuilderExt as _, StopBits};

use super::asked::Asked;
use super::plan::Block;
use super::timing;
use crate::config::settings::{Link, Parity, Transport};
use crate::model::meter::Table;

/// How long a TCP connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A bus is silent when no byte came for so long; device servers forward in pieces of some milliseconds.
const SILENT_AFTER: Duration = Duration::from_millis(20);

/// A bus that is not silent after so long never will be.
const SILENCE_WITHIN: Duration = Duration::from_secs(2);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {to}")]
pub struct ConnectError {
    /// Host and port, or device file.
    pub to: String,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Why a request has no answer that could be taken.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is no connection.
    #[error("not connected")]
    Connect {
        /// Why.
        #[source]
        source: ConnectError,
    },
    /// Nothing came in time.
    #[error("no answer within {within_ms} ms")]
    Timeout {
        /// How long it was waited for, ms.
        within_ms: u128,
    },
    /// The meter, or the gateway before it, said no.
    #[error("exception {code:02}: {}", exception(*code))]
    Exception {
        /// The code.
        code: u8,
    },
    /// Something came that cannot be the answer.
    #[error("not an answer to what was asked: {why}")]
    Garbled {
        /// What does not fit.
        why: String,
    },
    /// The connection broke.
    #[error("the connection broke")]
    Broken {
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The connection of a link.
pub struct Bus {
    link: Link,
    context: Option<Context>,
    /// Whether the connection has brought an answer.
    proven: bool,
    /// How often a connection was made.
    connects: u64,
    /// When the last exchange ended.
    rested: Instant,
    late: Vec<Late>,
}

/// A slave whose answer may still be on its way.
struct Late {
    unit: u8,
    until: Instant,
    /// However long it takes, its next answer may be the late one, so that another may follow.
    again: bool,
}

impl Bus {
    /// A link, not connected.
    #[must_use]
    pub fn new(link: Link) -> Bus {
        Bus { link, context: None, proven: false, connects: 0, rested: Instant::now(), late: Vec::new() }
    }

    /// Whether there is a connection, as far as is known.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.context.is_some()
    }

    /// How often a connection was made.
    #[must_use]
    pub fn connects(&self) -> u64 {
        self.connects
    }

    /// Makes a connection, if there is none.
    ///
    /// # Errors
    /// It cannot be made, or the bus does not fall silent.
    pub async fn connect(&mut self) -> Result<(), ConnectError> {
        if self.context.is_none() {
            self.reconnect(None).await?;
        }
        Ok(())
    }

    /// Asks slave `unit` for a block, `rest` after the exchange before at the earliest. As many words come back as
    /// were asked for.
    ///
    /// # Errors
    /// There is no answer that could be taken. The connection is gone then, except where the meter itself said no.
    pub async fn read(&mut self, unit: u8, block: Block, rest: Duration) -> Result<Vec<u16>, RequestError> {
        let used = self.proven && self.context.is_some();
        let outcome = self.ask(unit, block, rest).await;
        if used && matches!(outcome, Err(RequestError::Broken { .. })) {
            // Gateways close connections that were idle for a while; that is not the meter's fault.
            return self.ask(unit, block, rest).await;
        }
        outcome
    }

    async fn ask(&mut self, unit: u8, block: Block, rest: Duration) -> Result<Vec<u16>, RequestError> {
        self.let_late_answers_pass(unit).await.map_err(|source| RequestError::Connect { source })?;
        sleep_until(self.rested + rest).await;
        let within = timing::timeout(&self.link, block.count);
        // Out of its place while the answer is open: if this future is dropped, so is the connection.
        let Some(mut context) = self.context.take() else {
            let source = io::Error::from(io::ErrorKind::NotConnected);
            return Err(RequestError::Broken { source });
        };
        context.set_slave(Slave(unit));
        let request = match block.table {
            Table::Holding => Request::ReadHoldingRegisters(block.address, block.count),
            Table::Input => Request::ReadInputRegisters(block.address, block.count),
        };
        let answer = timeout(within, context.call(request)).await;
        self.rested = Instant::now();
        let outcome = match answer {
            Err(_) => Err(RequestError::Timeout { within_ms: within.as_millis() }),
            Ok(answer) => judge(answer, block),
        };
        match &outcome {
            Ok(_) | Err(RequestError::Exception { .. }) => {
                self.context = Some(context);
                self.proven = true;
                self.answered(unit);
            }
            // It was never sent.
            Err(RequestError::Broken { source }) if source.kind() == io::ErrorKind::ConnectionAborted => {}
            // Its answer may still come: where another slave's late one came instead, or through the next connection.
            Err(_) => self.is_late(unit, true),
        }
        outcome
    }

    /// Before a slave is asked again whose last answer has not come: on a bus it would be taken for the next one.
    async fn let_late_answers_pass(&mut self, unit: u8) -> Result<(), ConnectError> {
        let now = Instant::now();
        self.late.retain(|late| late.again || late.until > now);
        match self.late.iter().find(|late| late.unit == unit).map(|late| late.until) {
            Some(until) if until > now => self.reconnect(Some(until)).await,
            _ => self.connect().await,
        }
    }

    fn is_late(&mut self, unit: u8, again: bool) {
        if timing::is_bus(&self.link.transport) {
            self.late.retain(|late| late.unit != unit);
            let until = Instant::now() + timing::timeout(&self.link, 0);
            self.late.push(Late { unit, until, again });
        }
    }

    fn answered(&mut self, unit: u8) {
        let again = self.late.iter().any(|late| late.unit == unit && late.again);
        self.late.retain(|late| late.unit != unit);
        if again {
            self.is_late(unit, false);
        }
    }

    async fn reconnect(&mut self, late_until: Option<Instant>) -> Result<(), ConnectError> {
        self.context = None;
        self.proven = false;
        self.context = Some(open(&self.link, late_until).await?);
        self.connects += 1;
        Ok(())
    }
}

/// What came back, held against what was asked.
fn judge(answer: tokio_modbus::Result<Response>, block: Block) -> Result<Vec<u16>, RequestError> {
    match answer {
        Ok(Ok(Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words))) => {
            if words.len() == usize::from(block.count) {
                return Ok(words);
            }
            Err(RequestError::Garbled { why: format!("{} registers, not {}", words.len(), block.count) })
        }
        Ok(Ok(other)) => Err(RequestError::Garbled { why: format!("{:?}", other.function_code()) }),
        Ok(Err(code)) => Err(RequestError::Exception { code: ExceptionCode::into(code) }),
        Err(Error::Protocol(error)) => Err(RequestError::Garbled { why: error.to_string() }),
        Err(Error::Transport(source)) => match source.kind() {
            // So the codec calls what it cannot take apart: a frame that is wrong, or shorter than it must be.
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                Err(RequestError::Garbled { why: source.to_string() })
            }
            _ => Err(RequestError::Broken { source }),
        },
    }
}

async fn open(link: &Link, late_until: Option<Instant>) -> Result<Context, ConnectError> {
    match &link.transport {
        Transport::Tcp { host, port } => {
            let stream = dial(host, *port).await?;
            Ok(tcp::attach(Asked::new(stream)))
        }
        Transport::RtuOverTcp { host, port, .. } => {
            let mut stream = dial(host, *port).await?;
            let at = |source| ConnectError { to: format!("{host}:{port}"), source };
            settle(&mut stream, &link.transport, late_until).await.map_err(at)?;
            Ok(rtu::attach(Asked::new(stream)))
        }
        Transport::Serial { device, baud, parity, stop_bits } => {
            let to = device.to_string_lossy();
            let at = |source| ConnectError { to: to.to_string(), source };
            let parity = match parity {
                Parity::None => tokio_serial::Parity::None,
                Parity::Even => tokio_serial::Parity::Even,
                Parity::Odd => tokio_serial::Parity::Odd,
            };
            let mut stream = tokio_serial::new(&*to, *baud)
                .data_bits(DataBits::Eight)
                .parity(parity)
                .stop_bits(if *stop_bits == 2 { StopBits::Two } else { StopBits::One })
                .open_native_async()
                .map_err(|error| at(error.into()))?;
            settle(&mut stream, &link.transport, late_until).await.map_err(at)?;
            Ok(rtu::attach(Asked::new(stream)))
        }
    }
}

async fn dial(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let dial = async {
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await??;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    dial.await.map_err(|source| ConnectError { to: format!("{host}:{port}"), source })
}

/// Reads and throws away until the bus is silent; where an answer is late, until that has come or its time is over.
async fn settle(
    stream: &mut (impl AsyncRead + Unpin),
    transport: &Transport,
    late_until: Option<Instant>,
) -> io::Result<()> {
    let silent_after = SILENT_AFTER.max(timing::silence(transport));
    let mut expect_until = late_until;
    let give_up = late_until.unwrap_or_else(Instant::now) + SILENCE_WITHIN;
    let mut bytes = [0; 256];
    while Instant::now() < give_up {
        let quiet_at = Instant::now() + silent_after;
        let wait = expect_until.map_or(quiet_at, |until| until.max(quiet_at));
        match timeout_at(wait, stream.read(&mut bytes)).await {
            Err(_) => return Ok(()),
            Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(Ok(_)) => expect_until = None,
            Ok(Err(error)) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "the bus does not fall silent"))
}

/// The words of the Modbus specification for an exception code.
const fn exception(code: u8) -> &'static str {
    match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "device failure",
        5 => "acknowledge",
        6 => "device busy",
        8 => "memory parity error",
        10 => "gateway path unavailable",
        11 => "gateway target device failed to respond",
        _ => "not in the specification",
    }
}
