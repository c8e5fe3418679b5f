//! How a failure is told: once, with its chain of reasons, and a hint where there is one.

use std::fmt;
use std::process::ExitCode;

use crate::config::problem::Problems;

/// EX_CONFIG of sysexits.h: systemd does not restart on it.
pub const EXIT_CONFIG: u8 = 78;

/// Something to try, carried along with an error.
#[derive(Debug)]
pub struct Hint(pub String);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hint: {}", self.0)
    }
}

/// Gives an error a hint.
#[must_use]
pub fn hinted(error: anyhow::Error, hint: impl Into<String>) -> anyhow::Error {
    error.context(Hint(hint.into()))
}

/// Prints an error and says how the program ends.
#[must_use]
pub fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(problems) = error.downcast_ref::<Problems>() {
        eprintln!("{problems}");
        return EXIT_CONFIG.into();
    }
    if error.chain().any(is_broken_pipe) {
        return ExitCode::SUCCESS;
    }
    let hint = error.downcast_ref::<Hint>().map(ToString::to_string);
    let reasons: Vec<String> =
        error.chain().map(ToString::to_string).filter(|text| Some(text) != hint.as_ref()).collect();
    eprintln!("error: {}", reasons.join("\n  because "));
    if let Some(hint) = hint {
        eprintln!("  {hint}");
    }
    ExitCode::FAILURE
}

/// Whoever read our output has seen enough.
fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
