//! Tables that fit a terminal: columns shrink and wrap, numbers stand right, colour only where it is wanted.

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use console::Term;

/// A line under the head, and none between rows: a list of alerts is long enough.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

/// Width where there is no terminal to ask.
const WIDTH: u16 = 120;

/// A table with a head.
#[must_use]
pub fn with_head(head: &[&str]) -> Table {
    let mut table = Table::new();
    let width = Term::stdout().size_checked().map_or(WIDTH, |(_, width)| width);
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(head.iter().copied());
    table
}

/// A number or an amount: stands right.
#[must_use]
pub fn right(text: impl ToString) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}
