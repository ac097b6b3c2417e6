//! Violations of the contract's schemas: one for each place, with a code for programs and a sentence for people.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
};

use api::problem::{Problem, ProblemType, Violation, ViolationCode};
use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::{Number, Value};

/// The maximum number of violations that are listed, so that a small request cannot cause a large response.
pub(crate) const MAX_VIOLATIONS: usize = 1_000;

/// What the patterns of a schema require, by the JSON pointer of the pattern.
#[derive(Debug, Default)]
pub(crate) struct PatternDescriptions(HashMap<String, String>);

impl PatternDescriptions {
    /// Returns the values of `x-pattern-description` in a schema.
    pub(super) fn of(schema: &Value) -> Self {
        let mut found = Self::default();
        found.collect(schema, String::new());
        found
    }

    fn collect(&mut self, node: &Value, at: String) {
        if let Some(Value::String(description)) = node.get("x-pattern-description") {
            self.0.insert(format!("{at}/pattern"), description.clone());
        }
        for (key, member) in node.as_object().into_iter().flatten() {
            self.collect(member, pointer(&at, key));
        }
        for (index, item) in node.as_array().into_iter().flatten().enumerate() {
            self.collect(item, format!("{at}/{index}"));
        }
    }
}

/// Returns the JSON pointer of a member.
fn pointer(owner: &str, member: &str) -> String {
    format!("{owner}/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// Returns the violations of an error in a body: for a missing or unknown member at the member's own location.
pub(super) fn at_members(error: &ValidationError<'_>, patterns: &PatternDescriptions) -> Vec<Violation> {
    let at = error.instance_path().as_str();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let member = pointer(at, property.as_str().unwrap_or_default());
            vec![Violation::at_pointer(member, ViolationCode::Required, "is required")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let members = unexpected.iter().map(|name| pointer(at, name));
            let unknown = |member| Violation::at_pointer(member, ViolationCode::UnknownProperty, "unknown property");
            members.map(unknown).collect()
        }
        _ => {
            let (code, limit, detail) = describe(error, patterns);
            vec![Violation::at_pointer(at, code, detail).with_limit(limit)]
        }
    }
}

/// Returns the rule that an error violates, its bound, and a sentence without the value, which may be long or private.
pub(super) fn describe(
    error: &ValidationError<'_>,
    patterns: &PatternDescriptions,
) -> (ViolationCode, Option<Number>, Cow<'static, str>) {
    use ValidationErrorKind as Kind;
    use ViolationCode as Code;

    let count = |code, limit: u64, bound: &str, of: &str| {
        let detail = match (code, limit) {
            (Code::TooShort | Code::TooFewItems | Code::TooFewProperties, 1) => "must not be empty".into(),
            (_, 1) => format!("must have {bound} 1 {}", of.strip_suffix('s').unwrap_or(of)).into(),
            _ => format!("must have {bound} {limit} {of}").into(),
        };
        (code, Some(limit.into()), detail)
    };
    let text = |code, detail: String| (code, None, detail.into());
    match error.kind() {
        Kind::Type { kind: TypeKind::Single(expected) } => text(Code::Type, format!("must be of type {expected}")),
        Kind::Enum { options } => {
            let options = options.as_array().into_iter().flatten().map(Value::to_string).collect::<Vec<_>>();
            text(Code::Enum, format!("must be one of {}", options.join(", ")))
        }
        Kind::Minimum { limit } => {
            (Code::Minimum, limit.as_number().cloned(), format!("must be at least {limit}").into())
        }
        Kind::Maximum { limit } => {
            (Code::Maximum, limit.as_number().cloned(), format!("must be at most {limit}").into())
        }
        Kind::MultipleOf { multiple_of } => {
            (Code::MultipleOf, Number::from_f64(*multiple_of), format!("must be a multiple of {multiple_of}").into())
        }
        Kind::MinLength { limit } => count(Code::TooShort, *limit, "at least", "characters"),
        Kind::MaxLength { limit } => count(Code::TooLong, *limit, "at most", "characters"),
        Kind::MinItems { limit } => count(Code::TooFewItems, *limit, "at least", "items"),
        Kind::MaxItems { limit } => count(Code::TooManyItems, *limit, "at most", "items"),
        Kind::MinProperties { limit } => count(Code::TooFewProperties, *limit, "at least", "properties"),
        Kind::MaxProperties { limit } => count(Code::TooManyProperties, *limit, "at most", "properties"),
        Kind::UniqueItems => text(Code::DuplicateItems, "must not have equal items".to_owned()),
        Kind::Pattern { pattern } => {
            let description = patterns.0.get(error.schema_path().as_str());
            // The linter refuses a contract with patterns that have no description.
            text(Code::Pattern, description.cloned().unwrap_or_else(|| format!("must match the pattern {pattern}")))
        }
        Kind::Format { format } => text(Code::Format, format!("must have the format {format}")),
        _ => text(Code::Invalid, error.masked_with("the value").to_string()),
    }
}

/// Returns one violation for each place, the most telling one, in the order of the first for each; at most one more than are
/// listed.
pub(super) fn most_telling(violations: impl Iterator<Item = Violation>) -> Vec<Violation> {
    // An empty text violates most patterns, and is best described as empty.
    let rank = |violation: &Violation| match violation.limit.as_ref().and_then(Number::as_u64) {
        Some(1) if violation.code == ViolationCode::TooShort => ViolationCode::TooLong,
        _ => violation.code,
    };
    let (mut kept, mut places) = (Vec::<Violation>::new(), HashMap::new());
    for violation in violations {
        match places.entry(violation.place().to_owned()) {
            Entry::Vacant(place) => {
                // A body with very many violations costs no more than those that are listed.
                if kept.len() > MAX_VIOLATIONS {
                    break;
                }
                place.insert(kept.len());
                kept.push(violation);
            }
            Entry::Occupied(place) => {
                if let Some(other) = kept.get_mut(*place.get()).filter(|other| rank(&violation) < rank(other)) {
                    *other = violation;
                }
            }
        }
    }
    kept
}

/// Returns a problem if there are violations. `what` is the validated part of the request.
pub(super) fn refuse(problem_type: ProblemType, what: &str, mut violations: Vec<Violation>) -> Result<(), Problem> {
    let detail = match violations.len() {
        0 => return Ok(()),
        1 => format!("{what} failed validation: 1 error."),
        count if count > MAX_VIOLATIONS => {
            format!(
                "{what} failed validation: more than {MAX_VIOLATIONS} errors, of which the first {MAX_VIOLATIONS} are listed."
            )
        }
        count => format!("{what} failed validation: {count} errors."),
    };
    violations.truncate(MAX_VIOLATIONS);
    Err(Problem::new(problem_type, detail).with_errors(violations))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compile(schema: &Value) -> jsonschema::Validator {
        jsonschema::options().should_validate_formats(true).build(schema).unwrap()
    }

    /// The code and the bound of the only violation in a value.
    fn found(schema: Value, value: Value) -> (ViolationCode, Option<Number>) {
        let validator = compile(&schema);
        let patterns = PatternDescriptions::of(&schema);
        let violations = most_telling(validator.iter_errors(&value).flat_map(|error| at_members(&error, &patterns)));
        let [violation] = &violations[..] else { panic!("{violations:?}") };
        (violation.code, violation.limit.clone())
    }

    /// The keywords that the contract of this repository does not use, too.
    #[test]
    fn every_keyword_has_a_code() {
        for (schema, value, code, limit) in [
            (json!({ "multipleOf": 0.5 }), json!(0.7), ViolationCode::MultipleOf, Number::from_f64(0.5)),
            (json!({ "minimum": 0.5 }), json!(0), ViolationCode::Minimum, Number::from_f64(0.5)),
            (json!({ "minItems": 2 }), json!([0]), ViolationCode::TooFewItems, Some(2.into())),
            (json!({ "uniqueItems": true }), json!([0, 0]), ViolationCode::DuplicateItems, None),
            (json!({ "minProperties": 1 }), json!({}), ViolationCode::TooFewProperties, Some(1.into())),
            (json!({ "maxProperties": 0 }), json!({ "a": 1 }), ViolationCode::TooManyProperties, Some(0.into())),
            (json!({ "anyOf": [{ "minimum": 1 }, { "type": "string" }] }), json!(0), ViolationCode::Invalid, None),
            (json!({ "not": { "minimum": 1 } }), json!(1), ViolationCode::Invalid, None),
            (json!({ "type": "string", "enum": ["a"] }), json!(1), ViolationCode::Type, None),
            (json!({ "minLength": 2, "format": "uuid" }), json!("a"), ViolationCode::Format, None),
        ] {
            assert_eq!(found(schema.clone(), value), (code, limit), "{schema}");
        }
    }

    #[test]
    fn violations_beyond_the_listed_ones_are_not_looked_for() {
        let mut looked_at = 0;
        let violations = (0..100_000).map(|number: u32| {
            looked_at += 1;
            Violation::at_pointer(format!("/{number}"), ViolationCode::UnknownProperty, "unknown property")
        });
        assert_eq!(most_telling(violations).len(), MAX_VIOLATIONS + 1);
        assert_eq!(looked_at, MAX_VIOLATIONS + 2);
    }

    #[test]
    fn a_description_is_that_of_the_pattern_at_its_place() {
        let digits = json!({ "pattern": "^[0-9]$", "x-pattern-description": "must be a digit" });
        let schema = json!({
            "properties": { "a/b": { "items": { "$ref": "#/$defs/Digit" } }, "c": { "pattern": "^x$" } },
            "$defs": { "Digit": digits },
        });
        let validator = compile(&schema);
        let patterns = PatternDescriptions::of(&schema);
        let value = json!({ "a/b": ["0", "x"], "c": "y" });
        let details: Vec<_> = validator.iter_errors(&value).map(|error| describe(&error, &patterns).2).collect();
        assert_eq!(details, ["must be a digit", "must match the pattern ^x$"]);
    }
}
