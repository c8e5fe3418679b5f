//! Small records compressed: thousands an hour, so the compressor is made once and used again.

use std::cell::RefCell;

/// zstd's fastest ordinary level.
const LEVEL: i32 = 1;

/// No record is longer when unpacked, bytes: the state of a site of ten thousand points.
const UNPACKED_BYTES_MAX: usize = 64 << 20;

thread_local! {
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Packs bytes; how long they are goes before them.
///
/// # Errors
/// Only memory could be the reason.
pub fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|own| {
        let compressor = match own {
            Some(compressor) => compressor,
            None => own.insert(zstd::bulk::Compressor::new(LEVEL)?),
        };
        let mut packed = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
        packed.extend(compressor.compress(bytes)?);
        Ok(packed)
    })
}

/// Unpacks what [`pack`] made.
///
/// # Errors
/// It is not that.
pub fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let damaged = || std::io::Error::new(std::io::ErrorKind::InvalidData, "not a packed record");
    let (length, body) = packed.split_first_chunk::<4>().ok_or_else(damaged)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > UNPACKED_BYTES_MAX {
        return Err(damaged());
    }
    DECOMPRESSOR.with_borrow_mut(|own| {
        let decompressor = match own {
            Some(decompressor) => decompressor,
            None => own.insert(zstd::bulk::Decompressor::new()?),
        };
        decompressor.decompress(body, length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_and_what_was_not_is_refused() {
        for length in [0, 1, 5_000] {
            let bytes: Vec<u8> = (0..length).map(|i: u32| i.to_le_bytes()[0]).collect();
            assert_eq!(unpack(&pack(&bytes).unwrap()).unwrap(), bytes);
        }
        assert!(unpack(b"no").is_err() && unpack(&[9, 0, 0, 0, 1, 2, 3]).is_err());
        assert!(unpack(&[255, 255, 255, 255, 1]).is_err());
    }
}
