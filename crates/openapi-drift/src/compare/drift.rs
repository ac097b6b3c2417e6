//! One difference between the contract and the code, and its message.

use std::fmt;

use serde_json::Value;

use openapi_contract::Position;
use openapi_contract::equivalence::{canonical, set};
use openapi_contract::pointer::tokens;

/// One place where the contract and the code differ. Displayed on one line, in the form of a compiler message.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// In which way they differ.
    pub kind: DriftKind,
    /// The contract's file name.
    pub file: String,
    /// JSON pointer in the contract of the node, or of where it would be. References are followed; `-` stands for an item
    /// after the last (RFC 6901 §4).
    pub pointer: String,
    /// Where the node is written, or its nearest ancestor that exists. If the node is in a component that agrees with the
    /// code everywhere else, this is the position of `reference`.
    pub position: Position,
    /// The place in the API, for people: `GET /users/{id} → 200 → application/json → name → maxLength`.
    pub place: String,
    /// The other places that have the same difference, since components are shared.
    pub also: Vec<String>,
    /// JSON pointer of the contract's `$ref` that may refer to the wrong component: the node is in a component that agrees
    /// with the code everywhere else.
    pub reference: Option<String>,
    /// The value in the contract; `None` if it has no such node.
    pub contract: Option<Value>,
    /// The value in the generated spec; `None` if it has no such node.
    pub code: Option<Value>,
    /// JSON pointer in the generated spec of the node, or of where it would be.
    pub code_pointer: Option<String>,
    /// Where else the generated spec has the same value, though the contract has it once.
    pub code_pointers: Vec<String>,
}

/// In which way the contract and the code differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DriftKind {
    /// Both have the node, with different values.
    Differs,
    /// Both have the set (`required`, `enum`, `tags`), with different members.
    SetDiffers,
    /// The contract has the node, the code does not.
    MissingInCode,
    /// The code has the node, the contract does not.
    MissingInContract,
    /// The generated spec refers to a component that it does not contain.
    Dangling,
    /// The operation is planned in the contract, and the code has a handler for it.
    NotPlanned,
    /// Both have it, under another path, method or name. [`crate::findings`] makes one of two drifts.
    Moved,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} (#{}", self.file, self.position, self.message(), self.pointer)?;
        match self.also.len() {
            0 => f.write_str(")"),
            1 => f.write_str("; also at 1 other place)"),
            more => write!(f, "; also at {more} other places)"),
        }
    }
}

impl Drift {
    /// What differs, in one line, without its position.
    pub fn message(&self) -> String {
        self.message_between(&self.file, "the code")
    }

    /// [`Drift::message`], with a name for each side.
    pub(crate) fn message_between(&self, ours: &str, theirs: &str) -> String {
        let key = tokens(&self.pointer).last().unwrap_or_default();
        let is_scalar = [&self.contract, &self.code].into_iter().flatten().all(|side| !side.is_object());
        let what = match self.place.rsplit_once(STEP) {
            _ if self.place.is_empty() => String::new(),
            // A keyword, apart from the place that has it.
            Some((place, step)) if step == key && is_scalar => format!("{place}: {step}: "),
            _ => format!("{}: ", self.place),
        };
        let [contract, code] = [&self.contract, &self.code].map(|side| brief(side.as_ref()));
        let is_object =
            |side: &Option<Value>| side.as_ref().and_then(Value::as_object).is_some_and(|members| !members.is_empty());
        let message = match self.kind {
            DriftKind::Differs => format!("expected {contract} ({ours}), found {code} ({theirs})"),
            DriftKind::SetDiffers => {
                let missing = only(&self.contract, &self.code).map(|only| format!("only {ours} has {only}"));
                let surplus = only(&self.code, &self.contract).map(|only| format!("only {theirs} has {only}"));
                missing.into_iter().chain(surplus).collect::<Vec<_>>().join(", ")
            }
            // The source line shows an object better than an abbreviation.
            DriftKind::MissingInCode if is_object(&self.contract) => format!("missing in {theirs}"),
            DriftKind::MissingInCode => format!("missing in {theirs}, expected {contract} ({ours})"),
            DriftKind::MissingInContract if is_object(&self.code) => format!("missing in {ours}"),
            DriftKind::MissingInContract => format!("missing in {ours}, found {code} ({theirs})"),
            DriftKind::Dangling => format!("the generated spec refers to {code}, which it does not contain"),
            DriftKind::NotPlanned => format!("planned in {ours}, but {theirs} has a handler"),
            DriftKind::Moved => {
                let [ours, theirs] = self.names();
                format!("the address or the name differs: the contract has `{ours}`, the code has `{theirs}`")
            }
        };
        what + &message
    }

    /// The node for people, without the place that has it: `` `maxLength` ``.
    pub(crate) fn node(&self) -> String {
        match self.place.rsplit(STEP).next() {
            None | Some("") => "the document".to_owned(),
            Some(step) => format!("`{step}`"),
        }
    }

    /// The names in the contract and in the code of what is [`DriftKind::Moved`].
    pub(crate) fn names(&self) -> [&str; 2] {
        [&self.contract, &self.code].map(|side| side.as_ref().and_then(Value::as_str).unwrap_or_default())
    }

    /// A stable id of the class of drift.
    pub fn code_of_kind(&self) -> &'static str {
        match self.kind {
            DriftKind::Differs | DriftKind::SetDiffers => "drift-differs",
            DriftKind::MissingInCode => "drift-missing-in-code",
            DriftKind::MissingInContract => "drift-missing-in-contract",
            DriftKind::Dangling => "drift-dangling",
            DriftKind::NotPlanned => "drift-planned",
            DriftKind::Moved => "drift-moved",
        }
    }
}

/// What separates the steps of a place.
const STEP: &str = " → ";

/// The members that only `one` of two sets has.
fn only(one: &Option<Value>, other: &Option<Value>) -> Option<String> {
    let [one, other] = [one, other].map(|side| side.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice));
    let other = set(other);
    let only = one.iter().filter(|item| !other.contains(&canonical(item)));
    let only: Vec<_> = only.map(|item| brief(Some(item))).collect();
    (!only.is_empty()).then(|| only.join(", "))
}

/// A value, cut to fit in a message.
pub(crate) fn brief(value: Option<&Value>) -> String {
    const LIMIT: usize = 80;
    let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match text.char_indices().nth(LIMIT) {
        None => text,
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
    }
}
