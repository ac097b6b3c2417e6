//! Drifts that come together: whoever follows every fix-it of a side, as all of them are printed, has no drift left.
//!
//! The contract is altered in one place after the other, in two and three of them at once: most often neighbours, since
//! those are told of the same lines. Lines of a fix-it are those before any edit, as the messages say; so two fix-its may not
//! rewrite the same line in two ways. What the Rust does afterwards only a compiler could tell (`scripts/drift-doc
//! --try` asks it); here the fix-its are made once more, of the sources that they leave: none may have anything to
//! rewrite.
//!
//! `cargo test` tries a few of the combinations; the variable `ALL_MUTATIONS` makes it try all that are near each other.

use std::collections::BTreeMap;
use std::thread;

use openapi_contract::Contract;
use openapi_drift::Drift;
use openapi_drift::fixes::{Action, Edit, Side, SourceFile, apply, page};

use super::{CONTRACT, drifts_in, edits, generated, lines, sources};

/// Lines of the contract that say something else.
#[derive(Debug, Clone)]
struct Change {
    first: usize,
    last: usize,
    text: String,
}

/// One change of each line that says something, whatever is left.
fn changes() -> Vec<Change> {
    let lines: Vec<&str> = CONTRACT.lines().collect();
    let paths = lines.iter().position(|line| *line == "paths:").expect("paths");
    let examples = lines.iter().position(|line| *line == "  examples:").expect("examples");
    (paths..examples)
        .flat_map(|at| [without(&lines, at), otherwise(&lines, at), shorter(&lines, at)])
        .flatten()
        .collect()
}

/// Without the entry that begins on this line.
fn without(lines: &[&str], at: usize) -> Option<Change> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let inside = |line: &&&str| line.is_empty() || indent(line) > indent(lines[at]);
    let last = at + lines[at + 1..].iter().take_while(inside).count();
    let is_entry = lines[at].contains(':') && !lines[at].trim_start().starts_with(['#', '-']);
    is_entry.then(|| Change { first: at + 1, last: last + 1, text: String::new() })
}

/// With another number, or another word, in this line.
fn otherwise(lines: &[&str], at: usize) -> Option<Change> {
    let (key, value) = lines[at].split_once(": ")?;
    let other = match (key.trim(), value.parse::<i64>()) {
        (_, Ok(number)) => (number + 1).to_string(),
        ("format", _) => "hostname".to_owned(),
        ("type", _) => "boolean".to_owned(),
        ("name", _) | ("operationId", _) => format!("{value}s"),
        ("pattern", _) => "'^a'".to_owned(),
        _ => return None,
    };
    Some(Change { first: at + 1, last: at + 1, text: format!("{key}: {other}") })
}

/// With one name less in the list of this line.
fn shorter(lines: &[&str], at: usize) -> Option<Change> {
    let (head, last) = lines[at].strip_suffix(']')?.rsplit_once('[')?;
    let kept = last.rsplit_once(", ").map_or("", |(kept, _)| kept);
    Some(Change { first: at + 1, last: at + 1, text: format!("{head}[{kept}]") })
}

/// The contract after these changes, which have no line in common.
fn altered(changes: &[Change]) -> String {
    let mut changes: Vec<&Change> = changes.iter().collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.first));
    let mut lines: Vec<&str> = CONTRACT.lines().collect();
    for change in changes {
        lines.splice(change.first - 1..change.last, change.text.lines());
    }
    lines.join("\n") + "\n"
}

fn are_apart(changes: &[Change]) -> bool {
    changes
        .iter()
        .enumerate()
        .all(|(at, one)| changes[..at].iter().all(|other| one.first > other.last || other.first > one.last))
}

/// All edits of one side, in an order in which their lines hold; or the two that rewrite one line.
fn all_of(drifts: &[Drift], side: Side) -> Result<Vec<Edit>, String> {
    let mut all: Vec<Edit> = Vec::new();
    for edit in drifts.iter().flat_map(|drift| edits(drift, side)) {
        if all.contains(edit) {
            continue;
        }
        if let Some(other) = all.iter().find(|other| clash(edit, other)) {
            return Err(format!("one line in two ways:\n{other}\n{}\nand\n{edit}\n{}", other.text, edit.text));
        }
        all.push(edit.clone());
    }
    // After a line comes before that line.
    let key = |edit: &Edit| (lines(edit).0, matches!(edit.action, Action::InsertAfter(_)));
    all.sort_by_key(|edit| std::cmp::Reverse(key(edit)));
    Ok(all)
}

fn clash(one: &Edit, other: &Edit) -> bool {
    let inserts = |edit: &Edit| matches!(edit.action, Action::InsertAfter(_));
    let ((a, b), (c, d)) = (lines(one), lines(other));
    one.file == other.file
        && match (inserts(one), inserts(other)) {
            (true, true) => false,
            (true, false) => (c..d).contains(&a),
            (false, true) => (a..b).contains(&c),
            (false, false) => a <= d && c <= b,
        }
}

/// Why following the fix-its of all these changes does not help.
fn fault(changes: &[Change]) -> Option<String> {
    let yaml = altered(changes);
    Contract::load("openapi.yaml", &yaml).ok()?;
    let files = sources();
    let told = drifts_in(&yaml, &generated(), &files);
    let fault =
        followed_in_the_contract(&yaml, &told).err().or_else(|| followed_in_the_code(&yaml, &told, files).err());
    fault.map(|why| format!("{changes:?}\n{}{why}\n", page(&told)))
}

fn followed_in_the_contract(yaml: &str, told: &[Drift]) -> Result<(), String> {
    let mended = apply(yaml, &all_of(told, Side::Contract)?);
    if let Err(errors) = Contract::load("openapi.yaml", &mended) {
        return Err(format!("no contract is left: {errors:?}\n{mended}"));
    }
    let left = drifts_in(&mended, &generated(), &sources());
    let in_words = told.iter().filter(|drift| edits(drift, Side::Contract).is_empty()).count();
    if left.len() > in_words { Err(format!("left in the contract: {}\n{mended}", page(&left))) } else { Ok(()) }
}

fn followed_in_the_code(yaml: &str, told: &[Drift], mut files: Vec<SourceFile>) -> Result<(), String> {
    let all = all_of(told, Side::Code)?;
    for file in &mut files {
        let own: Vec<Edit> = all.iter().filter(|edit| edit.file == file.path).cloned().collect();
        file.text = apply(&file.text, &own);
    }
    let texts: BTreeMap<&str, &str> = files.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
    // Where the contract says nothing, there is nothing to look for.
    for drift in drifts_in(yaml, &generated(), &files).iter().filter(|drift| drift.contract.is_some()) {
        for edit in edits(drift, Side::Code) {
            let before = match edit.action {
                // What was added is there; that it is not added twice only the spec could tell.
                Action::InsertAfter(_) | Action::Create => continue,
                _ => texts[edit.file.as_str()].lines().skip(lines(edit).0 - 1).take(lines(edit).1 + 1 - lines(edit).0),
            };
            if words(&before.collect::<String>()) != words(&edit.text) {
                return Err(format!("left in the code: {drift}\n{edit}\n{}", edit.text));
            }
        }
    }
    Ok(())
}

/// The words of a text, in whatever order.
fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words
}

#[expect(clippy::disallowed_methods, reason = "a test is told how thorough to be; no setting of the server")]
fn is_thorough() -> bool {
    std::env::var_os("ALL_MUTATIONS").is_some()
}

/// How far apart, in the list of changes, two are that are tried together; and how many are passed over in a quick run.
const NEAR: usize = 2;
const SAMPLE: usize = 199;

#[test]
fn every_fix_it_of_a_side_can_be_followed_at_once() {
    let changes = changes();
    let pairs = (0..changes.len()).flat_map(|at| (1..=NEAR).map(move |by| vec![at, at + by]));
    let triples = (0..changes.len()).flat_map(|at| (1..NEAR).map(move |by| vec![at, at + by, at + 2 * by + 1]));
    let combined = pairs.chain(triples).filter_map(|all| all.into_iter().map(|at| changes.get(at).cloned()).collect());
    let combined: Vec<Vec<Change>> = combined.filter(|all: &Vec<Change>| are_apart(all)).collect();
    let step = if is_thorough() { 1 } else { SAMPLE };
    let chosen: Vec<&Vec<Change>> = combined.iter().step_by(step).collect();
    let faults = thread::scope(|scope| {
        let halves = [0, 1].map(|start| chosen.iter().skip(start).step_by(2));
        let threads = halves.map(|half| scope.spawn(|| half.filter_map(|changes| fault(changes)).collect::<Vec<_>>()));
        threads.map(|thread| thread.join().expect("no panic")).concat()
    });
    println!("{} changes; {} of {} combinations followed", changes.len(), chosen.len() - faults.len(), chosen.len());
    assert!(faults.is_empty(), "{}", faults.join("\n----\n"));
}
