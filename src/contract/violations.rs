//! Violations of the contract's schemas, in words.

use api::problem::{Problem, ProblemType, Violation};
use jsonschema::{ValidationError, error::ValidationErrorKind};

/// The maximum number of violations that are listed, so that a small request cannot cause a large response.
pub(crate) const MAX_VIOLATIONS: usize = 1_000;

/// Returns the violations of an error in a body: for a missing or unknown member at the member's own location.
pub(super) fn at_members(error: &ValidationError<'_>) -> Vec<Violation> {
    let at = error.instance_path().as_str();
    let member = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            vec![Violation::at_pointer(member(property.as_str().unwrap_or_default()), "is required")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| Violation::at_pointer(member(name), "unknown property")).collect()
        }
        _ => vec![Violation::at_pointer(at, describe(error))],
    }
}

/// Describes an error without the value, which may be long or private. A pattern is described by the name of its schema,
/// whose description in the contract explains it.
pub(super) fn describe(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Format { format } => format!("the value does not have the format {format:?}"),
        ValidationErrorKind::Pattern { pattern } => {
            let path = error.schema_path().as_str();
            let schema = path.strip_prefix("/components/schemas/").and_then(|path| path.split('/').next());
            match schema {
                Some(schema) => format!("the value does not match the pattern of {schema}"),
                None => format!("the value does not match the pattern {pattern}"),
            }
        }
        _ => error.masked_with("the value").to_string(),
    }
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
