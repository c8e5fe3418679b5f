//! What is wrong with a configuration, in the words of the person who has to mend it.

use std::fmt;

/// One thing that is wrong: where it stands, what it is, what to do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file, or `environment`.
    pub file: Box<str>,
    /// Dotted path of the key, counted from 0 in lists: `points[2].meter`. Empty where the whole file is meant.
    pub key: Box<str>,
    /// Line in the file, from 1.
    pub line: Option<usize>,
    /// Column in the line, from 1, where it helps.
    pub column: Option<usize>,
    /// What is wrong.
    pub what: Box<str>,
    /// What to do about it; empty where it goes without saying.
    pub hint: Box<str>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        f.write_str(": ")?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", self.hint)?;
        }
        Ok(())
    }
}

/// Everything that keeps a configuration from being used, with the warnings found on the way.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problems {
    /// What must be mended.
    pub errors: Vec<Problem>,
    /// What should be looked at.
    pub warnings: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.errors.len();
        write!(f, "{n} {} found", if n == 1 { "problem" } else { "problems" })?;
        self.errors.iter().try_for_each(|p| write!(f, "\n{p}"))
    }
}

impl std::error::Error for Problems {}

/// A key of a file: what a problem is pinned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    file: Box<str>,
    path: String,
}

impl Spot {
    /// The whole file.
    #[must_use]
    pub fn file(name: &str) -> Spot {
        Spot { file: name.into(), path: String::new() }
    }

    /// A key of the table this spot is.
    #[must_use]
    pub fn key(&self, key: &str) -> Spot {
        let dot = if self.path.is_empty() { "" } else { "." };
        Spot { file: self.file.clone(), path: format!("{}{dot}{key}", self.path) }
    }

    /// An element of the list that `key` of this table is.
    #[must_use]
    pub fn item(&self, key: &str, index: usize) -> Spot {
        let mut spot = self.key(key);
        spot.path.push_str(&format!("[{index}]"));
        spot
    }

    /// The file's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// Gathers problems while everything is checked, so that all of them are told at once.
#[derive(Debug, Default)]
pub struct Report {
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
}

fn at(spot: &Spot, what: impl fmt::Display, hint: impl fmt::Display) -> Problem {
    Problem {
        file: spot.file.clone(),
        key: spot.path.as_str().into(),
        line: None,
        column: None,
        what: what.to_string().into(),
        hint: hint.to_string().into(),
    }
}

impl Report {
    /// Something that must be mended.
    pub fn error(&mut self, spot: &Spot, what: impl fmt::Display, hint: impl fmt::Display) {
        self.push(at(spot, what, hint));
    }

    /// Something that should be looked at.
    pub fn warn(&mut self, spot: &Spot, what: impl fmt::Display, hint: impl fmt::Display) {
        self.warnings.push(at(spot, what, hint));
    }

    /// An error that is ready. A key is complained of once: what follows from its first fault is no news.
    pub fn push(&mut self, problem: Problem) {
        let known = |p: &Problem| p.file == problem.file && p.key == problem.key && !p.key.is_empty();
        if !self.errors.iter().any(known) {
            self.errors.push(problem);
        }
    }

    /// Whether nothing has to be mended.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// How many things have to be mended.
    #[must_use]
    pub fn n_errors(&self) -> usize {
        self.errors.len()
    }

    /// All of it, with the lines looked up; in order of files and lines.
    #[must_use]
    pub fn finish(self, line_of: impl Fn(&str, &str) -> Option<usize>) -> Problems {
        let Report { mut errors, mut warnings } = self;
        for list in [&mut errors, &mut warnings] {
            for problem in list.iter_mut().filter(|p| p.line.is_none()) {
                problem.line = line_of(&problem.file, &problem.key);
            }
            list.sort_by(|a, b| (&a.file, a.line, &a.key).cmp(&(&b.file, b.line, &b.key)));
        }
        Problems { errors, warnings }
    }
}
