//! What goes to standard output, and only there: a log never does.

use std::io::Write as _;

use anyhow::Context as _;

/// Prints text to standard output.
///
/// # Errors
/// Whoever reads it has gone.
pub fn print(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("write to standard output")
}

/// Prints a value as JSON to standard output.
///
/// # Errors
/// Whoever reads it has gone.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    print(&text)
}
