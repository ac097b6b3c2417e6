//! Plain scalars: numbers of the YAML 1.2 core schema (§10.3.2), and what YAML 1.1 reads otherwise.

/// A number as written.
pub(super) enum Number {
    Exact(serde_json::Number),
    /// An integer beyond 64 bits: the nearest float, and the integer in decimal digits.
    Rounded(serde_json::Number, String),
    /// Infinite, not a number, or beyond the range of floats.
    NotJson,
}

/// A number of the core schema, if the text is one.
pub(super) fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Number::NotJson);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        let digits = text.strip_prefix(prefix).filter(|digits| !digits.is_empty());
        if let Some(digits) = digits.filter(|digits| digits.chars().all(|digit| digit.is_digit(radix))) {
            let decimal = u128::from_str_radix(digits, radix).map(|number| number.to_string());
            return Some(decimal.map_or(Number::NotJson, |decimal| integer(&decimal)));
        }
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(integer(text));
    }
    // With these bytes only, Rust accepts the same floats.
    let is_float = text.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let float = is_float.then(|| text.parse::<f64>().ok()).flatten()?;
    Some(serde_json::Number::from_f64(float).map_or(Number::NotJson, Number::Exact))
}

/// A decimal integer of any length.
fn integer(text: &str) -> Number {
    let fits = text.parse::<i64>().map(serde_json::Number::from).or_else(|_| text.parse::<u64>().map(Into::into));
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let digits = digits.trim_start_matches(['+', '0']);
    let float = || text.parse().ok().and_then(serde_json::Number::from_f64);
    let rounded = || float().map_or(Number::NotJson, |float| Number::Rounded(float, format!("{sign}{digits}")));
    fits.map_or_else(|_| rounded(), Number::Exact)
}

/// What YAML 1.1 (PyYAML, Psych, and others) reads in the place of a plain scalar, and how to write it, if that differs from the
/// core schema (<https://yaml.org/type/>).
pub(super) fn in_yaml_1_1(text: &str) -> Option<&'static str> {
    const BOOLEANS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    let is_word = |word: &str| [word, &word.to_ascii_uppercase(), &capitalized(word)].contains(&text);
    if BOOLEANS.into_iter().any(is_word) {
        return Some("a boolean: quote it");
    }
    if is_date(text) {
        return Some("a date: quote it");
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_made_of = |allowed: &[u8]| unsigned.bytes().all(|byte| byte.is_ascii_digit() || allowed.contains(&byte));
    let starts_with_digit = unsigned.starts_with(|first: char| first.is_ascii_digit());
    if starts_with_digit && unsigned.len() > 1 && unsigned.starts_with('0') && is_made_of(b"_") {
        return Some("an octal number, or text: quote it, or write it without the zero");
    }
    if starts_with_digit && unsigned.contains(':') && !unsigned.ends_with(':') && is_made_of(b":._") {
        return Some("a number in base 60: quote it");
    }
    if starts_with_digit && unsigned.contains('_') && is_with_underscores(unsigned) {
        return Some("a number: quote it, or write it without `_`");
    }
    if unsigned
        .strip_prefix("0b")
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| b"01_".contains(&byte)))
    {
        return Some("a binary number: quote it");
    }
    if (unsigned != text && unsigned.starts_with("0x")) && unsigned.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit())
    {
        return Some("a number: quote it");
    }
    let is_number = matches!(number(text), Some(Number::Exact(_) | Number::Rounded(..)));
    if is_number && (text.starts_with("0o") || is_float_without_point(unsigned)) {
        return Some("text: write it in plain decimal digits, or quote it");
    }
    (text == "=").then_some("a special value: quote it")
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// Whether the text is `2026-01-31`, or that and a time.
fn is_date(text: &str) -> bool {
    let (date, time) = text.split_at(text.find(['T', 't', ' ', '\t']).unwrap_or(text.len()));
    let parts: Vec<_> = date.split('-').collect();
    let are_digits = parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let time = time.trim_start_matches(['T', 't', ' ', '\t']);
    let is_time = time.is_empty()
        || time.contains(':') && time.bytes().all(|byte| byte.is_ascii_digit() || b":.+-Zz \t".contains(&byte));
    are_digits
        && is_time
        && matches!(parts[..], [year, month, day] if year.len() == 4 && month.len() <= 2 && day.len() <= 2)
}

/// `1_000`, `0x1_F`, `1_0.5`, `1_0.5e+3`.
fn is_with_underscores(unsigned: &str) -> bool {
    let plain = unsigned.replace('_', "");
    number(&plain).is_some()
}

/// `1e3`, and `1.5e3`, whose exponent has no sign.
fn is_float_without_point(unsigned: &str) -> bool {
    let Some((mantissa, exponent)) = unsigned.split_once(['e', 'E']) else { return false };
    !unsigned.starts_with("0x") && (!mantissa.contains('.') || !exponent.starts_with(['+', '-']))
}
