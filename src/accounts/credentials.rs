//! Which names and passwords are taken, and what makes two names the same.

/// Longest name, characters.
pub const NAME_CHARS_MAX: usize = 64;
/// Shortest password, characters: the length that counts, no rules about kinds of characters.
/// Source: NIST SP 800-63B, 5.1.1.2 asks for 8 at least and for a list of the common ones; 10 makes up for a short list.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Longest password, characters: room for any phrase, and a bound on what is hashed.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// Names of tokens in records begin so; no user's may.
pub const TOKEN_PREFIX: &str = "token:";

/// The passwords that are tried first, of those that are long enough; lower case.
const WORST: [&str; 38] = [
    "0123456789",
    "01234567890",
    "0987654321",
    "1111122222",
    "1122334455",
    "123123123123",
    "1234512345",
    "1234554321",
    "1234567890",
    "12345678900",
    "12345678901",
    "12345678910",
    "123456789a",
    "123456789abc",
    "123qweasdzxc",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "5201314520",
    "9876543210",
    "a123456789",
    "abc123456789",
    "abcd123456",
    "abcdefghij",
    "admin12345",
    "admin123456",
    "admin@123456",
    "administrator",
    "changeme123",
    "iloveyou123",
    "p@ssw0rd123",
    "password12",
    "password123",
    "password1234",
    "qwerty12345",
    "qwerty123456",
    "qwertyuiop",
    "woaini1314520",
];

/// Why a name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing in it.
    #[error("a name is empty; hint: 1 to {NAME_CHARS_MAX} characters")]
    Empty,
    /// Too long.
    #[error("a name is too long; hint: 1 to {NAME_CHARS_MAX} characters")]
    Long,
    /// Control characters, or such that are not seen.
    #[error("a name has characters that cannot be seen; hint: letters, digits, spaces, signs")]
    Unseen,
    /// Looks like a token in records.
    #[error("a user's name begins with {TOKEN_PREFIX:?}; hint: records name tokens so")]
    LikeToken,
}

/// Why a password is refused. None of these says anything of the password but its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short.
    #[error("the password is too short; hint: {PASSWORD_CHARS_MIN} characters at least, a sentence is good")]
    Short,
    /// Too long.
    #[error("the password is too long; hint: {PASSWORD_CHARS_MAX} characters at most")]
    Long,
    /// The name again.
    #[error("the password is the name; hint: take something that nobody guesses")]
    Name,
    /// One of those that are tried first.
    #[error("the password is one of the first that are tried; hint: a sentence of your own is good")]
    Common,
}

/// A name without spaces around it, if it can be one.
///
/// # Errors
/// It is empty, too long, or has characters that nobody sees.
pub fn name(text: &str) -> Result<&str, NameError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(NameError::Long);
    }
    if name.chars().any(is_unseen) {
        return Err(NameError::Unseen);
    }
    Ok(name)
}

/// A user's name: as [`name`], and none that records would take for a token.
///
/// # Errors
/// As [`name`], or it begins as tokens do.
pub fn user_name(text: &str) -> Result<&str, NameError> {
    let name = name(text)?;
    if key(name).starts_with(TOKEN_PREFIX) { Err(NameError::LikeToken) } else { Ok(name) }
}

/// What makes two names the same: spaces around them and the case of letters do not matter.
#[must_use]
pub fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether a password may be taken by the user of that name.
///
/// # Errors
/// It is too short, too long, or too easy to guess.
pub fn password(text: &str, name: &str) -> Result<(), PasswordError> {
    let n_chars = text.chars().count();
    if n_chars < PASSWORD_CHARS_MIN {
        return Err(PasswordError::Short);
    }
    if n_chars > PASSWORD_CHARS_MAX {
        return Err(PasswordError::Long);
    }
    let same = key(text);
    if same == key(name) {
        return Err(PasswordError::Name);
    }
    let mut chars = same.chars();
    let first = chars.next();
    if chars.all(|c| Some(c) == first) || WORST.contains(&same.as_str()) {
        return Err(PasswordError::Common);
    }
    Ok(())
}

/// Control characters, and those that only turn or join what stands beside them: with them two names look the same.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_trimmed_and_has_1_to_64_characters_that_can_be_seen() {
        assert_eq!(name("  王 芳 "), Ok("王 芳"));
        assert_eq!(name(&"长".repeat(64)).unwrap().chars().count(), 64);
        assert_eq!(name(&"长".repeat(65)), Err(NameError::Long));
        assert_eq!(name(" \t "), Err(NameError::Empty));
        for text in ["a\nb", "a\u{0}b", "adm\u{200b}in", "\u{202e}nimda"] {
            assert_eq!(name(text), Err(NameError::Unseen), "{text:?}");
        }
    }

    #[test]
    fn no_user_is_called_like_a_token() {
        assert_eq!(user_name("Token:grafana"), Err(NameError::LikeToken));
        assert_eq!(user_name("tokens"), Ok("tokens"));
    }

    #[test]
    fn a_password_is_long_enough_and_not_among_the_first_to_be_tried() {
        assert_eq!(password("nine char", "li"), Err(PasswordError::Short));
        assert_eq!(password("十个字的密码也够长了", "li"), Ok(()));
        assert_eq!(password(&"ab".repeat(128), "li"), Ok(()));
        assert_eq!(password(&"ab".repeat(129), "li"), Err(PasswordError::Long));
        assert_eq!(password("Zhang Weiguo", "zhang weiguo"), Err(PasswordError::Name));
        assert_eq!(password("PassWord123", "li"), Err(PasswordError::Common));
        assert_eq!(password("aaaaaaaaaaaa", "li"), Err(PasswordError::Common));
    }

    #[test]
    fn every_password_of_the_list_would_be_long_enough_and_is_there_once() {
        for word in WORST {
            assert_eq!(password(word, "li"), Err(PasswordError::Common), "{word}");
        }
        assert!(WORST.is_sorted_by(|a, b| a < b));
    }

    proptest! {
        #[test]
        fn a_name_that_is_taken_keeps_its_key_when_taken_again(text in "\\PC{0,70}") {
            if let Ok(taken) = name(&text) {
                prop_assert_eq!(name(taken), Ok(taken));
                prop_assert_eq!(key(taken), key(&text));
            }
        }
    }
}
