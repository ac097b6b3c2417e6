//! One drift, and how it is told.

use std::fmt;

use serde_json::Value;

use crate::Position;
use crate::meaning::{canonical, set};

/// One place where the contract and the code differ. Displayed on one line, in the manner of a compiler.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// In which way they differ.
    pub kind: DriftKind,
    /// The contract's file name.
    pub file: String,
    /// JSON pointer in the contract of the node, or of where it would be: references are followed, and `-` stands for
    /// an item after the last (RFC 6901 §4).
    pub pointer: String,
    /// Where the node is written, or its nearest ancestor that exists. If the node stands in a component that keeps its
    /// word wherever else it is used, the `$ref` that led there, one of `via`: that use is the odd one out.
    pub position: Position,
    /// Where it shows, for people: `GET /users/{id} → 200 → application/json → name → maxLength`.
    pub place: String,
    /// Where else it shows, since components are shared.
    pub also: Vec<String>,
    /// JSON pointers of the contract's `$ref`s that were followed on the way to `place`, outermost first. The fault may
    /// be that one of them refers to the wrong component.
    pub via: Vec<String>,
    /// What the contract says; `None` if it has no such node.
    pub contract: Option<Value>,
    /// What the code says; `None` if it has no such node.
    pub code: Option<Value>,
}

/// In which way the contract and the code differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DriftKind {
    /// Both have the node and say different things.
    Differs,
    /// Both have the set (`required`, `enum`, `tags`), with different members.
    SetDiffers,
    /// The contract has the node, the code has not.
    MissingInCode,
    /// The code has the node, the contract has not.
    MissingInContract,
    /// The code's spec refers to something that it does not have.
    Dangling,
    /// The contract calls the operation planned, and the code has it.
    NotPlanned,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.position)?;
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        let contract = Brief(self.contract.as_ref());
        let code = Brief(self.code.as_ref());
        match self.kind {
            DriftKind::Differs => write!(f, "the contract says {contract}, the code says {code}")?,
            DriftKind::SetDiffers => {
                let ours = self.only(&self.contract, &self.code).map(|only| format!("only the contract has {only}"));
                let theirs = self.only(&self.code, &self.contract).map(|only| format!("only the code has {only}"));
                let said: Vec<_> = ours.into_iter().chain(theirs).collect();
                f.write_str(&said.join(", "))?;
            }
            // The line just named shows an object better than any abbreviation.
            DriftKind::MissingInCode if self.contract.as_ref().is_some_and(Value::is_object) => {
                f.write_str("missing in the code")?;
            }
            DriftKind::MissingInCode => write!(f, "missing in the code (the contract says {contract})")?,
            DriftKind::MissingInContract => write!(f, "missing in the contract (the code says {code})")?,
            DriftKind::Dangling => write!(f, "the code says {code}, which its spec does not have")?,
            DriftKind::NotPlanned => write!(f, "the contract calls it planned, yet the code has it")?,
        }
        write!(f, " (#{}", self.pointer)?;
        match self.also.len() {
            0 => f.write_str(")"),
            1 => f.write_str("; shows in 1 more place)"),
            more => write!(f, "; shows in {more} more places)"),
        }
    }
}

impl Drift {
    /// The members that only `one` of two sets has.
    fn only(&self, one: &Option<Value>, other: &Option<Value>) -> Option<String> {
        let [one, other] =
            [one, other].map(|side| side.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice));
        let other = set(other);
        let only = one.iter().filter(|item| !other.contains(&canonical(item)));
        let only: Vec<_> = only.map(|item| Brief(Some(item)).to_string()).collect();
        (!only.is_empty()).then(|| only.join(", "))
    }
}

/// A value in few words: messages are read in a terminal.
struct Brief<'a>(Option<&'a Value>);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LIMIT: usize = 80;
        let Some(value) = self.0 else {
            return f.write_str("nothing");
        };
        let text = value.to_string();
        match text.char_indices().nth(LIMIT) {
            None => f.write_str(&text),
            Some((cut, _)) => write!(f, "{}…", text.get(..cut).unwrap_or_default()),
        }
    }
}
