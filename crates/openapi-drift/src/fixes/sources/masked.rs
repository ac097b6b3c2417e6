//! Code without what only looks like code: where its words, its brackets and its commas stand.

/// The text with comments and what is in quotes blanked out, byte for byte, so that what looks like code is code.
pub(in crate::fixes) fn masked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let find = |from: usize, what: &str| text.get(from..).and_then(|rest| rest.find(what)).map(|at| from + at);
    while let Some(&byte) = bytes.get(out.len()) {
        let at = out.len();
        let rest = bytes.get(at..).unwrap_or_default();
        let after_word = at > 0 && bytes.get(at - 1).is_some_and(|one| one.is_ascii_alphanumeric() || *one == b'_');
        let end = if rest.starts_with(b"//") {
            find(at, "\n").unwrap_or(bytes.len())
        } else if rest.starts_with(b"/*") {
            find(at + 2, "*/").map_or(bytes.len(), |end| end + 2)
        } else if byte == b'r' && !after_word && (rest.starts_with(b"r\"") || rest.starts_with(b"r#")) {
            let hashes = rest.iter().skip(1).take_while(|one| **one == b'#').count();
            match rest.get(1 + hashes) {
                Some(b'"') => {
                    let close = format!("\"{}", "#".repeat(hashes));
                    find(at + 2 + hashes, &close).map_or(bytes.len(), |end| end + close.len())
                }
                _ => at,
            }
        } else if byte == b'"' {
            let mut end = at + 1;
            while let Some(one) = bytes.get(end).filter(|one| **one != b'"') {
                end += if *one == b'\\' { 2 } else { 1 };
            }
            (end + 1).min(bytes.len())
        } else if byte == b'\'' && (rest.get(1) == Some(&b'\\') || rest.get(2) == Some(&b'\'')) {
            let from = if rest.get(1) == Some(&b'\\') { at + 3 } else { at + 2 };
            find(from, "'").map_or(bytes.len(), |end| end + 1)
        } else {
            at
        };
        if end > at {
            let blanked = bytes.get(at..end).unwrap_or_default().iter();
            // A quoted text is still something between two commas.
            let fill = if byte == b'/' { b' ' } else { b'"' };
            out.extend(blanked.map(|one| if *one == b'\n' { b'\n' } else { fill }));
        } else {
            out.push(if byte.is_ascii() { byte } else { b'_' });
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

/// The parts between the commas at the top level, white space around them left out.
pub(super) fn split(masked: &str, from: usize, to: usize) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let (mut depth, mut begin) = (0_usize, from);
    let text = masked.get(from..to).unwrap_or_default();
    let ends = text.bytes().enumerate().filter_map(|(index, byte)| {
        match byte {
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b')' | b']' | b'}' | b'>' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => return Some(from + index),
            _ => {}
        }
        None
    });
    for end in ends.chain([to]) {
        let part = masked.get(begin..end).unwrap_or_default();
        let first = begin + (part.len() - part.trim_start().len());
        if !part.trim().is_empty() {
            parts.push((first, begin + part.trim_end().len()));
        }
        begin = end + 1;
    }
    parts
}

/// Every word and where it begins.
pub(super) fn words(masked: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |one: char| one.is_alphanumeric() || one == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        at += masked.get(at..)?.find(is_word)?;
        let word = word(masked, at)?;
        let found = (at, word);
        at += word.len();
        Some(found)
    })
}

pub(super) fn word(masked: &str, at: usize) -> Option<&str> {
    let rest = masked.get(at..)?;
    let end = rest.find(|one: char| !one.is_alphanumeric() && one != '_').unwrap_or(rest.len());
    rest.get(..end).filter(|word| !word.is_empty())
}

pub(super) fn skip_space(masked: &str, at: usize) -> usize {
    masked.get(at..).map_or(at, |rest| at + rest.len() - rest.trim_start().len())
}

/// Where the bracket at `open` is closed.
pub(super) fn closing(masked: &str, open: usize) -> Option<usize> {
    partner(masked.bytes().enumerate().skip(open), b"([{", b")]}")
}

/// Where the bracket at `close` is opened.
pub(super) fn opening(masked: &str, close: usize) -> Option<usize> {
    let head = masked.as_bytes().get(..=close)?;
    partner(head.iter().copied().enumerate().rev(), b")]}", b"([{")
}

/// The other one of the bracket that comes first.
fn partner(bytes: impl Iterator<Item = (usize, u8)>, deeper: &[u8], back: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, byte) in bytes {
        if deeper.contains(&byte) {
            depth += 1;
        } else if back.contains(&byte) {
            depth = depth.checked_sub(1)?;
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}
