//! A broker that knows one thing: to push prepared messages at QoS 1 as fast as they are acknowledged.
//!
//! A process of its own, so that its work does not count as that of what is measured: the bench starts itself again.
//! It greets whoever connects, grants whatever is asked for, sends its messages, and closes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use submeterd::model::time::UtcMs;

use crate::plants;

/// The first word of the command line of a process that is a broker.
const ROLE: &str = "--broker";

/// Sent and not acknowledged, at most: a third of the packet numbers there are.
const UNACKNOWLEDGED_MAX: u64 = 20_000;

/// Written at once, about, bytes.
const WRITE_BYTES: usize = 32 << 10;

/// Time between two rounds of readings of all meters, ms.
pub const ROUND_MS: i64 = 10_000;

const PUBLISH_QOS_1: u8 = 0x32;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;
const PINGREQ: u8 = 0xc0;
const TS_DIGITS: usize = 13;

/// What the messages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One reading each.
    Single,
    /// Twenty meters each, as rows under columns.
    Rows,
    /// Twenty meters each, as objects.
    Readings,
}

impl Form {
    const ALL: [(Form, &str); 3] =
        [(Form::Single, "single"), (Form::Rows, "rows"), (Form::Readings, "readings")];

    /// Readings in a message.
    pub const fn n_readings(self) -> u32 {
        match self {
            Form::Single => 1,
            Form::Rows | Form::Readings => 20,
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        Form::ALL.iter().find(|(form, _)| *form == self).map_or("", |(_, name)| name)
    }

    /// Topic and payload of the message that begins with that meter.
    pub fn message(self, first: u32, ts: UtcMs) -> (String, String) {
        let meters = first..first + self.n_readings();
        match self {
            Form::Single => (plants::topic(first), plants::single(first, first % 1_440, ts)),
            Form::Rows => ("submeter/v1/batch".into(), plants::rows(meters, first % 1_440, ts)),
            Form::Readings => ("submeter/v1/batch".into(), plants::readings(meters, first % 1_440, ts)),
        }
    }
}

/// A broker in a process of its own; ended when dropped.
pub struct Blaster {
    child: Child,
    /// Where it listens.
    pub port: u16,
}

impl Blaster {
    /// Starts one that will send `n_messages` of `n_meters` meters, round by round.
    pub fn start(form: Form, n_meters: u32, n_messages: usize) -> anyhow::Result<Blaster> {
        let mut child = Command::new(std::env::current_exe().context("find this program")?)
            .args([ROLE, form.name(), &n_meters.to_string(), &n_messages.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .context("start the broker")?;
        let mut line = String::new();
        let said = child.stdout.take().context("the broker has no output")?;
        BufReader::new(said).read_line(&mut line).context("hear of the broker's port")?;
        let port = line.trim().parse().with_context(|| format!("the broker's port {line:?}"))?;
        Ok(Blaster { child, port })
    }
}

impl Drop for Blaster {
    fn drop(&mut self) {
        // It ends by itself where the session was closed; nothing is lost where it cannot be waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the broker, if this process was started as one.
pub fn was_asked_for() -> anyhow::Result<bool> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [role, form, n_meters, n_messages] = &args[..] else { return Ok(false) };
    if role != ROLE {
        return Ok(false);
    }
    let (form, _) = Form::ALL.iter().find(|(_, name)| name == form).context("an unknown form")?;
    serve(*form, n_meters.parse()?, n_messages.parse()?).map(|()| true)
}

/// Packets of a round, one behind the other.
struct Round {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
}

/// Where a packet of a round ends, and what changes in it.
struct Packet {
    end: usize,
    number_at: usize,
    ts_at: usize,
}

fn round(form: Form, n_meters: u32) -> anyhow::Result<Round> {
    let mut round = Round { bytes: Vec::new(), packets: Vec::new() };
    for first in (0..n_meters).step_by(form.n_readings() as usize) {
        let (topic, payload) = form.message(first, plants::START);
        let ts_in_payload = payload.find("\"ts\":").context("a payload without time")? + "\"ts\":".len();
        let bytes = &mut round.bytes;
        bytes.push(PUBLISH_QOS_1);
        let mut length = 2 + topic.len() + 2 + payload.len();
        while length >= 0x80 {
            bytes.push(length.to_le_bytes()[0] | 0x80);
            length >>= 7;
        }
        bytes.push(length.to_le_bytes()[0]);
        bytes.extend(u16::try_from(topic.len())?.to_be_bytes());
        bytes.extend(topic.as_bytes());
        let number_at = bytes.len();
        bytes.extend([0, 0]);
        let ts_at = bytes.len() + ts_in_payload;
        bytes.extend(payload.as_bytes());
        round.packets.push(Packet { end: round.bytes.len(), number_at, ts_at });
    }
    Ok(round)
}

fn serve(form: Form, n_meters: u32, n_messages: usize) -> anyhow::Result<()> {
    let mut round = round(form, n_meters)?;
    let listener = TcpListener::bind("127.0.0.1:0").context("listen")?;
    println!("{}", listener.local_addr()?.port());
    let (stream, _) = listener.accept().context("accept")?;
    stream.set_nodelay(true)?;
    let mut incoming = Incoming { stream: BufReader::with_capacity(64 << 10, stream.try_clone()?) };
    greet(&mut incoming, &stream)?;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let (counted, sender) = (Arc::clone(&acknowledged), std::thread::current());
    let mut out = stream.try_clone()?;
    let reading = std::thread::spawn(move || -> anyhow::Result<()> {
        while let Some((kind, _)) = incoming.next()? {
            match kind {
                PUBACK => {
                    let n = counted.fetch_add(1, Ordering::AcqRel) + 1;
                    if n % 64 == 0 || n == n_messages as u64 {
                        sender.unpark();
                    }
                }
                PINGREQ => (&stream).write_all(&[0xd0, 0])?,
                _ => {}
            }
        }
        // Whoever connected is gone: there is nothing left to wait for.
        std::process::exit(0)
    });
    send(&mut round, n_messages, &acknowledged, &mut out)?;
    reading.join().map_err(|_| anyhow::anyhow!("the reading thread panicked"))?
}

fn greet(incoming: &mut Incoming, mut stream: &TcpStream) -> anyhow::Result<()> {
    incoming.next()?.context("no CONNECT")?;
    stream.write_all(&[0x20, 2, 0, 0])?;
    loop {
        let (kind, body) = incoming.next()?.context("no SUBSCRIBE")?;
        if kind != SUBSCRIBE {
            continue;
        }
        // Number, then filters: length, text, QoS.
        let (mut at, mut granted) = (2, Vec::new());
        while at + 2 <= body.len() {
            at += 2 + usize::from(u16::from_be_bytes([body[at], body[at + 1]])) + 1;
            granted.push(1);
        }
        let length = u8::try_from(2 + granted.len())?;
        stream.write_all(&[&[0x90, length, body[0], body[1]], &granted[..]].concat())?;
        return Ok(());
    }
}

/// Sends the rounds, each at a later time, never too far ahead of what is acknowledged.
fn send(
    round: &mut Round,
    n_messages: usize,
    acknowledged: &AtomicU64,
    stream: &mut TcpStream,
) -> anyhow::Result<()> {
    let (mut sent, mut ts, mut begun, mut next) = (0_u64, plants::START, 0, 0);
    while sent < n_messages as u64 {
        while sent - acknowledged.load(Ordering::Acquire) >= UNACKNOWLEDGED_MAX {
            std::thread::park();
        }
        let room = (acknowledged.load(Ordering::Acquire) + UNACKNOWLEDGED_MAX).min(n_messages as u64);
        let mut end = begun;
        while sent < room && next < round.packets.len() && end - begun < WRITE_BYTES {
            let packet = &round.packets[next];
            end = packet.end;
            let number = u16::try_from(sent % 65_535)? + 1;
            round.bytes[packet.number_at..packet.number_at + 2].copy_from_slice(&number.to_be_bytes());
            write!(&mut round.bytes[packet.ts_at..packet.ts_at + TS_DIGITS], "{}", ts.0)?;
            (sent, next) = (sent + 1, next + 1);
        }
        stream.write_all(&round.bytes[begun..end])?;
        begun = end;
        if next == round.packets.len() {
            (next, begun, ts) = (0, 0, ts.plus(ROUND_MS));
        }
    }
    Ok(())
}

/// Packets of the other side.
struct Incoming {
    stream: BufReader<TcpStream>,
}

impl Incoming {
    /// The next packet: its first byte and what follows its length; `None` at the end.
    fn next(&mut self) -> anyhow::Result<Option<(u8, Vec<u8>)>> {
        let mut byte = [0];
        if self.stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        let kind = byte[0];
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            self.stream.read_exact(&mut byte)?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            shift += 7;
            if byte[0] < 0x80 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Some((kind, body)))
    }
}
