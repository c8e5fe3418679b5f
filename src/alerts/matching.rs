//! Which alert of one list is which of another, where both tell of the same time.

/// Takes pairs from the best rank down; each alert of either list is in one pair at most. Candidates are rank, place in the
/// one list, place in the other.
#[must_use]
pub fn best_first<R: Ord>(mut candidates: Vec<(R, usize, usize)>) -> Vec<(usize, usize)> {
    candidates.sort_unstable();
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let (mut taken_one, mut taken_other) =
        (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for (_, one, other) in candidates {
        if !taken_one.contains(&one) && !taken_other.contains(&other) {
            taken_one.insert(one);
            taken_other.insert(other);
            pairs.push((one, other));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_pair_goes_first_and_takes_both_away() {
        let candidates = vec![(3, 0, 0), (1, 0, 1), (2, 1, 1), (4, 1, 0)];
        assert_eq!(best_first(candidates), [(0, 1), (1, 0)]);
        assert_eq!(best_first(Vec::<(u8, usize, usize)>::new()), []);
    }
}
