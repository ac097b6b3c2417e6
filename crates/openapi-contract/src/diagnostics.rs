//! The findings of a check and their output formats: text, JSON, annotations of a pull request.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::LoadError;
use crate::excerpt;
use crate::source_map::Position;
use crate::words::words;

/// One finding of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// More members of the JSON object of this finding. They come first, so that none replaces another member.
    #[serde(flatten)]
    pub facts: Map<String, Value>,
    /// The severity.
    pub severity: Severity,
    /// The kind of finding: a stable id in kebab case, such as `response-property-removed`.
    pub code: String,
    /// The file.
    pub file: String,
    /// Where in the file.
    #[serde(flatten)]
    pub position: Position,
    /// The JSON pointer (RFC 6901) of the node; empty for the file as a whole.
    pub pointer: String,
    /// The message, in one line.
    pub message: String,
    /// More lines of explanation. May be empty.
    pub detail: String,
}

words! {
    /// The severity of a finding, the most severe first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(rename_all = "lowercase")]
    Severity {
        /// The check fails.
        Error = "error",
        /// To be reviewed.
        Warning = "warning",
        /// For information.
        Notice = "notice",
    }
}

words! {
    /// The output format of findings.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    Format {
        /// For a terminal: `error[CODE]: file:line:column: message`, the details indented below.
        Text = "text",
        /// One JSON array with an object for each finding: `severity`, `code`, `file`, `line`, `column`, `pointer`,
        /// `message`, `detail` and its facts.
        Json = "json",
        /// Workflow commands of GitHub Actions, shown at the line in a pull request.
        GitHub = "github",
    }
}

/// Errors as findings, with their lines of the text.
pub fn of_errors(errors: &[LoadError], text: &str) -> Vec<Diagnostic> {
    let lines = excerpt::lines(text);
    let of_error = |error: &LoadError| Diagnostic {
        severity: Severity::Error,
        code: error.code.as_str().to_owned(),
        file: error.file.clone(),
        position: error.position,
        pointer: error.pointer.clone(),
        message: error.message.clone(),
        detail: excerpt::draw(excerpt::at(&error.file, &lines, error.position, "")),
        facts: Map::new(),
    };
    errors.iter().map(of_error).collect()
}

/// The findings in this format, in the order given. Ends with a line break unless it is empty.
pub fn render(findings: &[Diagnostic], format: Format) -> String {
    match format {
        Format::Text => findings.iter().map(text).collect(),
        // By way of a value, in which each member is unique. A tree of strings and numbers is always JSON.
        Format::Json => format!("{:#}\n", serde_json::to_value(findings).unwrap_or_default()),
        Format::GitHub => findings.iter().map(annotation).collect(),
    }
}

fn text(finding: &Diagnostic) -> String {
    let Diagnostic { severity, code, file, position, message, detail, .. } = finding;
    let mut text = format!("{severity}[{code}]: {file}:{position}: {message}\n");
    for line in detail.lines() {
        // No white space on blank lines.
        let indent = if line.is_empty() { "" } else { "  " };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{indent}{line}");
    }
    text
}

/// The members of an object; none for any other value.
pub fn members_of(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// See "Workflow commands for GitHub Actions": `%`, CR and LF are escaped everywhere, `:` and `,` in properties too.
fn annotation(finding: &Diagnostic) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let Diagnostic { severity, code, file, position: Position { line, column }, message, detail, .. } = finding;
    let body = if detail.is_empty() { message.clone() } else { format!("{message}\n\n{}", detail.trim_end()) };
    let (file, code, body) = (property(file), property(code), data(&body));
    format!("::{severity} file={file},line={line},col={column},title={code}::{body}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn finding() -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            code: "a-rule".to_owned(),
            file: "a,b:c.yaml".to_owned(),
            position: Position { line: 3, column: 5 },
            pointer: "/paths/~1users".to_owned(),
            message: "100% wrong".to_owned(),
            detail: "one\n\ntwo\n".to_owned(),
            facts: members_of(json!({"fingerprint": "0123456789ab", "line": "never another"})),
        }
    }

    #[test]
    fn text_has_a_headline_and_indented_details() {
        let text = render(&[finding()], Format::Text);
        assert_eq!(text, "warning[a-rule]: a,b:c.yaml:3:5: 100% wrong\n  one\n\n  two\n");
        assert_eq!(render(&[], Format::Text), "");
    }

    #[test]
    fn json_is_one_array() {
        let text: Value = serde_json::from_str(&render(&[finding()], Format::Json)).unwrap();
        assert_eq!(text[0]["line"], 3);
        assert_eq!(text[0]["detail"], "one\n\ntwo\n");
        assert_eq!(text[0]["fingerprint"], "0123456789ab");
        assert_eq!(render(&[], Format::Json), "[]\n");
    }

    #[test]
    fn annotations_are_escaped() {
        let text = render(&[finding()], Format::GitHub);
        assert_eq!(text, "::warning file=a%2Cb%3Ac.yaml,line=3,col=5,title=a-rule::100%25 wrong%0A%0Aone%0A%0Atwo\n");
        let broken = Diagnostic { file: "a\rb".to_owned(), message: "c\r\n::error::d".to_owned(), ..finding() };
        let text = render(&[broken], Format::GitHub);
        assert!(text.starts_with("::warning file=a%0Db,") && text.contains("::c%0D%0A::error::d%0A"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }
}
