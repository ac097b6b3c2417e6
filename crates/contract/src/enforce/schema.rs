//! The schemas that requests are held against: what in them cannot be held against anything.
//!
//! - A `pattern` that does not compile: the server would not start.
//! - A `pattern` that looks around or refers back: this server could match it, but not in linear time, and generators
//!   for languages whose engine is RE2 cannot read it at all.
//! - A parameter's `default` that its own schema refuses: the server puts it in the place of what a client leaves out,
//!   so the handler would be given what the contract says it never gets.
//!
//! Patterns are read as they are written, by the syntax of Rust's `regex`: that of RE2, with `\uXXXX` as in ECMA 262.

use regex_syntax::ast::ErrorKind;
use serde_json::{Number, Value};

use super::Broken;
use crate::Kind;
use crate::grammar::Shape;
use crate::meaning::{canonical, set, whole};
use crate::pointer::join;

impl<'a> Broken<'a> {
    /// Looks at a schema and at all that it holds or refers to.
    pub(super) fn request_schema(&mut self, schema: &'a Value, at: String) {
        // A list of work, not recursion: chains of references may be long.
        let mut next = vec![(schema, at)];
        while let Some((schema, at)) = next.pop() {
            let (schema, at) = self.resolve(schema, at);
            if !self.seen.insert(at.clone()) {
                continue;
            }
            for (key, value) in schema.as_object().into_iter().flatten() {
                let here = join(&at, key);
                match (Kind::Schema.keyword(key), value) {
                    (Some(Shape::One(Kind::Schema) | Shape::SchemaOrFlag), _) => next.push((value, here)),
                    (Some(Shape::List(Kind::Schema)), Value::Array(items)) => {
                        let items = items.iter().enumerate();
                        next.extend(items.map(|(index, item)| (item, join(&here, &index.to_string()))));
                    }
                    (Some(Shape::Map(Kind::Schema)), Value::Object(members)) => {
                        next.extend(members.iter().map(|(name, member)| (member, join(&here, name))));
                    }
                    (_, Value::String(pattern)) if key == "pattern" => {
                        if let Err(reason) = readable(pattern) {
                            self.add(here, format!("cannot be enforced: {reason}"));
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Holds a parameter's default against the keywords beside it.
    pub(super) fn default_value(&mut self, schema: &'a Value, at: &str) {
        let Some(default) = schema.get("default") else { return };
        if let Some(broken) = breaks(schema, default) {
            self.add(join(at, "default"), format!("cannot be enforced: the default {default} breaks {broken}"));
        }
    }
}

/// Why a pattern cannot be read everywhere.
fn readable(pattern: &str) -> Result<(), String> {
    let Err(error) = regex_syntax::parse(pattern) else { return Ok(()) };
    let (what, span) = match &error {
        regex_syntax::Error::Parse(error) => match error.kind() {
            ErrorKind::UnsupportedLookAround => {
                return Err("the pattern looks around, which RE2 and what is like it cannot: say it without".to_owned());
            }
            ErrorKind::UnsupportedBackreference => {
                return Err("the pattern refers back, which RE2 and what is like it cannot: say it without".to_owned());
            }
            kind => (kind.to_string(), error.span()),
        },
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span()),
        other => return Err(format!("the pattern does not compile: {other}")),
    };
    Err(format!("the pattern does not compile: {what}, at its character {}", span.start.column))
}

/// The keyword of `schema` that `default` plainly breaks, as in "breaks …".
fn breaks(schema: &Value, default: &Value) -> Option<String> {
    let told = |key: &str| schema.get(key).map(|value| format!("`{key}: {value}`"));
    let number = |key: &str| schema.get(key).and_then(Value::as_number);
    let fits = match schema.get("type").and_then(Value::as_str) {
        // `5.0` is whole to a schema, but not to the handler.
        Some("integer") => default.is_i64() || default.is_u64(),
        Some("number") => default.is_number(),
        Some("boolean") => default.is_boolean(),
        Some("array" | "object") => true,
        // Without a type the text is taken as it is.
        _ => default.is_string(),
    };
    if !fits {
        return told("type").or_else(|| Some("the type: without `type` a parameter is a string".to_owned()));
    }
    let key = match default {
        Value::Number(default) if number("minimum").is_some_and(|minimum| less(default, minimum)) => "minimum",
        Value::Number(default) if number("maximum").is_some_and(|maximum| less(maximum, default)) => "maximum",
        Value::String(text) => {
            let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
            let bound = |key: &str| schema.get(key).and_then(whole);
            match (bound("minLength"), bound("maxLength")) {
                (Some(least), _) if length < least => "minLength",
                (_, Some(most)) if length > most => "maxLength",
                _ => "enum",
            }
        }
        _ => "enum",
    };
    if key != "enum" {
        return told(key);
    }
    let listed = schema.get("enum").and_then(Value::as_array)?;
    (!set(listed).contains(&canonical(default))).then(|| "`enum`: it is not listed".to_owned())
}

fn less(a: &Number, b: &Number) -> bool {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a < b,
        _ => a.as_f64() < b.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patterns_that_everybody_can_read() {
        for pattern in [r"^\S+$", r"^[^\s\u0000-\u001f\ufeff]*$", r"^\d{4}-\d{2}$", r"^\p{L}+$", r"^a\/b\-c$", "é"] {
            assert_eq!(readable(pattern), Ok(()), "{pattern}");
        }
        for (pattern, expected) in [
            ("(", "the pattern does not compile: unclosed group, at its character 1"),
            ("é[b-a]", "the pattern does not compile: invalid character class range"),
            (r"\p{Nothing}", "the pattern does not compile: Unicode property not found"),
            (r"\c", "the pattern does not compile: unrecognized escape sequence"),
            ("^(?!a)", "the pattern looks around"),
            ("(?<=a)b", "the pattern looks around"),
            (r"(a)\1", "the pattern refers back"),
        ] {
            let found = readable(pattern).expect_err(pattern);
            assert!(found.starts_with(expected), "{pattern}: {found}");
        }
    }

    #[test]
    fn defaults_that_their_own_schema_refuses() {
        for (schema, expected) in [
            (json!({"type": "integer", "minimum": 1, "maximum": 9, "default": 9}), None),
            (json!({"type": "integer", "default": "9"}), Some("`type: \"integer\"`")),
            (json!({"type": "integer", "default": 9.0}), Some("`type: \"integer\"`")),
            (json!({"type": "integer", "minimum": 1, "default": 0}), Some("`minimum: 1`")),
            (json!({"type": "number", "maximum": 0.5, "default": 1}), Some("`maximum: 0.5`")),
            (json!({"type": "number", "maximum": 1.0, "default": 1}), None),
            (json!({"type": "boolean", "default": true}), None),
            (json!({"type": "boolean", "default": "true"}), Some("`type: \"boolean\"`")),
            (json!({"type": "string", "enum": ["a", "b"], "default": "b"}), None),
            (json!({"type": "string", "enum": ["a", "b"], "default": "c"}), Some("`enum`: it is not listed")),
            (json!({"type": "integer", "enum": [1.0], "default": 1}), None),
            (json!({"type": "string", "minLength": 2, "default": "é"}), Some("`minLength: 2`")),
            (json!({"type": "string", "maxLength": 2, "default": "éé"}), None),
            (json!({"type": "string", "maxLength": 1, "default": "éé"}), Some("`maxLength: 1`")),
            (json!({"default": 1}), Some("the type: without `type` a parameter is a string")),
            (json!({"type": "string", "default": null}), Some("`type: \"string\"`")),
        ] {
            assert_eq!(breaks(&schema, &schema["default"]).as_deref(), expected, "{schema}");
        }
    }
}
