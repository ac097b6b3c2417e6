//! What to write so that a drift is gone: Rust for what the code lacks, YAML for what the contract lacks.
//!
//! A [`Fix`] is made of edits of whole lines, so that what a message shows can be pasted as it stands. It is made from
//! the two documents, the text of the contract, and the Rust sources, which are read here only so far as to say where
//! something stands (`sources`): a fix-it names the line of a real file wherever it can, and falls back on the
//! conventions of this house in words where it cannot.
//!
//! `cause` tells once what has one cause, `moved` what has another path or method, `renamed` what has another name,
//! `misled` what is a wrong reference, `misspelt` what is a slip in a list of names. `shared` asks whether a type can change without harm to others that use it.
//! `contract_side` edits the contract (`yaml` writes it), `code_side` edits the code (`types` writes Rust types,
//! `operation` whole handlers).

mod cause;
mod code_side;
mod contract_side;
mod merged;
mod misled;
mod misspelt;
mod moved;
mod operation;
mod renamed;
mod shared;
mod sources;
mod text;
mod types;
mod yaml;

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde_json::{Value, json};

pub use text::SourceFile;

use crate::{Drift, diff};
use cause::{Cause, noted};
use openapi_contract::Contract;
use openapi_contract::diagnostics::members_of;
use openapi_contract::equivalence::set;
use sources::Sources;

/// Which side of a drift a fix-it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The contract, so that it says what the code says.
    Contract,
    /// The code, so that it does what the contract says.
    Code,
}

impl Side {
    /// As in every list: `contract`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Side::Contract => "contract",
            Side::Code => "code",
        }
    }
}

/// One way to make a drift go away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it changes.
    pub side: Side,
    /// The edits, all of which are needed. Line numbers are those before any edit, and edits of one file come from its
    /// end to its beginning, so that they hold while one follows them. Empty where only words can be given.
    pub edits: Vec<Edit>,
    /// What else is to be known or done, in words; may be empty.
    pub note: String,
}

/// Whole lines of a file, changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file.
    pub file: String,
    /// Where, and what happens there.
    pub action: Action,
    /// The lines to write, without a line break at the end.
    pub text: String,
}

/// What happens to the lines of a file; lines count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Lines are written after this one; 0 is the top of the file.
    InsertAfter(usize),
    /// These lines, the last one included, become others.
    Replace {
        /// The first line.
        first: usize,
        /// The last line.
        last: usize,
    },
    /// These lines go, the last one included.
    Remove {
        /// The first line.
        first: usize,
        /// The last line.
        last: usize,
    },
    /// The file is new.
    Create,
}

/// What is known of the code besides the spec that it generates.
#[derive(Clone, Copy)]
pub struct Code<'a> {
    /// The Rust sources of the handlers and their types.
    pub files: &'a [SourceFile],
    /// Adds to an operation, in JSON, what the code adds to every operation of its kind by rule. A fix-it does not repeat
    /// that.
    pub by_rule: &'a dyn Fn(Value) -> Value,
    /// Where those rules stand.
    pub rules: &'a str,
}

impl Code<'_> {
    /// Nothing is known but the spec: fix-its of the code then go by the conventions alone.
    pub const UNKNOWN: Code<'static> = Code { files: &[], by_rule: &|operation| operation, rules: "" };
}

/// Everything that a fix-it is made from.
struct Context<'a> {
    contract: &'a Contract,
    yaml: SourceFile,
    generated: &'a Value,
    code: Code<'a>,
    sources: Sources<'a>,
    /// The drifts between the two.
    known: shared::Known,
}

/// Says of each drift who says it and how to make it go away, and tells those of one cause once, with their places.
///
/// `drifts` are all that [`diff()`] finds between the two. If they are thousands, as of two documents that have nothing to do
/// with each other, they come back as they are.
pub fn explain(contract: &Contract, generated: &Value, code: Code<'_>, drifts: Vec<Drift>) -> Vec<Drift> {
    if drifts.is_empty() || drifts.len().saturating_mul(contract.text().len()) > MAX_WORK {
        return drifts;
    }
    let (moves, settled) = moved::settled(contract, generated);
    let yaml = SourceFile { path: contract.file_name().to_owned(), text: contract.text().to_owned() };
    let drifts = if moves.is_empty() { drifts } else { diff(contract, &settled) };
    let (sources, known) = (Sources::read(code.files), shared::known(&drifts));
    let context = Context { contract, yaml, generated: &settled, code, sources, known };
    let mut told: Vec<Drift> = moves.iter().map(|one| moved::told(&context, one)).collect();
    let helps = |edited: &Contract| moved::settled(edited, generated).0.len() < moves.len();
    told.iter_mut().for_each(|drift| settle(&context, &helps, drift));
    told.extend(others(&context, drifts));
    told.sort_by(|a, b| (a.position, &a.pointer, &a.place).cmp(&(b.position, &b.pointer, &b.place)));
    told
}

/// A fix-it is tried on the whole contract, so they take the number of drifts times the bytes of the contract: this much is
/// a minute. A contract of 25 kB has room for a thousand drifts.
const MAX_WORK: usize = 30_000_000;

/// The drifts that remain once everything is where the contract has it.
fn others(context: &Context<'_>, drifts: Vec<Drift>) -> Vec<Drift> {
    let before = drifts.len();
    let mut causes: Vec<Cause> = Vec::new();
    for mut drift in renamed::paired(context, misled::told(context, cause::without_what_follows(context, drifts))) {
        if let Some(who) = context.who(&drift) {
            drift.who = Some(who);
        }
        let scope = shared::scope(context, &drift);
        drift.fixes = fixes(context, &drift, &scope);
        cause::tell(context, &mut causes, drift, scope.used().cloned());
    }
    let mut told: Vec<Drift> = causes.into_iter().map(|cause| cause.drift).collect();
    let helps = |edited: &Contract| diff(edited, context.generated).len() < before;
    told.iter_mut().for_each(|drift| settle(context, &helps, drift));
    told
}

/// How to make a drift go away, on either side.
fn fixes(context: &Context<'_>, drift: &Drift, scope: &shared::Scope) -> Vec<Fix> {
    if let Some((meant, said)) = misspelt::meant(context, drift) {
        let ours = contract_side::fix(context, &meant).map(|fix| Fix { note: said, ..fix });
        // Where nothing else differs, the code is right.
        let [ours_now, theirs_now] =
            [&meant.contract, &meant.code].map(|side| side.as_ref().and_then(Value::as_array).map(|names| set(names)));
        let theirs = if ours_now == theirs_now { None } else { code_side::fix(context, &meant, scope) };
        return ours.into_iter().chain(theirs).collect();
    }
    let ours = contract_side::instead(context, drift, scope).or_else(|| contract_side::fix(context, drift));
    ours.into_iter().chain(code_side::fix(context, drift, scope)).collect()
}

/// Brings the edits of each fix-it into order, and tries those of the contract.
fn settle(context: &Context<'_>, helps: &dyn Fn(&Contract) -> bool, drift: &mut Drift) {
    for fix in &mut drift.fixes {
        fix.edits.sort_by(|a, b| (&a.file, b.action.line()).cmp(&(&b.file, a.action.line())));
        if fix.side == Side::Contract && !fix.edits.is_empty() {
            prove(context, helps, fix);
        }
    }
}

/// A fix-it of the contract is tried before it is told: where it leaves no contract, or no drift less, words must do.
fn prove(context: &Context<'_>, helps: &dyn Fn(&Contract) -> bool, fix: &mut Fix) {
    let edited = apply(&context.yaml.text, &fix.edits);
    // What was wrong before is told for itself.
    let known: HashSet<&str> = context.contract.faults().iter().map(|fault| fault.message.as_str()).collect();
    let edited = Contract::read(&context.yaml.path, &edited);
    let faults = edited.as_ref().map_or_else(Vec::as_slice, Contract::faults);
    let fault = faults.iter().find(|fault| !known.contains(fault.message.as_str()));
    let why = match (edited.as_ref().is_ok_and(helps), fault) {
        (_, Some(fault)) => format!("a contract cannot say it that way: {}", fault.message),
        (true, None) => return,
        (false, None) => {
            "what is written there is shared with places where the code agrees: write it out for this one".to_owned()
        }
    };
    fix.edits.clear();
    fix.note = why;
}

/// A text after these edits, all of one file, which are made in their order.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for edit in edits {
        lines.splice(edit.action.range(lines.len()), edit.text.lines());
    }
    lines.join("\n") + "\n"
}

/// All drifts for a terminal, in the order of the file: each with its fix-its, and at the end how many there are. Meant to
/// be moved right by two, as cargo does with what a build script says.
pub fn page(drifts: &[Drift]) -> String {
    let (told, counted) = (told(drifts), counted(drifts));
    format!("{told}error: {counted} between the contract and the code; CONTRACT_DRIFT=warn builds all the same\n")
}

/// [`page`] without its last line.
pub(crate) fn told(drifts: &[Drift]) -> String {
    let mut page = String::new();
    for drift in drifts {
        page.push_str(&format!(
            "error[{}]: {}:{}: {}\n",
            drift.code_of_kind(),
            drift.file,
            drift.position,
            drift.message()
        ));
        page.push_str(&drift.detail(2, 2));
        page.push('\n');
    }
    if drifts.len() > MANY {
        page.push_str("In short:\n");
        for drift in drifts {
            page.push_str(&format!("  {}:{}: {}\n", drift.file, drift.position, drift.message()));
        }
    }
    if drifts.len() > 1 {
        page.push_str(
            "note: lines are counted as the files are now: after an edit that adds or removes some, build again\n",
        );
    }
    page
}

/// How many there are, and at how many places.
pub(crate) fn counted(drifts: &[Drift]) -> String {
    let places: usize = drifts.iter().map(|drift| 1 + drift.likewise.len() + drift.also.len()).sum();
    match (drifts.len(), places) {
        (1, 1) => "1 drift".to_owned(),
        (1, places) => format!("1 drift, at {places} places,"),
        (count, places) if count == places => format!("{count} drifts"),
        (count, places) => format!("{count} drifts, at {places} places,"),
    }
}

/// More drifts than this scroll away: they are listed again at the end.
const MANY: usize = 5;

impl Context<'_> {
    /// Who says it, with the file and the line where the sources tell them.
    fn who(&self, drift: &Drift) -> Option<String> {
        let who = drift.who.as_ref()?;
        if code_side::is_by_rule(self, drift) {
            return Some(format!("a rule for all operations ({})", self.code.rules));
        }
        let pointer = drift.code_pointer.as_deref()?;
        let found = if let Some(name) = sources::schema_of(pointer) {
            self.sources.schema(&name).map(|item| item.place())
        } else {
            let id = sources::operation_id(self.generated, pointer)?;
            self.sources.handler(&id).map(|handler| handler.place())
        };
        Some(match found {
            Some(place) => format!("{who} ({place})"),
            None => who.clone(),
        })
    }
}

impl Action {
    /// Which of so many lines, counted from 0, become others.
    fn range(self, lines: usize) -> Range<usize> {
        let (from, to) = match self {
            Action::InsertAfter(line) => (line, line),
            Action::Replace { first, last } | Action::Remove { first, last } => (first.saturating_sub(1), last),
            Action::Create => (0, lines),
        };
        from.min(to).min(lines)..to.min(lines)
    }

    pub(crate) fn line(self) -> usize {
        match self {
            Action::InsertAfter(line) => line,
            Action::Replace { first, .. } | Action::Remove { first, .. } => first,
            Action::Create => 0,
        }
    }
}

impl Edit {
    /// The first and the last line that it is about; for new lines the one before them.
    fn lines(&self) -> (usize, usize) {
        match self.action {
            Action::Replace { first, last } | Action::Remove { first, last } => (first, last),
            Action::InsertAfter(line) => (line, line),
            Action::Create => (1, 0),
        }
    }

    fn inserts(&self) -> bool {
        matches!(self.action, Action::InsertAfter(_))
    }

    /// Whether two edits change a line in common, or one writes above a line that the other changes.
    fn touches(&self, other: &Edit) -> bool {
        let lines = |edit: &Edit| (edit.lines().0, edit.lines().1 + usize::from(edit.inserts()));
        let ((a, b), (c, d)) = (lines(self), lines(other));
        self.file == other.file && !(self.inserts() && other.inserts()) && a <= d && c <= b
    }

    /// Whether the lines of one are no longer what they were once the other is followed, or what both write in one place
    /// is one entry, or of two depths, so that it matters which comes first.
    fn clashes(&self, other: &Edit) -> bool {
        let ((a, b), (c, d)) = (self.lines(), other.lines());
        let indent = |edit: &Edit| edit.text.lines().find_map(text::indent_of);
        let entry = |edit: &Edit| edit.text.trim_start().split(':').next().map(str::to_owned);
        self.file == other.file
            && match (self.inserts(), other.inserts()) {
                (true, true) => a == c && (entry(self) == entry(other) || indent(self) != indent(other)),
                (true, false) => (c..d).contains(&a),
                (false, true) => (a..b).contains(&c),
                (false, false) => a <= d && c <= b,
            }
    }
}

impl Fix {
    /// The lines that tell it. Lines of code are moved left by `outdent` where they can be, so that they stand in the
    /// column in which they belong once whoever prints them moves them right again.
    pub(crate) fn told(&self, outdent: usize) -> Vec<Told> {
        let side = format!("change the {}", self.side.as_str());
        let mut lines = Vec::new();
        for (index, edit) in self.edits.iter().enumerate() {
            let head = if index == 0 { format!("help: {side}: {edit}") } else { format!("and {edit}") };
            lines.push(Told::Prose(head));
            if edit.text.is_empty() {
                continue;
            }
            let least = edit.text.lines().filter_map(text::indent_of).min().unwrap_or_default();
            let cut = least.min(outdent);
            lines.push(Told::Code(String::new()));
            lines.extend(edit.text.lines().map(|line| Told::Code(line.get(cut..).unwrap_or_default().to_owned())));
            lines.push(Told::Code(String::new()));
        }
        match (self.note.is_empty(), self.edits.is_empty()) {
            (true, _) => {}
            (false, true) => lines.push(Told::Prose(format!("help: {side}: {}", self.note))),
            (false, false) => lines.push(Told::Prose(format!("note: {}", self.note))),
        }
        lines
    }
}

impl Fix {
    /// For programs. Lines are those that the edit concerns: `line` is the one after which it writes.
    pub(crate) fn facts(&self) -> Value {
        let edit = |edit: &Edit| match edit.action {
            Action::InsertAfter(line) => json!({ "action": "insert-after", "line": line }),
            Action::Replace { first, last } => json!({ "action": "replace", "first": first, "last": last }),
            Action::Remove { first, last } => json!({ "action": "remove", "first": first, "last": last }),
            Action::Create => json!({ "action": "create" }),
        };
        let edits = self.edits.iter().map(|one| {
            let mut facts = members_of(edit(one));
            facts.extend(members_of(json!({ "file": one.file, "text": one.text })));
            Value::Object(facts)
        });
        json!({ "side": self.side.as_str(), "note": self.note, "edits": edits.collect::<Vec<_>>() })
    }
}

/// A line of a message.
pub(crate) enum Told {
    /// For people.
    Prose(String),
    /// To be pasted.
    Code(String),
}

impl fmt::Display for Edit {
    /// As in "in FILE, …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = &self.file;
        match self.action {
            Action::InsertAfter(0) => write!(f, "{file}: at the top, add"),
            Action::InsertAfter(line) => write!(f, "{file}: after line {line}, add"),
            Action::Replace { first, last } if first == last => write!(f, "{file}: line {first} becomes"),
            Action::Replace { first, last } => write!(f, "{file}: lines {first} to {last} become"),
            Action::Remove { first, last } if first == last => write!(f, "{file}: remove line {first}"),
            Action::Remove { first, last } => write!(f, "{file}: remove lines {first} to {last}"),
            Action::Create => write!(f, "{file}: a new file"),
        }
    }
}
