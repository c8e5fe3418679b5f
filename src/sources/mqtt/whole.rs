//! A native message: as a whole, and where that fails apart. Pure.

use super::apart;
use super::document::Document;
use super::sink::{Sink, parser_says};

/// Decodes a native message into `sink`.
pub(super) fn decode(payload: &[u8], sink: &mut Sink<'_>) {
    let Err(error) = Document::read(payload, sink) else { return };
    sink.start_over();
    // One reading that cannot be parsed must not take the others of its batch with it.
    if apart::decode(payload, sink).is_none() {
        sink.refuse(parser_says(&error));
    }
}
