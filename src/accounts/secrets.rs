//! Random secrets of the operating system, and what is kept of them: SHA-256, which is enough for what has 256 bits.

use sha2::{Digest, Sha256};

use super::error::AccountsError;

/// What is kept of a secret.
pub(super) type Digest256 = [u8; 32];

/// Characters of a secret of 256 bits as text.
pub(super) const TEXT_CHARS: usize = 43;

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Letters and digits without I and O, 1 and 0: 5 bits each.
const CODE_ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Characters of a code: 100 bits.
const CODE_CHARS: usize = 20;
const CODE_GROUP_CHARS: usize = 5;

/// Random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], AccountsError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|source| AccountsError::Random { source })?;
    Ok(bytes)
}

/// A new secret of 256 bits, as text for cookies and headers.
pub(super) fn new_text() -> Result<String, AccountsError> {
    Ok(base64url(&random::<32>()?))
}

/// A new code that a person types: four groups of five.
pub(super) fn new_code() -> Result<String, AccountsError> {
    let bytes = random::<CODE_CHARS>()?;
    let chars: Vec<char> =
        bytes.iter().map(|byte| char::from(CODE_ALPHABET[usize::from(byte % 32)])).collect();
    let groups: Vec<String> = chars.chunks(CODE_GROUP_CHARS).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// What is kept of a secret that is used for one purpose only.
pub(super) fn digest(purpose: &str, secret: &str) -> Digest256 {
    let mut hash = Sha256::new();
    hash.update(purpose);
    hash.update([0]);
    hash.update(secret);
    hash.finalize().into()
}

/// What is kept of a code: case, dashes and spaces do not matter.
pub(super) fn code_digest(code: &str) -> Digest256 {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    digest("set-up", &plain.to_ascii_uppercase())
}

/// A second secret that follows from a first one, and tells nothing of it.
pub(super) fn derived(purpose: &str, secret: &str) -> String {
    base64url(&digest(purpose, secret))
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let differ = std::iter::zip(a, b).fold(0, |differ, (a, b)| std::hint::black_box(differ | (a ^ b)));
    a.len() == b.len() && differ == 0
}

/// Without padding (RFC 4648, section 5).
fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            (0..3).fold(0_usize, |bits, i| bits << 8 | usize::from(group.get(i).copied().unwrap_or(0)));
        for i in 0..=group.len() {
            text.push(char::from(BASE64URL[bits >> (18 - 6 * i) & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base64url_is_that_of_the_standard() {
        // Source: RFC 4648, section 10, without padding.
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64url(bytes.as_bytes()), text);
        }
        assert_eq!(base64url(&[0xfb, 0xff, 0xfe]), "-__-");
    }

    #[test]
    fn a_secret_has_43_characters_and_no_two_are_the_same() {
        let (a, b) = (new_text().unwrap(), new_text().unwrap());
        assert_eq!(a.len(), TEXT_CHARS);
        assert_ne!(a, b);
    }

    #[test]
    fn a_code_is_four_groups_of_five_and_may_be_typed_in_any_case_without_dashes() {
        let code = new_code().unwrap();
        let groups: Vec<_> = code.split('-').collect();
        assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 5), "{code}");
        assert!(!code.contains(['0', '1', 'I', 'O']));
        assert_ne!(code, new_code().unwrap());
        assert_eq!(code_digest(&code), code_digest(&format!(" {} ", code.replace('-', " ").to_lowercase())));
    }

    #[test]
    fn what_is_kept_differs_by_purpose() {
        assert_ne!(digest("cookie", "x"), digest("token", "x"));
        assert_ne!(digest("a", "bc"), digest("ab", "c"));
    }

    proptest! {
        #[test]
        fn only_equal_secrets_are_the_same(a in "[ab]{0,4}", b in "[ab]{0,4}") {
            prop_assert_eq!(same(a.as_bytes(), b.as_bytes()), a == b);
        }
    }
}
