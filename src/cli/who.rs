//! Who says what goes into the journal under a name.

use anyhow::Context as _;

/// The name given, or that of the user, also behind `sudo`.
///
/// # Errors
/// There is neither, or the name is blank.
pub fn name(given: Option<String>) -> anyhow::Result<String> {
    let who = given.or_else(|| std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).ok());
    who.filter(|who| !who.trim().is_empty()).context("who says so? say --who NAME")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_name_is_none() {
        assert_eq!(name(Some("li".into())).unwrap(), "li");
        assert!(name(Some("  ".into())).unwrap_err().to_string().contains("--who"));
    }
}
