//! Numbers of the YAML 1.2 core schema (§10.3.2).

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
