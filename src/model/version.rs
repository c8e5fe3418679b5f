//! A number that is another whenever what it stands for is, so that an alert can quote what it was judged by.

use sha2::{Digest, Sha256};

/// The begin of the hash of these bytes.
#[must_use]
pub fn of(bytes: &[u8]) -> u32 {
    let digest = Sha256::digest(bytes);
    u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])
}
