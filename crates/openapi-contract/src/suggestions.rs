//! Suggestions for misspelt words.

use strsim::levenshtein;

/// The known word that is at most two edits away from `word`, if any: `maxLenght` → `maxLength`.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // The distance takes quadratic time, and a word as long as this is not a typo.
    if word.len() > 64 {
        return None;
    }
    let distances = known.into_iter().map(|known| (levenshtein(word, known), known));
    let (distance, near) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance * 2 < word.len()).then_some(near)
}

/// What to append to a message about an unknown word: `: did you mean …?`, or nothing.
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!(": did you mean `{near}`?"))
}
