//! Applies the machine-applicable fixes of one side, round after round, until none is left.
//!
//! A round applies the fixes that do not overlap. What is left is explained again on the edited text, so two changes of one
//! line take two rounds. A round whose result was there before stops the repair, and so does the limit of rounds: it always
//! ends. A round may leave as many drifts as before: a component that is no longer used is a drift of its own.

use std::collections::HashSet;

use serde_json::Value;

use crate::compare::Drift;
use crate::context::CodeSide;
use crate::finding::Finding;
use crate::findings::findings;
use crate::fix::{Edit, Fix, Side, SourceFile, apply};
use openapi_contract::Contract;

/// Two drifts of one line take two rounds; more than a few only where fixes go in a circle.
const MAX_ROUNDS: usize = 50;

/// The result of a repair.
#[derive(Debug)]
pub struct Repair {
    /// The files that changed, with their new content.
    pub files: Vec<SourceFile>,
    /// The number of rounds.
    pub rounds: usize,
    /// The drifts that are left: they have no machine-applicable fix of this side.
    pub left: Vec<Finding>,
    /// Why it stopped early, if it did.
    pub stopped: Option<String>,
}

/// Edits one side until it matches the other. `contract` need not be sound.
///
/// The spec is that of the code before any edit, since a build generates it. So a drift counts as removed once its fix of the
/// code is applied, and no drift is fixed twice.
pub fn repair(side: Side, contract: &Contract, generated: &Value, code: CodeSide<'_>) -> Repair {
    let yaml = SourceFile { path: contract.file_name().to_owned(), text: contract.text().to_owned() };
    let before = if side == Side::Code { code.files.to_vec() } else { vec![yaml] };
    let (mut files, mut contract, mut rounds, mut stopped) = (before.clone(), contract.clone(), 0, None);
    let mut done: HashSet<(String, Option<String>)> = HashSet::new();
    let mut seen = HashSet::from([contract.text().to_owned()]);
    let key = |drift: &Drift| (drift.pointer.clone(), drift.code_pointer.clone());
    let left = loop {
        let sources = if side == Side::Code { &files } else { code.files };
        let mut left = findings(&contract, generated, CodeSide { files: sources, ..code });
        left.retain(|one| !done.contains(&key(&one.drift)));
        let chosen = chosen(&left, side);
        if chosen.is_empty() {
            break left;
        }
        if rounds == MAX_ROUNDS {
            stopped = Some(format!("fixes are left after {MAX_ROUNDS} rounds"));
            break left;
        }
        let edits = in_order(&chosen);
        let edited: Vec<SourceFile> = files.iter().map(|file| edited(file, &edits)).collect();
        if side == Side::Code {
            let fixed = left.iter().filter(|one| one.fixes.iter().any(|fix| chosen.contains(&fix)));
            done.extend(fixed.map(|one| key(&one.drift)));
        } else if let Some(file) = edited.first() {
            let Ok(next) = contract.with_text(&file.text) else {
                stopped = Some("the contract would not be valid after the fixes".to_owned());
                break left;
            };
            if !seen.insert(file.text.clone()) {
                let places: Vec<&str> = left.iter().map(|one| one.drift.place.as_str()).collect();
                stopped = Some(format!("the fixes undo each other: {}", places.join("; ")));
                break left;
            }
            contract = next;
        }
        files = edited;
        rounds += 1;
    };
    let changed = files.into_iter().zip(before).filter(|(file, before)| file.text != before.text);
    Repair { files: changed.map(|(file, _)| file).collect(), rounds, left, stopped }
}

fn edited(file: &SourceFile, edits: &[Edit]) -> SourceFile {
    let own: Vec<Edit> = edits.iter().filter(|edit| edit.file == file.path).cloned().collect();
    let text = if own.is_empty() { file.text.clone() } else { apply(&file.text, &own) };
    SourceFile { path: file.path.clone(), text }
}

/// The fixes of a round: none of them overlaps another.
fn chosen(findings: &[Finding], side: Side) -> Vec<&Fix> {
    let mut chosen: Vec<&Fix> = Vec::new();
    for finding in findings {
        let fix = finding.fixes.iter().find(|fix| fix.side == side && fix.is_automatic());
        chosen.extend(fix.filter(|fix| !chosen.iter().any(|other| fix.overlaps(other))));
    }
    chosen
}

/// All edits, those of one file from its end to its beginning.
fn in_order(fixes: &[&Fix]) -> Vec<Edit> {
    let edits = fixes.iter().flat_map(|fix| fix.edits.clone()).collect();
    fixes.first().map(|fix| Fix::new(fix.side, fix.applicability, edits, "").edits).unwrap_or_default()
}
