//! Classic captures of Ethernet, IPv4 and TCP: enough to take recorded conversations apart.

/// What one TCP segment carried.
#[derive(Clone, Debug)]
pub struct Segment {
    /// When, µs since 1970.
    pub time_us: i64,
    /// Sender's address.
    pub from: String,
    /// Sender's port.
    pub from_port: u16,
    /// Receiver's address.
    pub to: String,
    /// Receiver's port.
    pub to_port: u16,
    /// The bytes; never none.
    pub bytes: Vec<u8>,
}

/// All segments of a capture that carry bytes.
pub fn read(capture: &[u8]) -> Vec<Segment> {
    let little = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
    assert_eq!((little(0), little(20)), (0xa1b2_c3d4, 1), "a classic capture of Ethernet, little-endian");
    let (mut at, mut segments) = (24, Vec::new());
    while at < capture.len() {
        let (seconds, micros, length) = (little(at), little(at + 4), little(at + 8) as usize);
        let packet = &capture[at + 16..at + 16 + length];
        at += 16 + length;
        segments.extend(segment(packet, i64::from(seconds) * 1_000_000 + i64::from(micros)));
    }
    segments
}

/// The Modbus TCP frames in a segment, as far as they are whole.
pub fn frames(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while bytes.len() > 8 {
        let length = 6 + usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
        let Some((frame, rest)) = bytes.split_at_checked(length) else { break };
        frames.push(frame);
        bytes = rest;
    }
    frames
}

fn segment(packet: &[u8], time_us: i64) -> Option<Segment> {
    let word = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    let (ipv4, tcp) = (word(12)? == 0x0800, *packet.get(23)? == 6);
    if !ipv4 || !tcp {
        return None;
    }
    let head = 14 + usize::from(packet[14] & 15) * 4;
    let body = head + usize::from(packet.get(head + 12)? >> 4) * 4;
    let bytes = packet.get(body..14 + usize::from(word(16)?))?.to_vec();
    let address = |at: usize| packet[at..at + 4].iter().map(u8::to_string).collect::<Vec<_>>().join(".");
    (!bytes.is_empty()).then_some(Segment {
        time_us,
        from: address(26),
        from_port: word(head)?,
        to: address(30),
        to_port: word(head + 2)?,
        bytes,
    })
}
