//! What people read, in English and Chinese: words, lengths and moments, and an alert's evidence as a sentence. Pure.
//!
//! *In*: what the rules found. *Out*: text for tables, pages and notices. *State*: none. Names that scripts know (rules,
//! figures, parameters) are the same in English as in JSON.

pub mod changed_sentence;
pub mod figures;
pub mod meter_sentence;
pub mod params;
pub mod people;
pub mod process_sentence;
pub mod revised;
pub mod said;
pub mod sentence;
pub mod silent;
pub mod suppressed;
pub mod when;
pub mod words;
