//! SVG as text: elements whose attributes and texts are escaped.

use std::fmt::{Display, Write as _};

/// The letters of all texts.
const FONT: &str = "Helvetica, Arial, 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif";

/// An SVG that is being written.
#[derive(Debug)]
pub struct Svg {
    text: String,
}

/// How a text is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Letters {
    /// Height, px.
    pub size: f64,
    /// Bold.
    pub is_bold: bool,
    /// Colour; black where it is empty.
    pub fill: &'static str,
    /// Where it stands from its place.
    pub anchor: Anchor,
}

/// Where a text stands from its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Anchor {
    #[default]
    Right,
    Middle,
    Left,
}

impl Svg {
    /// An empty picture of that size, white.
    #[must_use]
    pub fn new(width: f64, height: f64, title: &str) -> Svg {
        let mut svg = Svg { text: String::new() };
        svg.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let (width, height) = (number(width), number(height));
        svg.open(
            "svg",
            &[
                ("xmlns", &"http://www.w3.org/2000/svg"),
                ("width", &width),
                ("height", &height),
                ("viewBox", &format!("0 0 {width} {height}")),
                ("font-family", &FONT),
                ("role", &"img"),
            ],
        );
        svg.raw(&format!("<title>{}</title>\n", escaped(title)));
        svg.rect([0.0, 0.0], ["100%", "100%"], &[("fill", &"#ffffff")]);
        svg
    }

    /// Begins an element that others lie in.
    pub fn open(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        self.begin(name, attributes);
        self.text.push_str(">\n");
    }

    /// Ends the element begun last.
    pub fn close(&mut self, name: &str) {
        let _ = writeln!(self.text, "</{name}>");
    }

    fn begin(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        let _ = write!(self.text, "<{name}");
        for (key, value) in attributes {
            let _ = write!(self.text, " {key}=\"{}\"", escaped(&value.to_string()));
        }
    }

    /// An element that is empty.
    pub fn element(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        self.begin(name, attributes);
        self.text.push_str("/>\n");
    }

    fn rect(&mut self, [x, y]: [f64; 2], [width, height]: [&str; 2], more: &[(&str, &dyn Display)]) {
        let (x, y) = (number(x), number(y));
        let place: [(&str, &dyn Display); 4] = [("x", &x), ("y", &y), ("width", &width), ("height", &height)];
        self.element("rect", &[&place, more].concat());
    }

    /// A box: left, top, width, height.
    pub fn area(&mut self, [x, y, width, height]: [f64; 4], more: &[(&str, &dyn Display)]) {
        self.rect([x, y], [&number(width), &number(height)], more);
    }

    /// A line: from x, y to x, y.
    pub fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], more: &[(&str, &dyn Display)]) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(number);
        let place: [(&str, &dyn Display); 4] = [("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2)];
        self.element("line", &[&place, more].concat());
    }

    /// A text at its base line.
    pub fn text(&mut self, [x, y]: [f64; 2], letters: Letters, text: &str) {
        let (x, y, size) = (number(x), number(y), number(letters.size));
        let mut attributes: Vec<(&str, &dyn Display)> = vec![("x", &x), ("y", &y), ("font-size", &size)];
        if letters.is_bold {
            attributes.push(("font-weight", &"bold"));
        }
        if !letters.fill.is_empty() {
            attributes.push(("fill", &letters.fill));
        }
        match letters.anchor {
            Anchor::Right => {}
            Anchor::Middle => attributes.push(("text-anchor", &"middle")),
            Anchor::Left => attributes.push(("text-anchor", &"end")),
        }
        self.begin("text", &attributes);
        let _ = writeln!(self.text, ">{}</text>", escaped(text));
    }

    /// Text that is SVG already.
    pub fn raw(&mut self, svg: &str) {
        self.text.push_str(svg);
    }

    /// The whole.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.close("svg");
        self.text
    }
}

/// A length to the tenth of a pixel.
#[must_use]
pub fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    let short = text.strip_suffix(".0").unwrap_or(&text);
    if short == "-0" { "0".into() } else { short.to_owned() }
}

/// A text as it may stand in XML: letters that XML has no place for are left out.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

/// About how wide a text is, px: a letter of Chinese is as wide as high, others are little more than half.
#[must_use]
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if c >= '\u{2e80}' { size } else { 0.57 * size }).sum()
}

/// The text, cut to that width.
#[must_use]
pub fn cut(text: &str, size: f64, width_max: f64) -> String {
    if width(text, size) <= width_max {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        if width(&short, size) + 2.0 * size > width_max {
            break;
        }
        short.push(c);
    }
    format!("{}…", short.trim_end())
}
