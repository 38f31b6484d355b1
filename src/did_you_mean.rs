//! Finds the known word that the user probably meant.

/// Returns the candidate that is closest to `word`, if it is close enough to be a typing error.
///
/// A third of the word may be wrong, but never more than three letters; an equal word is no suggestion.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| (1..=limit).contains(distance))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn swapped_letters_are_one_error() {
        let known = ["metallb_enabled", "metallb_ip_range", "ip"];
        assert_eq!(closest("metalbl_enabled", known), Some("metallb_enabled"));
        assert_eq!(closest("matallb_ip_range", known), Some("metallb_ip_range"));
    }

    #[test]
    fn far_or_equal_words_are_not_suggested() {
        assert_eq!(closest("jellyfin_path", ["metallb_enabled"]), None);
        assert_eq!(closest("ip", ["ip"]), None);
        assert_eq!(closest("os", ["ip"]), None);
    }
}
