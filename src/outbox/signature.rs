//! The signature of a webhook's request: HMAC-SHA256 over the moment it is sent and its body. Pure.
//! Source: RFC 2104; examples of RFC 4231.

use sha2::{Digest, Sha256};

/// A block of SHA-256, bytes.
const BLOCK_BYTES: usize = 64;

/// HMAC-SHA256 over parts that follow on each other.
#[must_use]
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new();
    inner.update(block.map(|b| b ^ 0x36));
    parts.iter().for_each(|part| inner.update(part));
    let mut outer = Sha256::new();
    outer.update(block.map(|b| b ^ 0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

/// What stands in the header: `v1=` and the digest of `timestamp.body` in hex.
#[must_use]
pub fn of(secret: &str, timestamp_s: i64, body: &[u8]) -> String {
    let digest = hmac(secret.as_bytes(), &[timestamp_s.to_string().as_bytes(), b".", body]);
    digest.iter().fold("v1=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn digests_are_those_of_the_standard() {
        assert_eq!(
            hex(&hmac(&[0x0b; 20], &[b"Hi ", b"There"])),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex(&hmac(b"Jefe", &[b"what do ya want for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let long = hmac(&[0xaa; 131], &[b"Test Using Larger Than Block-Size Key - Hash Key First"]);
        assert_eq!(hex(&long), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
        assert!(of("s", 7, b"{}").starts_with("v1=") && of("s", 7, b"{}") != of("s", 8, b"{}"));
    }
}
