//! The schemas that requests are held against: what in them cannot be held against anything.
//!
//! - A `pattern` that looks around or refers back: this server could match it, but not in linear time, and generators
//!   for languages whose engine is RE2 cannot read it at all.
//! - A parameter's `default` that is not what a client could have sent: the server puts it in the place of what is left
//!   out, and the handler would be given something else than the text of a request can become.

use serde_json::Value;

use super::Broken;
use crate::consistency::{Unreadable, readable};
use openapi_contract::Kind;
use openapi_contract::grammar::Shape;
use openapi_contract::pointer::join;

impl<'a> Broken<'a> {
    /// Looks at a schema and at all that it holds or refers to.
    pub(super) fn request_schema(&mut self, schema: &'a Value, at: String) {
        // A list of work, not recursion: chains of references may be long.
        let mut next = vec![(schema, at)];
        while let Some((schema, at)) = next.pop() {
            let (schema, at) = self.contract.follow(schema, at);
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
                        // One that no engine can read is wrong by itself.
                        if let Err(Unreadable::Backtracks(how)) = readable(pattern) {
                            self.add(
                                here,
                                format!("cannot be enforced: the pattern {how}, which RE2 and what is like it cannot: say it without"),
                            );
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Looks at a parameter's default as the handler would be given it.
    pub(super) fn default_value(&mut self, schema: &'a Value, at: &str) {
        let Some(default) = schema.get("default") else { return };
        if let Some(how) = misread(schema, default) {
            self.add(join(at, "default"), format!("cannot be enforced: the default {default} {how}"));
        }
    }
}

/// What of a default the handler would be given as something else, as in "the default …".
fn misread(schema: &Value, default: &Value) -> Option<&'static str> {
    match (schema.get("type").and_then(Value::as_str), default) {
        // `5.0` is whole to a schema, but not to the handler.
        (Some("integer"), Value::Number(number)) if number.is_f64() => Some("is written with a fraction"),
        // Without a type the text is taken as it is.
        (None, default) if !default.is_string() => Some("is no string: without `type` a parameter is one"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_that_the_handler_would_be_given_as_something_else() {
        for (schema, expected) in [
            (json!({"type": "integer", "default": 9}), None),
            (json!({"type": "integer", "default": 9.0}), Some("is written with a fraction")),
            (json!({"type": "number", "default": 9.0}), None),
            (json!({"default": "1"}), None),
            (json!({"default": 1}), Some("is no string: without `type` a parameter is one")),
        ] {
            assert_eq!(misread(&schema, &schema["default"]), expected, "{schema}");
        }
    }
}
