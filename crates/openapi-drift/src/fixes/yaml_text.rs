//! Writes JSON as YAML in the style of contracts written by hand: blocks, short lists and references in flow style, statuses
//! in single quotes.

use serde_json::{Map, Value};

use crate::fix::indented;

/// `key: value`, over as many lines as it takes, not indented.
pub(crate) fn entry(name: &str, value: &Value) -> String {
    let name = key(name);
    match value {
        Value::String(text) if text.trim_end().contains('\n') && is_block_text(text) => {
            format!("{name}: |\n{}", indented(text.trim_end(), 2))
        }
        _ if is_flow(value) => format!("{name}: {}", flow(value)),
        _ => format!("{name}:\n{}", indented(&block(value), 2)),
    }
}

/// `- value`, as an item of a list.
pub(crate) fn item(value: &Value) -> String {
    format!("- {}", indented(&content(value), 2).trim_start())
}

/// The value of an item, without its dash.
pub(crate) fn content(value: &Value) -> String {
    if is_flow(value) { flow(value) } else { block(value) }
}

fn block(value: &Value) -> String {
    match value {
        Value::Object(members) => ordered(members).map(|(key, value)| entry(key, value)).collect::<Vec<_>>().join("\n"),
        Value::Array(items) => items.iter().map(item).collect::<Vec<_>>().join("\n"),
        scalar => flow(scalar),
    }
}

/// In flow style, on one line.
pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<_> =
                ordered(members).map(|(name, value)| format!("{}: {}", key(name), flow(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => scalar(text),
        Value::Number(value) => number(&value.to_string()),
        other => other.to_string(),
    }
}

/// A number with an exponent has a point and a sign, without which it is text for readers of YAML 1.1.
fn number(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('e') else { return text.to_owned() };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['+', '-']) { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// References, lists of scalars and empty values are written on one line.
fn is_flow(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty() || (members.len() == 1 && members.contains_key("$ref")),
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

/// In the usual order: names first, large values last.
fn ordered(members: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    const FIRST: [&str; 8] = ["operationId", "tags", "summary", "name", "in", "type", "format", "description"];
    const LAST: [&str; 8] =
        ["required", "parameters", "requestBody", "headers", "content", "properties", "responses", "schema"];
    let rank =
        |key: &str| match (FIRST.iter().position(|known| *known == key), LAST.iter().position(|known| *known == key)) {
            (Some(rank), _) => rank,
            (_, Some(rank)) => 100 + rank,
            _ => 50,
        };
    let mut all: Vec<_> = members.iter().collect();
    all.sort_by_key(|(key, _)| rank(key));
    all.into_iter()
}

/// A name, as a key.
pub(crate) fn key(name: &str) -> String {
    // Without quotes a status would be a number.
    if name.bytes().all(|byte| byte.is_ascii_digit()) { quoted(name) } else { scalar(name) }
}

/// A string, in quotes where plain text would have another meaning.
fn scalar(text: &str) -> String {
    let plain_start = text.starts_with(|first: char| first.is_alphanumeric() || matches!(first, '/' | '_' | '$'));
    let plain = |character: char| {
        character.is_alphanumeric()
            || matches!(character, ' ' | '_' | '-' | '.' | '/' | '+' | '$' | '(' | ')' | '`' | ';' | '=')
    };
    let word =
        ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    let number = text.parse::<f64>().is_ok() || text.starts_with(|first: char| first.is_ascii_digit());
    // A path template as a key is the only place where braces are plain.
    let template = text.starts_with('/') && text.chars().all(|one| plain(one) || matches!(one, '{' | '}'));
    if plain_start && !word && !number && !text.ends_with(' ') && (template || text.chars().all(plain)) {
        return text.to_owned();
    }
    quoted(text)
}

fn quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        // JSON is YAML.
        return Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a text can be written as a literal block.
fn is_block_text(text: &str) -> bool {
    !text.starts_with([' ', '\n']) && !text.chars().any(|one| one.is_control() && one != '\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_reads_as_the_same_value() {
        for value in [
            json!({"type": "string", "enum": ["no", "1", "Y", "0144", "12:30", "1_0", "=", "<<", "~", "a: b", "#x", "it's", "-", "", " x "], "pattern": "^\"[0-9]+\"$"}),
            json!({"responses": {"200": {"description": "One.\nTwo: three.\n"}, "404": {"$ref": "#/components/responses/NotFound"}}}),
            json!({"parameters": [{"name": "a", "in": "query", "schema": {"type": "array", "items": {"maximum": 1.5, "minimum": -1e300, "multipleOf": 1.5e-7}}}]}),
            json!({"/users/{id}": {"get": {}}, "default": {"a": [1, [2], {"b": null}]}}),
            json!({"text": "tab\there", "more": "e\u{301}", "date": "2026-01-01", "long": "trailing space "}),
        ] {
            let text = entry("root", &value);
            let read = openapi_contract::yaml::read("f", text.as_bytes(), openapi_contract::Profile::Supported);
            assert_eq!(read.errors, [], "{text}");
            let read = read.root.unwrap_or_else(|| panic!("not YAML:\n{text}"));
            let mut expected = value.clone();
            if let Some(Value::String(prose)) = expected.pointer_mut("/responses/200/description") {
                *prose = prose.trim_end().to_owned() + "\n";
            }
            assert_eq!(read.0["root"], expected, "{text}");
        }
    }
}
