//! docs/breaking-changes.md says what the rules say, and what the table counts.

use std::fmt::Write;
use std::path::Path;

use openapi_breaking::RULES;

use super::{REFERENCES, agreement};

const DOCUMENT: &str = "../../docs/breaking-changes.md";

/// `text` with what stands between the two marks called `name` replaced.
fn with_section(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: made by a test -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("no mark `{begin}`"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no mark `{end}`"));
    format!("{before}{begin}\n{content}\n{end}{after}")
}

fn rules() -> String {
    let mut table =
        "| rule | severity | way | step | what and why | what would make it safe |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for rule in RULES {
        let cells = [rule.sentence, rule.remedy].map(|text| text.replace('|', "\\|"));
        let [sentence, remedy] = cells;
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} | {sentence} | {remedy} |",
            rule.id, rule.severity, rule.direction, rule.step
        );
    }
    table
}

fn figures() -> String {
    let mut table = "| reference | pairs | agree | disagree, explained |\n|---|---:|---:|---:|\n".to_owned();
    for (reference, level) in REFERENCES {
        let found = agreement(reference, level);
        let disagree: usize = found.disagree.values().map(Vec::len).sum();
        let _ = writeln!(table, "| {reference} | {} | {} | {disagree} |", found.agree + disagree, found.agree);
    }
    table
}

fn disagreements() -> String {
    let mut text = String::new();
    for (reference, level) in REFERENCES {
        let _ = writeln!(text, "### {reference}\n");
        for (sentence, names) in agreement(reference, level).disagree {
            let _ = writeln!(text, "- {sentence}\n  *{}*", names.join("; "));
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

#[test]
fn the_document_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let text = std::fs::read_to_string(&path).expect("the document");
    let mut fresh = with_section(&text, "rules", &rules());
    fresh = with_section(&fresh, "figures", &figures());
    fresh = with_section(&fresh, "disagreements", &disagreements());
    if fresh != text {
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("breaking-changes.md");
        std::fs::write(&copy, fresh).expect("a copy");
        panic!("docs/breaking-changes.md is out of date: cp {} docs/breaking-changes.md", copy.display());
    }
}
