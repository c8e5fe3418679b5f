//! History against a list.
