//! Decoding as the engine asks for it: messages in, readings and rejects out.

mod batch;
mod harness;
mod mapping;
mod native;
mod properties;
