//! Integration tests, one binary: a theme a file, fakes in `harness`.
