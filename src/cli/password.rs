//! A password for somebody: asked for without echo, or read from a file or standard input. Never an argument: those are
//! seen by everybody on the machine.

use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use console::Term;

use super::failure::hinted;
use crate::config::secret::Secret;

/// More is read of no file: the longest password has 256 characters, of 4 bytes at most, and a line end.
const BYTES_MAX: u64 = 1_026;

const HINT: &str = "type it at the terminal, or give it with --password-file FILE or on standard input";

/// Where a password comes from.
#[derive(Debug, clap::Args)]
pub struct From {
    /// Read the password from this file, `-` for standard input; without it, it is asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl From {
    /// The password, asked for twice where somebody types it.
    ///
    /// # Errors
    /// It cannot be read, there is none, it has more than one line, or it was typed differently.
    pub fn read(&self, name: &str) -> anyhow::Result<Secret> {
        match self.password_file.as_deref() {
            Some(path) if path != Path::new("-") => {
                let open = || format!("cannot read the password from {}", path.display());
                let file = std::fs::File::open(path).with_context(open)?;
                of(file).with_context(open)
            }
            None if std::io::stdin().is_terminal() => asked(name),
            _ => of(std::io::stdin().lock()).context("cannot take the password from standard input"),
        }
    }
}

fn asked(name: &str) -> anyhow::Result<Secret> {
    let term = Term::stderr();
    if !term.is_term() {
        return Err(hinted(anyhow::anyhow!("there is no terminal to ask for the password on"), HINT));
    }
    let ask = |prompt: String| -> anyhow::Result<String> {
        term.write_str(&prompt)?;
        term.read_secure_line().context("cannot read the password from the terminal")
    };
    let typed = ask(format!("New password of {name}: "))?;
    if ask("Once more: ".to_owned())? == typed {
        one_line(&typed)
    } else {
        Err(hinted(anyhow::anyhow!("the two passwords are not the same"), "nothing was changed; try again"))
    }
}

fn of(source: impl Read) -> anyhow::Result<Secret> {
    let mut text = String::new();
    let n_bytes = source.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if n_bytes as u64 > BYTES_MAX {
        return Err(hinted(anyhow::anyhow!("it is too long for a password"), "256 characters at most"));
    }
    one_line(&text)
}

fn one_line(text: &str) -> anyhow::Result<Secret> {
    let secret = Secret::new(text);
    if secret.expose().is_empty() {
        return Err(hinted(anyhow::anyhow!("there is no password"), HINT));
    }
    if secret.expose().contains(['\n', '\r']) {
        return Err(hinted(anyhow::anyhow!("there is more than one line"), "a password is one line"));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line_and_its_line_end_is_none_of_it() {
        let read = |text: &str| of(text.as_bytes()).map(|secret| secret.expose().to_owned());
        assert_eq!(read("a long sentence \r\n").unwrap(), "a long sentence ");
        assert!(read("\n").unwrap_err().to_string().contains("--password-file"));
        assert!(read("one\ntwo\n").unwrap_err().to_string().contains("one line"));
        assert!(read(&"长".repeat(256)).is_ok());
        assert!(read(&"x".repeat(2_000)).is_err());
    }
}
