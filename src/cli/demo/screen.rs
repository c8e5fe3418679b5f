//! Where the scene is shown: drawn in place on a terminal, or told line by line where there is none.

use std::io::{self, Write as _};

use console::Term;
use jiff::tz::TimeZone;

use super::log::Log;
use super::scene::Scene;
use super::view::{self, Look};
use crate::wording::words::Lang;

/// Lines and columns where a terminal does not say.
const SIZE: (u16, u16) = (24, 80);

/// A place to show scenes.
#[derive(Debug)]
pub enum Screen {
    /// A terminal, with the lines drawn last.
    Live {
        /// The terminal, buffered.
        term: Term,
        /// Lines drawn last.
        n_lines: usize,
        /// The words.
        lang: Lang,
        /// Where the page is, and how to get in.
        page: String,
    },
    /// A file or a pipe.
    Plain(Log),
}

impl Screen {
    /// The terminal, or plain lines where standard output is none.
    #[must_use]
    pub fn new(lang: Lang) -> Screen {
        let term = Term::buffered_stdout();
        if term.is_term() && !console::is_dumb() {
            Screen::Live { term, n_lines: 0, lang, page: String::new() }
        } else {
            Screen::Plain(Log::new(lang, TimeZone::system()))
        }
    }

    /// Says where the page is, and how to get in.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn open(&mut self, page: &str) -> io::Result<()> {
        match self {
            Screen::Live { page: own, .. } => page.clone_into(own),
            Screen::Plain(_) => say(&[page])?,
        }
        Ok(())
    }

    /// Shows a scene.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn show(&mut self, scene: &Scene) -> io::Result<()> {
        match self {
            Screen::Live { term, n_lines, lang, page } => {
                let (height, width) = term.size_checked().unwrap_or(SIZE);
                let look = Look {
                    lang: *lang,
                    page: page.clone(),
                    width: usize::from(width),
                    height: usize::from(height),
                    colour: console::colors_enabled(),
                    zone: TimeZone::system(),
                };
                let lines = view::lines(scene, &look);
                term.hide_cursor()?;
                term.move_cursor_up(*n_lines)?;
                for line in &lines {
                    term.clear_line()?;
                    term.write_line(line)?;
                }
                term.clear_to_end_of_screen()?;
                *n_lines = lines.len();
                term.flush()
            }
            Screen::Plain(log) => say(&log.news(scene)),
        }
    }

    /// Gives the terminal back as it was, below what was drawn last.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn end(&self) -> io::Result<()> {
        match self {
            Screen::Live { term, .. } => term.show_cursor().and_then(|()| term.flush()),
            Screen::Plain(_) => Ok(()),
        }
    }
}

/// Writes lines to standard output, at once.
///
/// # Errors
/// Standard output cannot be written.
pub fn say<T: AsRef<str>>(lines: &[T]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{}", line.as_ref())?;
    }
    out.flush()
}
