//! How a message lies in a batch: kind, delivery, times and lengths as varints, then the bytes. Pure.

use crate::model::message::{Delivery, Kind, Message};
use crate::model::time::UtcMs;

/// Longest source, topic or payload, bytes. MQTT itself allows 256 MiB; no meter needs a hundredth of that.
pub const PART_BYTES_MAX: usize = 16 << 20;

/// Longest registry, bytes: half a million points. It comes once in a while, not with every reading.
pub const REGISTRY_BYTES_MAX: usize = 256 << 20;

/// Longest part that a message of that kind may have, bytes.
#[must_use]
pub const fn part_bytes_max(kind: Kind) -> usize {
    match kind {
        Kind::Registry => REGISTRY_BYTES_MAX,
        Kind::Mqtt | Kind::Modbus | Kind::Tick | Kind::Command => PART_BYTES_MAX,
    }
}

/// Appends the frame of `message`.
pub fn write(message: &Message<'_>, out: &mut Vec<u8>) {
    out.extend([message.kind as u8, message.delivery.0]);
    varint(zigzag(message.received.0), out);
    for part in [message.source.as_bytes(), message.topic.as_bytes(), message.payload] {
        varint(part.len() as u64, out);
        out.extend_from_slice(part);
    }
}

/// Takes the frame at the begin of `bytes`; `None` if there is no whole, sound one.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(Message<'_>, &[u8])> {
    let (&[kind, delivery], rest) = bytes.split_first_chunk::<2>()?;
    let (received, rest) = read_varint(rest)?;
    let (source, rest) = read_part(rest)?;
    let (topic, rest) = read_part(rest)?;
    let (payload, rest) = read_part(rest)?;
    let message = Message {
        kind: Kind::from_u8(kind)?,
        delivery: Delivery(delivery),
        received: UtcMs(unzigzag(received)),
        source: std::str::from_utf8(source).ok()?,
        topic: std::str::from_utf8(topic).ok()?,
        payload,
    };
    Some((message, rest))
}

fn read_part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = read_varint(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut n = 0_u64;
    for (i, byte) in bytes.iter().enumerate().take(10) {
        n |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((n, &bytes[i + 1..]));
        }
    }
    None
}

fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)).cast_unsigned()
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ -(n & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_frame_comes_back_as_it_was_and_a_cut_one_not_at_all(
            kind in 1_u8..=5,
            delivery in 0_u8..4,
            received in any::<i64>(),
            source in "[a-z]{0,8}",
            topic in "[a-z/]{0,40}",
            payload in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let message = Message {
                kind: Kind::from_u8(kind).unwrap(),
                delivery: Delivery(delivery),
                received: UtcMs(received),
                source: &source,
                topic: &topic,
                payload: &payload,
            };
            let mut bytes = Vec::new();
            write(&message, &mut bytes);
            for cut in 0..bytes.len() {
                prop_assert!(read(&bytes[..cut]).is_none());
            }
            bytes.push(7);
            prop_assert_eq!(read(&bytes), Some((message, &[7][..])));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = read(&bytes);
        }
    }
}
