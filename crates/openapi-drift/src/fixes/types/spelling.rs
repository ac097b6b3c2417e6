//! How Rust, serde and utoipa spell what a contract says.

use serde_json::Value;

use openapi_contract::equivalence;

/// utoipa's word for a keyword of the contract, where the value is all there is to say.
pub(in crate::fixes) fn attribute_of(keyword: &str) -> Option<&'static str> {
    Some(match keyword {
        "minimum" => "minimum",
        "maximum" => "maximum",
        "multipleOf" => "multiple_of",
        "minLength" => "min_length",
        "maxLength" => "max_length",
        "pattern" => "pattern",
        "minItems" => "min_items",
        "maxItems" => "max_items",
        "minProperties" => "min_properties",
        "maxProperties" => "max_properties",
        "default" => "default",
        "readOnly" => "read_only",
        "writeOnly" => "write_only",
        "deprecated" => "deprecated",
        _ => return None,
    })
}

/// `attribute = value` of a keyword; flags stand alone.
pub(in crate::fixes) fn attribute(keyword: &str, value: &Value) -> Option<String> {
    let name = attribute_of(keyword)?;
    let count = keyword.starts_with("min") || keyword.starts_with("max");
    let value = match equivalence::whole(value) {
        // `1e2` is a float to Rust.
        Some(whole) if count && !value.is_string() => whole.to_string(),
        _ => literal(value),
    };
    Some(match value.as_str() {
        "true" if keyword != "default" => name.to_owned(),
        _ => format!("{name} = {value}"),
    })
}

pub(super) fn bounds(schema: &Value) -> Vec<String> {
    const ORDER: [&str; 14] = [
        "minimum",
        "maximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "default",
        "readOnly",
        "writeOnly",
        "deprecated",
    ];
    ORDER.into_iter().filter_map(|key| attribute(key, schema.get(key)?)).collect()
}

/// A value as Rust writes it: a raw string where there is a backslash.
pub(in crate::fixes) fn literal(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains(['\\', '"']) && !text.chars().any(char::is_control) => {
            let mut hashes = String::new();
            while text.contains(&format!("\"{hashes}")) {
                hashes.push('#');
            }
            format!("r{hashes}\"{text}\"{hashes}")
        }
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) | Value::Object(_) => format!("json!({value})"),
        other => other.to_string(),
    }
}

/// The description of a schema as a comment, or what else there is to say.
pub(in crate::fixes) fn docs(schema: &Value, otherwise: &str, indent: &str) -> String {
    let prose =
        ["description", "summary"].iter().find_map(|key| schema.get(*key)).and_then(Value::as_str).unwrap_or(otherwise);
    let lines = prose.trim().lines().map(|line| format!("{indent}/// {}", line.trim()).trim_end().to_owned() + "\n");
    lines.collect()
}

/// `next_cursor` and `merge-patch` as `NextCursor` and `MergePatch`.
pub(in crate::fixes) fn pascal(name: &str) -> String {
    // A sort key such as `-created_at` is another than `created_at`.
    let mut out = String::from(if name.starts_with('-') { "Minus" } else { "" });
    let mut upper = true;
    for one in name.chars() {
        if !one.is_alphanumeric() {
            upper = true;
        } else if upper {
            out.extend(one.to_uppercase());
            upper = false;
        } else {
            out.push(one);
        }
    }
    if out.starts_with(|one: char| one.is_ascii_digit()) || out.is_empty() { format!("V{out}") } else { out }
}

/// `countUsers` as `count_users`.
pub(in crate::fixes) fn snake(name: &str) -> String {
    let mut out = String::new();
    for one in name.chars() {
        if one.is_uppercase() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            out.extend(one.to_lowercase());
        } else {
            out.push(if one.is_alphanumeric() { one } else { '_' });
        }
    }
    out
}

/// A name that Rust takes for a field.
pub(super) fn ident(name: &str) -> String {
    const KEYWORDS: [&str; 18] = [
        "as", "box", "const", "default", "enum", "fn", "for", "if", "in", "loop", "match", "mod", "move", "ref",
        "type", "use", "where", "while",
    ];
    let ident = snake(name);
    let ident = if ident.starts_with(|one: char| one.is_ascii_digit()) { format!("_{ident}") } else { ident };
    if KEYWORDS.contains(&ident.as_str()) && ident != "default" { format!("r#{ident}") } else { ident }
}
