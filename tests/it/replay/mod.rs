//! `submeterd replay`, as people try rules on what was recorded: CSV, history, a part of a journal, the difference, pictures.

mod csv;
mod plant;
mod stored;
