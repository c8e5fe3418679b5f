//! The texts a configuration is made of, and where they are read from. All reading of config files is here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::problem::{Report, Spot};

/// One file: its name in messages, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its path.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Everything a configuration is made of.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// `submeterd.toml`; without it the defaults hold.
    pub main: Option<Text>,
    /// Site files.
    pub sites: Vec<Text>,
    /// Meter profiles, beside and over the embedded ones.
    pub meters: Vec<Text>,
    /// Field mappings, beside and over the embedded ones.
    pub mappings: Vec<Text>,
    /// Environment variables; of them those that begin with `SUBMETERD__`, and `CREDENTIALS_DIRECTORY`.
    pub environment: BTreeMap<String, String>,
    /// Where relative paths start.
    pub base: PathBuf,
    /// Secrets and certificates stay unread.
    pub without_secrets: bool,
}

impl Texts {
    /// The text of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&str> {
        let folders = [&self.sites, &self.meters, &self.mappings];
        let all = self.main.iter().chain(folders.into_iter().flatten());
        all.into_iter().find(|t| t.name == name).map(|t| &*t.text)
    }

    /// The files that were read, in order.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let folders = [&self.sites, &self.meters, &self.mappings];
        self.main.iter().chain(folders.into_iter().flatten()).map(|t| PathBuf::from(&t.name)).collect()
    }
}

/// Reads one file.
pub fn file(path: &Path, report: &mut Report) -> Option<Text> {
    let name = path.display().to_string();
    let spot = Spot::file(&name);
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            report.error(&spot, format!("it cannot be read: {error}"), "");
            return None;
        }
    };
    match String::from_utf8(bytes) {
        // Windows' editor puts a byte-order mark in front.
        Ok(text) => {
            Some(Text { name, text: text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text) })
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
            report.error(&spot, format!("line {line} is not UTF-8"), "save it as UTF-8 (not GBK or ANSI)");
            None
        }
    }
}

/// Reads every `.toml` of a folder, by name. A folder that is not there is a fault only where somebody named it.
pub fn folder(path: &Path, named: Option<&Spot>, report: &mut Report) -> Vec<Text> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            let is_missing = error.kind() == std::io::ErrorKind::NotFound;
            if let Some(spot) = named {
                let hint = "a relative path starts at the folder of the config file";
                report.error(spot, format!("{} cannot be read: {error}", path.display()), hint);
            } else if !is_missing {
                report.error(
                    &Spot::file(&path.display().to_string()),
                    format!("it cannot be read: {error}"),
                    "",
                );
            }
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => paths.push(entry.path()),
            Err(error) => {
                report.error(
                    &Spot::file(&path.display().to_string()),
                    format!("it cannot be listed: {error}"),
                    "",
                );
            }
        }
    }
    let is_hidden = |p: &Path| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
    paths.retain(|p| p.extension().is_some_and(|e| e == "toml") && !is_hidden(p));
    paths.sort();
    paths.iter().filter_map(|p| file(p, report)).collect()
}
