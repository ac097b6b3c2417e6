//! A drift with its source lines and fixes, as it is printed.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use crate::compare::Drift;
use crate::fix::{Fix, indent_of};
use openapi_contract::diagnostics::{Diagnostic, Severity, members_of};

/// A drift, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What differs.
    pub drift: Drift,
    /// The part of the code that it is in: ``the type `UserName` ``.
    pub source: Option<String>,
    /// The line of the contract.
    pub contract: Option<Excerpt>,
    /// The line of the code.
    pub code: Option<Excerpt>,
    /// What else helps to understand it.
    pub notes: Vec<String>,
    /// The fixes, at most one for each side.
    pub fixes: Vec<Fix>,
}

/// Part of a line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The text of the line.
    pub text: String,
    /// The first byte of the part.
    pub start: usize,
    /// The byte after the part.
    pub end: usize,
    /// What is wrong there.
    pub label: String,
}

impl Finding {
    /// What differs, in one line, without its position.
    pub fn message(&self) -> String {
        let theirs =
            self.code.as_ref().map_or_else(|| "the code".to_owned(), |one| format!("{}:{}", one.file, one.line));
        self.drift.message_between(&self.drift.file, &theirs)
    }

    /// The finding for a terminal. What is to be pasted is in its column once everything is moved right by `shift`.
    pub fn text(&self, shift: usize) -> String {
        format!("error[{}]: {}\n{}", self.drift.code_of_kind(), self.message(), self.body(shift))
    }

    /// [`Finding::text`] without its first line.
    fn body(&self, shift: usize) -> String {
        let mut group = Group::with_title(Level::ERROR.primary_title(""));
        for (excerpt, kind) in [(&self.contract, AnnotationKind::Primary), (&self.code, AnnotationKind::Context)] {
            group = group.elements(excerpt.as_ref().map(|one| {
                Snippet::source(one.text.as_str())
                    .line_start(one.line)
                    .path(one.file.as_str())
                    .annotation(kind.span(one.start..one.end).label(one.label.as_str()))
            }));
        }
        let snippets = Renderer::plain().render(&[group]);
        let mut text = snippets.split_once('\n').map(|(_, lines)| lines.to_owned()).unwrap_or_default();
        for note in self.notes.iter().chain(&self.places()) {
            text.push_str(&format!("\nnote: {note}"));
        }
        text.push('\n');
        self.fixes.iter().for_each(|fix| text.push_str(&help(fix, shift)));
        text.trim_end().to_owned() + "\n"
    }

    /// The other places with the same difference: all of a few, some of many.
    fn places(&self) -> Option<String> {
        const FEW: usize = 3;
        let also = &self.drift.also;
        let more = match also.len().saturating_sub(FEW) {
            0 => String::new(),
            more => format!("\n      and {more} more"),
        };
        let shown: Vec<&str> = also.iter().take(FEW).map(String::as_str).collect();
        (!shown.is_empty()).then(|| format!("also at {}{more}", shown.join("\n      ")))
    }
}

/// How a fix is printed: lines to paste are apart, so that they can be copied as they are.
fn help(fix: &Fix, shift: usize) -> String {
    let (side, applicability) = (fix.side.as_str(), fix.applicability.as_str());
    let mut text = format!("help: change the {side} ({applicability}): ");
    if fix.edits.is_empty() {
        return text + &fix.note + "\n";
    }
    for (index, edit) in fix.edits.iter().enumerate() {
        text.push_str(&format!("{}{edit}\n", if index == 0 { "" } else { "and " }));
        if edit.text.is_empty() {
            continue;
        }
        let least = edit.text.lines().filter_map(indent_of).min().unwrap_or_default();
        let lines = edit.text.lines().map(|line| line.get(least.min(shift)..).unwrap_or_default());
        text.push_str(&format!("\n{}\n\n", lines.collect::<Vec<_>>().join("\n")));
    }
    if !fix.note.is_empty() {
        text.push_str(&format!("note: {}\n", fix.note));
    }
    text
}

/// All findings for a terminal, in the order of the contract, and how many there are.
pub fn page(findings: &[Finding], shift: usize) -> String {
    let mut page = String::new();
    for finding in findings {
        page.push_str(finding.text(shift).trim_end());
        page.push_str("\n\n");
    }
    if findings.len() > MANY {
        page.push_str("In short:\n");
        for Finding { drift, .. } in findings {
            page.push_str(&format!("  {}:{}: {}\n", drift.file, drift.position, drift.message()));
        }
    }
    if findings.len() > 1 {
        page.push_str("note: line numbers are those before any edit; `contract check --fix` applies the machine-applicable fixes\n");
    }
    page
}

/// More findings than this are listed again at the end, since the first are out of sight.
const MANY: usize = 5;

/// The number of drifts and of the places that have them.
pub(crate) fn counted(findings: &[Finding]) -> String {
    let places: usize = findings.iter().map(|one| 1 + one.drift.also.len()).sum();
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    match findings.len() {
        count if count == places => plural(count, "drift"),
        count => format!("{} at {}", plural(count, "drift"), plural(places, "place")),
    }
}

impl From<&Finding> for Diagnostic {
    /// The facts for programs are `place`, `also`, `contract` and `code` (the values, if any), `source`, and `fixes` (`side`,
    /// `applicability`, `note` and `edits`, each with its `file`, its lines from `first` to `last`, and `text`).
    fn from(finding: &Finding) -> Self {
        let drift = &finding.drift;
        let fixes: Vec<Value> = finding.fixes.iter().map(Fix::facts).collect();
        let mut facts = members_of(json!({ "place": drift.place, "also": drift.also, "fixes": fixes }));
        let source = finding.source.clone().map(Value::from);
        let values = [("contract", drift.contract.clone()), ("code", drift.code.clone()), ("source", source)];
        facts.extend(values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        Diagnostic {
            severity: Severity::Error,
            code: drift.code_of_kind().to_owned(),
            file: drift.file.clone(),
            position: drift.position,
            pointer: drift.pointer.clone(),
            message: finding.message(),
            // Details are printed two columns further right.
            detail: finding.body(2),
            facts,
        }
    }
}
