//! Numbers in as few bits as they need: varints, and arrays of one bit width. Reading never panics, whatever the bytes.

/// Appends `n` seven bits at a time, low ones first.
pub(super) fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n.to_le_bytes()[0] | 0x80);
        n >>= 7;
    }
    out.push(n.to_le_bytes()[0]);
}

/// Small numbers of either sign as small numbers without one.
pub(super) const fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)).cast_unsigned()
}

/// The other way.
pub(super) const fn unzigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ -((n & 1).cast_signed())
}

/// Bits that `n` needs.
pub(super) const fn width(n: u64) -> u32 {
    64 - n.leading_zeros()
}

/// The lowest `width` bits set.
pub(super) const fn mask(width: u32) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

/// Bytes that `n` numbers of that width take.
const fn packed_bytes(n: usize, width: u32) -> usize {
    (n * width as usize).div_ceil(8)
}

/// Appends the lowest `width` bits of each number.
pub(super) fn pack(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>, width: u32) {
    if width == 0 {
        return;
    }
    let (mut word, mut fill) = (0_u64, 0_u32);
    for number in numbers {
        let number = number & mask(width);
        word |= number << fill;
        if fill + width < 64 {
            fill += width;
        } else {
            out.extend_from_slice(&word.to_le_bytes());
            word = if fill == 0 { 0 } else { number >> (64 - fill) };
            fill = fill + width - 64;
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..fill.div_ceil(8) as usize]);
}

/// Bytes on their way back into numbers; `None` where they end too soon.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    left: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { left: bytes }
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.left.is_empty()
    }

    pub(super) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.left.split_at_checked(n)?;
        self.left = left;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut n = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(n);
            }
        }
        None
    }

    /// A varint that counts or indexes something of at most `max`.
    pub(super) fn count(&mut self, max: usize) -> Option<usize> {
        usize::try_from(self.varint()?).ok().filter(|n| *n <= max)
    }

    /// Appends `n` numbers packed with that width, each through `f`.
    pub(super) fn unpack(
        &mut self,
        n: usize,
        width: u32,
        out: &mut Vec<i64>,
        f: impl Fn(u64) -> i64,
    ) -> Option<()> {
        if width == 0 {
            out.resize(out.len() + n, f(0));
            return Some(());
        }
        let bytes = self.take(packed_bytes(n, width))?;
        let mut words = bytes.chunks(8).map(|chunk| {
            let mut word = [0_u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        let (mut word, mut left) = (0_u64, 0_u32);
        out.reserve(n);
        for _ in 0..n {
            let mut number = word;
            if left >= width {
                word = if width == 64 { 0 } else { word >> width };
                left -= width;
            } else {
                let next = words.next()?;
                number |= next << left;
                let used = width - left;
                word = if used == 64 { 0 } else { next >> used };
                left = 64 - used;
            }
            out.push(f(number & mask(width)));
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packed_numbers_come_back(numbers in prop::collection::vec(any::<u64>(), 0..70), width in 0_u32..=64) {
            let numbers: Vec<u64> = numbers.iter().map(|n| n & mask(width)).collect();
            let mut bytes = Vec::new();
            pack(&mut bytes, numbers.iter().copied(), width);
            prop_assert_eq!(bytes.len(), packed_bytes(numbers.len(), width));
            let (mut cursor, mut back) = (Cursor::new(&bytes), Vec::new());
            prop_assert!(cursor.unpack(numbers.len(), width, &mut back, u64::cast_signed).is_some());
            prop_assert!(cursor.is_at_end());
            prop_assert_eq!(back.iter().map(|n| n.cast_unsigned()).collect::<Vec<_>>(), numbers);
        }

        #[test]
        fn varints_and_signs_come_back(n in any::<i64>()) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, zigzag(n));
            prop_assert_eq!(Cursor::new(&bytes).varint().map(unzigzag), Some(n));
            prop_assert_eq!(Cursor::new(&bytes[..bytes.len() - 1]).varint(), None);
        }
    }
}
