//! Cutting text into lines by the columns it takes. Pure.

use console::measure_text_width;

/// Cuts a text into lines of at most `width` columns: at blanks, and beside any wide character.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut column = 0;
    for piece in pieces(text) {
        let piece_width = measure_text_width(piece);
        if column > 0 && column + measure_text_width(piece.trim_end()) > width {
            lines.push(String::new());
            column = 0;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(piece);
            column += piece_width;
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Parts between which a line may end: words with the blank after them, single wide characters. A number stays with
/// its unit and its sign.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut begin = 0;
    let mut before_wide = false;
    for (at, character) in text.char_indices() {
        let wide = measure_text_width(character.encode_utf8(&mut [0; 4])) > 1;
        let closing = "；，。：）、".contains(character);
        let bound = text[at..].starts_with(['≥', '≤']) || text[at..].starts_with("kW");
        let after_blank = text[..at].ends_with(' ') && !text[..at].trim_end().ends_with(['≥', '≤']) && !bound;
        if at > begin && character != ' ' && !closing && (after_blank || wide || before_wide) {
            pieces.push(&text[begin..at]);
            begin = at;
        }
        before_wide = wide;
    }
    pieces.push(&text[begin..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_blanks_and_between_wide_characters_but_not_before_a_full_stop() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("生产设施；治污", 8), ["生产设", "施；治污"]);
        assert_eq!(wrapped("a press 71.2 kW ≥ 50 kW: on", 10), ["a press", "71.2 kW ≥ 50 kW:", "on"]);
    }
}
