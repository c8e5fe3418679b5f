//! A power over time, thinned out to what a picture can show: of each column of it the first, least, greatest and last
//! value, so that no peak is lost and no line is drawn that was not measured.

use crate::alerts::compare::Span;
use crate::model::time::UtcMs;

/// A moment and a power, kW.
pub type Dot = (UtcMs, f64);

/// The dots of one column, by time.
#[derive(Clone, Copy, Debug)]
struct Column {
    index: i64,
    first: Dot,
    least: Dot,
    greatest: Dot,
    last: Dot,
}

impl Column {
    fn new(index: i64, dot: Dot) -> Column {
        Column { index, first: dot, least: dot, greatest: dot, last: dot }
    }

    fn add(&mut self, dot: Dot) {
        if dot.1 < self.least.1 {
            self.least = dot;
        }
        if dot.1 > self.greatest.1 {
            self.greatest = dot;
        }
        self.last = dot;
    }

    fn dots(&self) -> impl Iterator<Item = Dot> {
        let (least, greatest) = (self.least, self.greatest);
        let extremes = if least.0 <= greatest.0 { [least, greatest] } else { [greatest, least] };
        [self.first, extremes[0], extremes[1], self.last].into_iter()
    }
}

/// A curve with gaps where nothing was measured.
#[derive(Clone, Debug)]
pub struct Curve {
    span: Span,
    n_columns: i64,
    gap_ms: i64,
    open: Option<Column>,
    strokes: Vec<Vec<Dot>>,
    range: Option<(f64, f64)>,
}

impl Curve {
    /// An empty curve over `span` in so many columns; what lies further apart than `gap_ms` is not joined.
    #[must_use]
    pub fn new(span: Span, n_columns: u32, gap_ms: i64) -> Curve {
        Curve {
            span,
            n_columns: i64::from(n_columns.max(1)),
            gap_ms,
            open: None,
            strokes: Vec::new(),
            range: None,
        }
    }

    /// Adds a power, kW; powers come by time. What lies outside the span is passed over.
    pub fn push(&mut self, time: UtcMs, kw: f64) {
        let Span { from, to } = self.span;
        if time < from || time >= to {
            return;
        }
        let (low, high) = self.range.unwrap_or((kw, kw));
        self.range = Some((low.min(kw), high.max(kw)));
        // In wide numbers: a span of years in ms times some thousand columns is near the end of the narrow ones.
        let index = i128::from(time.since(from)) * i128::from(self.n_columns) / i128::from(to.since(from));
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        match &mut self.open {
            Some(column) if time.since(column.last.0) > self.gap_ms => {
                self.close();
                self.strokes.push(Vec::new());
                self.open = Some(Column::new(index, (time, kw)));
            }
            Some(column) if column.index == index => column.add((time, kw)),
            _ => {
                self.close();
                self.open = Some(Column::new(index, (time, kw)));
            }
        }
    }

    fn close(&mut self) {
        let Some(column) = self.open.take() else { return };
        if self.strokes.is_empty() {
            self.strokes.push(Vec::new());
        }
        let Some(stroke) = self.strokes.last_mut() else { return };
        for dot in column.dots() {
            if stroke.last() != Some(&dot) {
                stroke.push(dot);
            }
        }
    }

    /// All of it, with nothing more to come: strokes of dots that are joined.
    #[must_use]
    pub fn strokes(mut self) -> Vec<Vec<Dot>> {
        self.close();
        self.strokes
    }

    /// The least and the greatest power, kW.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        self.range
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPAN: Span = Span { from: UtcMs(0), to: UtcMs(100) };

    #[test]
    fn a_column_keeps_its_ends_and_its_peaks_and_a_gap_is_not_joined() {
        let mut curve = Curve::new(SPAN, 10, 15);
        for (at, kw) in [(0, 1.0), (2, 9.0), (4, -2.0), (6, 3.0), (8, 4.0), (19, 5.0), (40, 6.0), (100, 7.0)]
        {
            curve.push(UtcMs(at), kw);
        }
        assert_eq!(curve.range(), Some((-2.0, 9.0)));
        let strokes: Vec<Vec<(i64, f64)>> =
            curve.strokes().iter().map(|s| s.iter().map(|(t, v)| (t.0, *v)).collect()).collect();
        let first = vec![(0, 1.0), (2, 9.0), (4, -2.0), (8, 4.0), (19, 5.0)];
        assert_eq!(strokes, [first, vec![(40, 6.0)]]);
    }

    proptest! {
        #[test]
        fn no_peak_is_lost_and_every_dot_was_measured(
            powers in proptest::collection::btree_map(0_i64..100, -50.0_f64..50.0, 1..90),
            n_columns in 1_u32..30,
        ) {
            let mut curve = Curve::new(SPAN, n_columns, 20);
            powers.iter().for_each(|(at, kw)| curve.push(UtcMs(*at), *kw));
            let range = curve.range().unwrap();
            let strokes = curve.strokes();
            let dots: Vec<Dot> = strokes.concat();
            prop_assert!(dots.len() <= 4 * n_columns as usize + 4 * strokes.len());
            prop_assert!(dots.windows(2).all(|w| w[0].0 < w[1].0));
            prop_assert!(dots.iter().all(|(at, kw)| powers[&at.0] == *kw));
            prop_assert!(dots.iter().any(|d| d.1 == range.0) && dots.iter().any(|d| d.1 == range.1));
        }
    }
}
