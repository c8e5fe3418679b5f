//! How a load of lines is cut into requests, and how the bad lines of a refused one are found. Pure.

use std::ops::Range;

/// After so many requests in a row that were taken, the size is doubled again.
const N_TAKEN_TO_GROW: u32 = 16;

/// How many lines go into one request: what was configured, less for a while after the far side found that too much.
#[derive(Clone, Debug)]
pub struct Size {
    lines_max: usize,
    now: usize,
    n_taken: u32,
}

impl Size {
    /// At most `lines_max` lines, at least one.
    #[must_use]
    pub fn new(lines_max: usize) -> Size {
        let lines_max = lines_max.max(1);
        Size { lines_max, now: lines_max, n_taken: 0 }
    }

    /// Lines in the next request, at most.
    #[must_use]
    pub fn now(&self) -> usize {
        self.now
    }

    /// A request of so many lines was too much.
    pub fn halve(&mut self, n_lines: usize) {
        self.now = self.now.min(n_lines / 2).max(1);
        self.n_taken = 0;
    }

    /// A request was taken.
    pub fn taken(&mut self) {
        self.n_taken += 1;
        if self.n_taken >= N_TAKEN_TO_GROW {
            self.now = self.now.saturating_mul(2).min(self.lines_max);
            self.n_taken = 0;
        }
    }
}

/// The lines of a load that are not yet taken or set aside, in order.
#[derive(Clone, Debug)]
pub struct Pieces {
    /// The first is on top.
    stack: Vec<Range<usize>>,
}

impl Pieces {
    /// All lines of a load.
    #[must_use]
    pub fn new(n_lines: usize) -> Pieces {
        let mut pieces = Pieces { stack: Vec::new() };
        pieces.again(0..n_lines);
        pieces
    }

    /// Takes the first lines, at most `n_lines_max` of them. They come back by [`again`](Pieces::again) or
    /// [`refused`](Pieces::refused), or they are done with.
    pub fn take(&mut self, n_lines_max: usize) -> Option<Range<usize>> {
        let first = self.stack.pop()?;
        let cut = first.start.saturating_add(n_lines_max.max(1)).min(first.end);
        self.again(cut..first.end);
        Some(first.start..cut)
    }

    /// These lines were not taken, through no fault of theirs: they are the first again.
    pub fn again(&mut self, lines: Range<usize>) {
        if !lines.is_empty() {
            self.stack.push(lines);
        }
    }

    /// Some of these lines are bad: both halves are tried, the first one first. A single line is the bad one and is
    /// given back to be set aside.
    pub fn refused(&mut self, lines: Range<usize>) -> Option<usize> {
        if lines.len() <= 1 {
            return lines.into_iter().next();
        }
        let middle = lines.start + lines.len() / 2;
        self.again(middle..lines.end);
        self.again(lines.start..middle);
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sends all lines to a far side that refuses requests with a bad line in them and those above a size.
    fn drain(
        n_lines: usize,
        bad: &[usize],
        too_large_above: usize,
        lines_max: usize,
    ) -> (Vec<usize>, Vec<usize>, u32) {
        let (mut size, mut pieces) = (Size::new(lines_max), Pieces::new(n_lines));
        let (mut taken, mut aside, mut n_requests) = (Vec::new(), Vec::new(), 0);
        while let Some(piece) = pieces.take(size.now()) {
            n_requests += 1;
            assert!(piece.len() <= lines_max.max(1));
            if piece.len() > too_large_above {
                size.halve(piece.len());
                pieces.again(piece);
            } else if bad.iter().any(|b| piece.contains(b)) {
                aside.extend(pieces.refused(piece));
            } else {
                size.taken();
                taken.extend(piece);
            }
        }
        (taken, aside, n_requests)
    }

    proptest! {
        #[test]
        fn good_lines_are_taken_in_order_and_exactly_the_bad_ones_set_aside(
            n_lines in 0_usize..400,
            picks in proptest::collection::btree_set(0_usize..400, 0..12),
            too_large_above in 1_usize..200,
            lines_max in 0_usize..300,
        ) {
            let bad: Vec<usize> = picks.into_iter().filter(|b| *b < n_lines).collect();
            let (taken, aside, _) = drain(n_lines, &bad, too_large_above, lines_max);
            let good: Vec<usize> = (0..n_lines).filter(|l| !bad.contains(l)).collect();
            prop_assert_eq!(taken, good);
            prop_assert_eq!(aside, bad);
        }
    }

    #[test]
    fn one_bad_line_among_five_thousand_costs_a_few_requests() {
        let (taken, aside, n_requests) = drain(5_000, &[3_210], usize::MAX, 5_000);
        assert_eq!((taken.len(), aside), (4_999, vec![3_210]));
        assert!(n_requests < 30, "{n_requests}");
    }

    #[test]
    fn the_size_comes_back_after_a_while() {
        let mut size = Size::new(1_000);
        size.halve(1_000);
        size.halve(500);
        assert_eq!(size.now(), 250);
        for _ in 0..2 * N_TAKEN_TO_GROW {
            size.taken();
        }
        assert_eq!(size.now(), 1_000);
        size.halve(1);
        assert_eq!(size.now(), 1, "a request is never empty");
    }
}
