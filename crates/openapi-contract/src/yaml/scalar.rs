//! Numbers of the YAML 1.2 core schema (§10.3.2).

/// A number as written.
pub(super) enum Number {
    Exact(serde_json::Number),
    /// An integer beyond 64 bits, as the nearest float.
    Rounded(serde_json::Number),
    /// Infinite or not a number.
    NotJson,
}

/// A number of the core schema, if the text is one.
pub(super) fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let rounded =
        |number: Option<f64>| number.and_then(serde_json::Number::from_f64).map_or(Number::NotJson, Number::Rounded);
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            let float = || {
                let digits = digits.chars().filter_map(|digit| digit.to_digit(radix)).map(f64::from);
                digits.fold(0.0_f64, |number, digit| number.mul_add(f64::from(radix), digit))
            };
            let exact = u64::from_str_radix(digits, radix).map(|number| Number::Exact(number.into()));
            return Some(exact.unwrap_or_else(|_| rounded(Some(float()))));
        }
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Number::NotJson);
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let integer = text
            .parse::<i64>()
            .map(serde_json::Number::from)
            .or_else(|_| text.parse::<u64>().map(serde_json::Number::from));
        return Some(integer.map_or_else(|_| rounded(text.parse().ok()), Number::Exact));
    }
    let float = is_float(unsigned).then(|| text.parse::<f64>().ok().and_then(serde_json::Number::from_f64))?;
    Some(float.map_or(Number::NotJson, Number::Exact))
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(unsigned: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    (!whole.is_empty() || !fraction.is_empty())
        && digits(whole)
        && digits(fraction)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}
