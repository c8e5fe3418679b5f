//! "Did you mean": the known word that is nearest to what was typed.

/// The nearest of `known`, if one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed_low = typed.to_lowercase();
    let n = typed.chars().count();
    // A single letter changed for another is another word.
    let limit = (n / 3).max(1).min(n.saturating_sub(1));
    known
        .into_iter()
        .map(|word| (distance(&typed_low, &word.to_lowercase()), word))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, word)| word)
}

/// As a hint: `did you mean "x"?`, or all there is where nothing is near.
#[must_use]
pub fn hint<'a>(typed: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    /// More names than this are no help to anybody.
    const N_NAMES_MAX: usize = 30;
    if let Some(word) = nearest(typed, known.clone()) {
        return format!("did you mean {word:?}?");
    }
    let all: Vec<_> = known.into_iter().take(N_NAMES_MAX).collect();
    if all.is_empty() { "there is none yet".into() } else { format!("there is: {}", all.join(", ")) }
}

/// Letters to change, add, leave out or swap with their neighbour to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let change = last[j] + usize::from(a[i] != b[j]);
            row[j + 1] = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                row[j + 1] = row[j + 1].min(before_last[j - 1] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word_and_another_word_does_not() {
        let known = ["rated_kw", "running_above", "meter", "id"];
        assert_eq!(nearest("ratedkw", known), Some("rated_kw"));
        assert_eq!(nearest("metre", known), Some("meter"));
        assert_eq!(nearest("Meter", known), Some("meter"));
        assert_eq!(nearest("voltage", known), None);
        assert_eq!(nearest("E", ["A", "B"]), None);
        assert_eq!(hint("x", []), "there is none yet");
    }
}
