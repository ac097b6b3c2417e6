//! Writes JSON as YAML in the manner in which contracts are written by hand: blocks, short lists and references in
//! flow, statuses in single quotes.

use serde_json::{Map, Value};

use super::text::indented;

/// `key: value`, over as many lines as it takes, not indented.
pub(super) fn entry(name: &str, value: &Value) -> String {
    let name = key(name);
    match value {
        Value::String(text) if text.trim_end().contains('\n') && is_block_text(text) => {
            format!("{name}: |\n{}", indented(text.trim_end(), 2))
        }
        _ if is_flow(value) => format!("{name}: {}", flow(value)),
        Value::Array(_) => format!("{name}:\n{}", indented(&block(value), 2)),
        _ => format!("{name}:\n{}", indented(&block(value), 2)),
    }
}

/// `- value`, as an item of a list.
pub(super) fn item(value: &Value) -> String {
    if is_flow(value) {
        return format!("- {}", flow(value));
    }
    let text = indented(&block(value), 2);
    format!("- {}", text.trim_start())
}

fn block(value: &Value) -> String {
    match value {
        Value::Object(members) => ordered(members).map(|(key, value)| entry(key, value)).collect::<Vec<_>>().join("\n"),
        Value::Array(items) => items.iter().map(item).collect::<Vec<_>>().join("\n"),
        scalar => flow(scalar),
    }
}

/// In one line, as it stands inside `{ }` or `[ ]` too.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<_> =
                ordered(members).map(|(name, value)| format!("{}: {}", key(name), flow(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// References, lists of scalars, and what is empty, stand in one line.
fn is_flow(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty() || (members.len() == 1 && members.contains_key("$ref")),
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

/// In the order in which people write them; what is not listed comes in its own order before what holds much.
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
pub(super) fn key(name: &str) -> String {
    // A status is a string, and a number to whoever leaves the quotes out.
    if name.bytes().all(|byte| byte.is_ascii_digit()) { quoted(name) } else { scalar(name) }
}

/// A string, in quotes where it would be read as something else.
fn scalar(text: &str) -> String {
    let plain_start = text.starts_with(|first: char| first.is_alphanumeric() || matches!(first, '/' | '_' | '$'));
    let plain = |character: char| {
        character.is_alphanumeric()
            || matches!(character, ' ' | '_' | '-' | '.' | '/' | '+' | '$' | '(' | ')' | '`' | ';' | '=')
    };
    let word =
        ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    let number = text.parse::<f64>().is_ok() || text.starts_with(|first: char| first.is_ascii_digit());
    // A path template as a key, the only place where braces are plain.
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

/// Whether a text can stand as it is in a block of its own.
fn is_block_text(text: &str) -> bool {
    !text.starts_with([' ', '\n']) && !text.chars().any(|one| one.is_control() && one != '\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for value in [
            json!({"type": "string", "enum": ["no", "1", "a: b", "#x", "it's", "-", "", " x "], "pattern": "^\"[0-9]+\"$"}),
            json!({"responses": {"200": {"description": "One.\nTwo: three.\n"}, "404": {"$ref": "#/components/responses/NotFound"}}}),
            json!({"parameters": [{"name": "a", "in": "query", "schema": {"type": "array", "items": {"maximum": 1.5}}}]}),
            json!({"/users/{id}": {"get": {}}, "default": {"a": [1, [2], {"b": null}]}}),
            json!({"text": "tab\there", "more": "e\u{301}", "date": "2026-01-01", "long": "trailing space "}),
        ] {
            let text = entry("root", &value);
            let read = openapi_contract::yaml::read("f", &text, openapi_contract::Profile::Supported)
                .root
                .unwrap_or_else(|| panic!("not YAML:\n{text}"));
            let mut expected = value.clone();
            if let Some(Value::String(prose)) = expected.pointer_mut("/responses/200/description") {
                *prose = prose.trim_end().to_owned() + "\n";
            }
            assert_eq!(read.0["root"], expected, "{text}");
        }
    }
}
