//! A Modbus meter on port 0, with the latencies and silences it is told to have. Works on bytes, so that it can also
//! say what no meter should.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How requests and answers are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Modbus TCP; an answer goes where its request came from.
    Tcp,
    /// RTU through a socket; as device servers do, an answer goes to whoever is connected by then.
    Rtu,
}

/// A request as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How many came before it.
    pub n: usize,
    /// On which connection, counted from 1.
    pub connection: usize,
    /// Modbus TCP: its number.
    pub transaction: u16,
    /// The slave.
    pub unit: u8,
    /// The function code.
    pub function: u8,
    /// First register.
    pub address: u16,
    /// How many registers.
    pub count: u16,
}

/// What the meter does about it.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It answers with registers.
    Words(Vec<u16>),
    /// It says no.
    Exception(u8),
    /// It answers, but in the name of another slave.
    OtherUnit(u8, Vec<u16>),
    /// It answers with a sum that does not fit (RTU), or another transaction's number (TCP).
    BadSum(Vec<u16>),
    /// It answers with this after its address, function code and all.
    Pdu(Vec<u8>),
    /// It sends these bytes, unframed.
    Raw(Vec<u8>),
    /// It does the other after a while.
    After(Duration, Box<Reply>),
    /// It does one, then the other at once.
    Both(Box<Reply>, Box<Reply>),
    /// It does nothing.
    Silence,
    /// It closes the connection.
    Close,
}

impl Reply {
    /// The same, later.
    pub fn after(self, delay: Duration) -> Reply {
        Reply::After(delay, Box::new(self))
    }
}

type Script = Box<dyn FnMut(&Asked) -> Reply + Send>;
type Writer = Arc<tokio::sync::Mutex<Box<dyn AsyncWrite + Send + Unpin>>>;

struct Inner {
    framing: Framing,
    script: Mutex<Script>,
    asked: Mutex<Vec<Asked>>,
    newest: Mutex<Option<Writer>>,
    tasks: Mutex<JoinSet<()>>,
    stop: CancellationToken,
}

/// A fake meter; stops when dropped.
pub struct FakeMeter {
    addr: SocketAddr,
    inner: Arc<Inner>,
}

impl FakeMeter {
    /// Listens on a free port and answers as `script` says.
    pub async fn listen(framing: Framing, script: impl FnMut(&Asked) -> Reply + Send + 'static) -> FakeMeter {
        FakeMeter::listen_on(0, framing, script).await
    }

    /// The same on a port that was free a moment ago: a gateway that comes back.
    pub async fn listen_on(
        port: u16,
        framing: Framing,
        script: impl FnMut(&Asked) -> Reply + Send + 'static,
    ) -> FakeMeter {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let inner = Inner::new(framing, script);
        let own = Arc::clone(&inner);
        inner.spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                connection += 1;
                own.spawn(serve(Arc::clone(&own), connection, stream));
            }
        });
        FakeMeter { addr, inner }
    }

    /// Answers on a stream that is open already: the far end of a serial line.
    pub fn on_stream(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        script: impl FnMut(&Asked) -> Reply + Send + 'static,
    ) -> FakeMeter {
        let inner = Inner::new(Framing::Rtu, script);
        inner.spawn(serve(Arc::clone(&inner), 1, stream));
        FakeMeter { addr: SocketAddr::from(([127, 0, 0, 1], 0)), inner }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().unwrap().clone()
    }
}

impl Drop for FakeMeter {
    fn drop(&mut self) {
        self.inner.stop.cancel();
    }
}

impl Inner {
    fn new(framing: Framing, script: impl FnMut(&Asked) -> Reply + Send + 'static) -> Arc<Inner> {
        Arc::new(Inner {
            framing,
            script: Mutex::new(Box::new(script)),
            asked: Mutex::new(Vec::new()),
            newest: Mutex::new(None),
            tasks: Mutex::new(JoinSet::new()),
            stop: CancellationToken::new(),
        })
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.lock().unwrap().spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }
}

async fn serve(
    inner: Arc<Inner>,
    connection: usize,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) {
    let (mut reader, writer) = split(stream);
    let writer: Writer = Arc::new(tokio::sync::Mutex::new(Box::new(writer)));
    *inner.newest.lock().unwrap() = Some(Arc::clone(&writer));
    while let Some(mut asked) = read_request(inner.framing, &mut reader).await {
        asked.connection = connection;
        {
            let mut all = inner.asked.lock().unwrap();
            asked.n = all.len();
            all.push(asked);
        }
        let reply = (inner.script.lock().unwrap())(&asked);
        let mut steps = Vec::new();
        flatten(reply, Duration::ZERO, &mut steps);
        for (delay, reply) in steps {
            if matches!(reply, Reply::Close) {
                let _ = writer.lock().await.shutdown().await;
                return;
            }
            let Some(bytes) = frame(inner.framing, &asked, &reply) else { continue };
            if delay.is_zero() {
                let _ = writer.lock().await.write_all(&bytes).await;
                continue;
            }
            let (own, later, framing) = (Arc::clone(&writer), Arc::clone(&inner), inner.framing);
            inner.spawn(async move {
                tokio::time::sleep(delay).await;
                let newest = later.newest.lock().unwrap().clone();
                let to = if framing == Framing::Rtu { newest.unwrap_or(own) } else { own };
                // Nobody may be there any more.
                let _ = to.lock().await.write_all(&bytes).await;
            });
        }
    }
}

fn flatten(reply: Reply, delay: Duration, into: &mut Vec<(Duration, Reply)>) {
    match reply {
        Reply::After(more, inner) => flatten(*inner, delay + more, into),
        Reply::Both(first, second) => {
            flatten(*first, delay, into);
            flatten(*second, delay, into);
        }
        other => into.push((delay, other)),
    }
}

async fn read_request(framing: Framing, reader: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let (transaction, unit, pdu) = match framing {
        Framing::Tcp => {
            let mut head = [0; 7];
            reader.read_exact(&mut head).await.ok()?;
            let mut pdu = vec![0; usize::from(word(&head[4..])) - 1];
            reader.read_exact(&mut pdu).await.ok()?;
            (word(&head), head[6], pdu)
        }
        Framing::Rtu => {
            let mut bytes = [0; 8];
            reader.read_exact(&mut bytes).await.ok()?;
            assert_eq!(crc(&bytes[..6]).to_le_bytes(), bytes[6..], "a request whose sum does not fit");
            (0, bytes[0], bytes[1..6].to_vec())
        }
    };
    Some(Asked {
        n: 0,
        connection: 0,
        transaction,
        unit,
        function: pdu[0],
        address: word(&pdu[1..]),
        count: word(&pdu[3..]),
    })
}

fn word(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

fn frame(framing: Framing, asked: &Asked, reply: &Reply) -> Option<Vec<u8>> {
    let registers = |words: &[u16]| {
        let mut pdu = vec![asked.function, u8::try_from(words.len() * 2).unwrap()];
        pdu.extend(words.iter().flat_map(|w| w.to_be_bytes()));
        pdu
    };
    let (unit, pdu, spoil) = match reply {
        Reply::Words(words) => (asked.unit, registers(words), 0),
        Reply::Exception(code) => (asked.unit, vec![asked.function | 0x80, *code], 0),
        Reply::OtherUnit(unit, words) => (*unit, registers(words), 0),
        Reply::BadSum(words) => (asked.unit, registers(words), 1),
        Reply::Pdu(pdu) => (asked.unit, pdu.clone(), 0),
        Reply::Raw(bytes) => return Some(bytes.clone()),
        _ => return None,
    };
    let mut bytes = Vec::new();
    match framing {
        Framing::Tcp => {
            bytes.extend((asked.transaction ^ spoil).to_be_bytes());
            bytes.extend([0, 0]);
            bytes.extend(u16::try_from(pdu.len() + 1).unwrap().to_be_bytes());
            bytes.push(unit);
            bytes.extend(pdu);
        }
        Framing::Rtu => {
            bytes.push(unit);
            bytes.extend(pdu);
            bytes.extend((crc(&bytes) ^ spoil).to_le_bytes());
        }
    }
    Some(bytes)
}

/// The sum at the end of an RTU frame.
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |s, _| if s & 1 == 1 { (s >> 1) ^ 0xa001 } else { s >> 1 })
    })
}
