//! A drift with its source lines and fixes.

use openapi_contract::diagnostics::{Diagnostic, Severity, members_of};
use serde_json::{Value, json};

use crate::compare::Drift;
use crate::fix::{Fix, indent_of};

/// A drift, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What differs.
    pub drift: Drift,
    /// The part of the code that it is in: ``the type `UserName` ``.
    pub source: Option<String>,
    /// The line of the code that it is in: `src/users.rs:23`.
    pub code_line: Option<String>,
    /// The lines of both sides, in the form of a compiler message.
    pub lines: String,
    /// What else helps to understand it.
    pub note: Option<String>,
    /// The fixes, at most one for each side.
    pub fixes: Vec<Fix>,
}

impl Finding {
    /// What differs, in one line, without its position.
    pub fn message(&self) -> String {
        self.drift.message_between(&self.drift.file, self.code_line.as_deref().unwrap_or("the code"))
    }

    /// The form in which it is printed. What is to be pasted is in its column once everything is moved right by `shift`, as
    /// cargo does with the output of a build script.
    ///
    /// The facts for programs are `place`, `also`, `contract` and `code` (the values, if any), `source`, and `fixes` (`side`,
    /// `applicability`, `note` and `edits`, each with its `file`, its lines from `first` to `last`, and `text`).
    pub fn diagnostic(&self, shift: usize) -> Diagnostic {
        /// Diagnostics are printed with their details moved right by this.
        const INDENT: usize = 2;
        let drift = &self.drift;
        let mut detail = self.lines.clone();
        detail.extend(self.note.iter().cloned().chain(self.places()).map(|note| format!("note: {note}\n")));
        detail.extend(self.fixes.iter().map(|fix| help(fix, shift + INDENT)));
        let mut facts = members_of(json!({ "place": drift.place, "also": drift.also, "fixes": self.fixes }));
        let source = self.source.clone().map(Value::from);
        let values = [("contract", drift.contract.clone()), ("code", drift.code.clone()), ("source", source)];
        facts.extend(values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        Diagnostic {
            severity: Severity::Error,
            code: drift.code_of_kind().to_owned(),
            file: drift.file.clone(),
            position: drift.position,
            pointer: drift.pointer.clone(),
            message: self.message(),
            detail: detail.trim_end().to_owned() + "\n",
            facts,
        }
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
    let mut text = format!("help: change the {} ({}): ", fix.side, fix.applicability);
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
