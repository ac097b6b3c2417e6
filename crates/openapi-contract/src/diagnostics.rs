//! What a check found, ready to be printed: for people, for programs, or as annotations of a pull request.

use std::fmt::{self, Write};

use serde_json::{Map, Value, json};

use crate::{LoadError, Position};

/// One message of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// What kind of finding it is: a stable id in kebab case, such as `response-property-removed`.
    pub code: String,
    /// The file that it is about.
    pub file: String,
    /// Where in the file.
    pub position: Position,
    /// The JSON pointer (RFC 6901) of the node; empty for the file as a whole.
    pub pointer: String,
    /// What was found, in one line.
    pub message: String,
    /// What else helps: whole lines, none of which is needed to understand the message. May be empty.
    pub detail: String,
    /// The same for programs: more members of the finding's JSON object.
    pub facts: Map<String, Value>,
}

/// How grave a finding is. The gravest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A check fails by it.
    Error,
    /// Somebody should look at it.
    Warning,
    /// Good to know.
    Notice,
}

/// In which form findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For a terminal: `error[CODE]: file:line:column: message`, the details indented below.
    #[default]
    Text,
    /// One JSON array, an object for each finding: what all have (`severity`, `code`, `file`, `line`, `column`, `pointer`,
    /// `message`, `detail`), and the facts of each.
    Json,
    /// Workflow commands of GitHub Actions, which show at the line in a pull request.
    GitHub,
}

impl Severity {
    /// As in every format: `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&LoadError> for Diagnostic {
    fn from(error: &LoadError) -> Self {
        Self {
            severity: Severity::Error,
            code: "contract-unsound".to_owned(),
            file: error.file.clone(),
            position: error.position,
            pointer: error.pointer.clone(),
            message: error.message.clone(),
            detail: String::new(),
            facts: Map::new(),
        }
    }
}

/// The findings in this format, in the order given. Ends with a line break, unless it is empty.
pub fn render(findings: &[Diagnostic], format: Format) -> String {
    match format {
        Format::Text => findings.iter().map(text).collect(),
        Format::Json => {
            let findings: Vec<_> = findings.iter().map(json).collect();
            format!("{:#}\n", Value::Array(findings))
        }
        Format::GitHub => findings.iter().map(annotation).collect(),
    }
}

fn text(finding: &Diagnostic) -> String {
    let Diagnostic { severity, code, file, position, message, detail, .. } = finding;
    let mut text = format!("{severity}[{code}]: {file}:{position}: {message}\n");
    for line in detail.lines() {
        // Blank lines stay blank: nobody wants white space at the end of what they paste.
        let indent = if line.is_empty() { "" } else { "  " };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{indent}{line}");
    }
    text
}

fn json(finding: &Diagnostic) -> Value {
    let mut members = finding.facts.clone();
    members.extend(members_of(json!({
        "severity": finding.severity.as_str(),
        "code": finding.code,
        "file": finding.file,
        "line": finding.position.line,
        "column": finding.position.column,
        "pointer": finding.pointer,
        "message": finding.message,
        "detail": finding.detail,
    })));
    Value::Object(members)
}

/// The members of what was just written as an object.
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
    fn people_read_a_headline_and_indented_details() {
        let told = render(&[finding()], Format::Text);
        assert_eq!(told, "warning[a-rule]: a,b:c.yaml:3:5: 100% wrong\n  one\n\n  two\n");
        assert_eq!(render(&[], Format::Text), "");
    }

    #[test]
    fn programs_read_an_array() {
        let told: Value = serde_json::from_str(&render(&[finding()], Format::Json)).unwrap();
        assert_eq!(told[0]["line"], 3);
        assert_eq!(told[0]["detail"], "one\n\ntwo\n");
        assert_eq!(told[0]["fingerprint"], "0123456789ab");
        assert_eq!(render(&[], Format::Json), "[]\n");
    }

    #[test]
    fn nothing_that_is_told_can_end_an_annotation() {
        let told = render(&[finding()], Format::GitHub);
        assert_eq!(told, "::warning file=a%2Cb%3Ac.yaml,line=3,col=5,title=a-rule::100%25 wrong%0A%0Aone%0A%0Atwo\n");
        let broken = Diagnostic { file: "a\rb".to_owned(), message: "c\r\n::error::d".to_owned(), ..finding() };
        let told = render(&[broken], Format::GitHub);
        assert!(told.starts_with("::warning file=a%0Db,") && told.contains("::c%0D%0A::error::d%0A"), "{told}");
        assert_eq!(told.lines().count(), 1);
    }
}
