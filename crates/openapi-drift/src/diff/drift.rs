//! One drift, and how it is told.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::fixes::{Fix, Told};
use openapi_contract::Position;
use openapi_contract::diagnostics::{Diagnostic, Severity, members_of};
use openapi_contract::equivalence::{canonical, set};
use openapi_contract::pointer::tokens;

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
    /// Other drifts that the same change of the code makes go away, each in one line; [`crate::fixes::explain`] joins them.
    pub likewise: Vec<String>,
    /// JSON pointers of the contract's `$ref`s that were followed on the way to `place`, outermost first. The fault may
    /// be that one of them refers to the wrong component.
    pub via: Vec<String>,
    /// The references of either side that were followed on the way to `place`, outermost first.
    pub followed: Vec<Followed>,
    /// What the contract says; `None` if it has no such node.
    pub contract: Option<Value>,
    /// What the code says; `None` if it has no such node.
    pub code: Option<Value>,
    /// Where the code says it: JSON pointer in the generated spec of the node, or of where it would be.
    pub code_pointer: Option<String>,
    /// Where else it says the same, though the contract has it once.
    pub code_pointers: Vec<String>,
    /// Who says it: `the type `UserName``. What the spec alone does not tell, [`crate::fixes::explain`] adds.
    pub who: Option<String>,
    /// How to make it go away; [`crate::fixes::explain`] fills it.
    pub fixes: Vec<Fix>,
}

/// A place where the contract, the code or both refer to a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// JSON pointer in the contract.
    pub contract: String,
    /// JSON pointer in the generated spec.
    pub code: String,
    /// How many steps of a drift's `place` lead there.
    pub steps: usize,
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
    /// Both have it, under another path, method or name. [`crate::fixes::explain`] makes one of two.
    Moved,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.position)?;
        self.headline(f)?;
        write!(f, " (#{}", self.pointer)?;
        match self.also.len() {
            0 => f.write_str(")"),
            1 => f.write_str("; shows in 1 more place)"),
            more => write!(f, "; shows in {more} more places)"),
        }
    }
}

impl Drift {
    /// What differs, without its place in the file.
    fn headline(&self, f: &mut impl fmt::Write) -> fmt::Result {
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
            DriftKind::MissingInContract
                if self
                    .code
                    .as_ref()
                    .is_some_and(|code| code.as_object().is_some_and(|members| !members.is_empty())) =>
            {
                f.write_str("missing in the contract")?;
            }
            DriftKind::MissingInContract => write!(f, "missing in the contract (the code says {code})")?,
            DriftKind::Dangling => write!(f, "the code says {code}, which its spec does not have")?,
            DriftKind::NotPlanned => write!(f, "the contract calls it planned, yet it has a handler")?,
            DriftKind::Moved => {
                let [ours, theirs] = [&self.contract, &self.code].map(|side| side.as_ref().and_then(Value::as_str));
                write!(
                    f,
                    "{}: the contract says {}, the code says {}",
                    what_moved(ours.unwrap_or_default(), theirs.unwrap_or_default()),
                    ours.unwrap_or_default(),
                    theirs.unwrap_or_default()
                )?;
            }
        }
        Ok(())
    }

    /// What differs, in one line, without its place in the file.
    pub fn message(&self) -> String {
        let mut message = String::new();
        // Writing to a string cannot fail.
        let _ = self.headline(&mut message);
        message
    }

    /// A stable id of the kind of drift.
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

    /// What else there is to tell, in lines: both sides, the places and the fix-its. Prose is moved right by `indent`;
    /// what is to be pasted stands where it belongs once the whole is moved right by `outdent`.
    pub fn detail(&self, indent: usize, outdent: usize) -> String {
        // All of a few places, some of many.
        const FEW: usize = 6;
        const SOME: usize = 3;
        let mut lines = vec![
            Told::Prose(format!("contract: {}", self.said(self.contract.as_ref(), false))),
            Told::Prose(format!("code:     {}", self.said(self.code.as_ref(), true))),
        ];
        let shown = if self.also.len() > FEW { SOME } else { FEW };
        let places = self.also.iter().take(shown).cloned();
        let more = self.also.len().checked_sub(shown).filter(|more| *more > 0);
        let places = places.chain(more.map(|more| format!("and {more} more places")));
        for (head, all) in [("likewise:", self.likewise.clone()), ("also at: ", places.collect())] {
            let heads = [head].into_iter().chain(std::iter::repeat("         "));
            lines.extend(all.iter().zip(heads).map(|(one, head)| Told::Prose(format!("{head} {one}"))));
        }
        lines.extend(self.fixes.iter().flat_map(|fix| fix.told(outdent)));
        let mut detail = String::new();
        for line in lines {
            let (indent, line) = match line {
                Told::Prose(line) => (indent, line),
                Told::Code(line) => (0, line),
            };
            detail.push_str(format!("{:indent$}{line}", "").trim_end());
            detail.push('\n');
        }
        // Two edits, or an edit and a note, are parted by one blank line, not by two.
        detail.trim_end().to_owned() + "\n"
    }

    /// What a side says, and for the code, who.
    fn said(&self, value: Option<&Value>, is_code: bool) -> String {
        let key = tokens(&self.pointer).last().unwrap_or_default();
        let named = self.pointer.rsplit_once('/').is_some_and(|(owner, _)| !owner.ends_with("/parameters"));
        let said = match (value, self.kind) {
            (None, _) => "says nothing of it".to_owned(),
            (Some(Value::String(name)), DriftKind::Moved) => name.clone(),
            (Some(Value::String(_)), DriftKind::NotPlanned) if is_code => {
                return self.who.clone().map_or_else(|| "has it".to_owned(), |who| format!("{who} answers it"));
            }
            (Some(value), DriftKind::MissingInCode | DriftKind::MissingInContract) if value.is_object() => {
                return match (&self.who, is_code) {
                    (Some(who), true) => format!("{who} has it"),
                    _ => "has it".to_owned(),
                };
            }
            (Some(value), _) if named && !value.is_object() => format!("{key}: {}", Brief(Some(value))),
            (Some(value), _) => Brief(Some(value)).to_string(),
        };
        match (&self.who, is_code) {
            (Some(who), true) if value.is_none() => format!("{who} {said}"),
            (Some(who), true) => format!("{said}, says {who}"),
            _ => said,
        }
    }

    fn facts(&self) -> Map<String, Value> {
        let mut facts = members_of(json!({
            "place": self.place,
            "also": self.also,
            "likewise": self.likewise,
            "fixes": self.fixes.iter().map(Fix::facts).collect::<Vec<_>>(),
        }));
        let who = self.who.clone().map(Value::from);
        let said = [("contract", self.contract.clone()), ("code", self.code.clone()), ("who", who)];
        facts.extend(said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        facts
    }

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

/// Which part of an address differs: `POST /users` has two, `/users` has one.
fn what_moved(ours: &str, theirs: &str) -> &'static str {
    match (ours.split_once(' '), theirs.split_once(' ')) {
        (Some((mine, path)), Some((other, another))) if mine != other && path != another => {
            "the method and the path differ"
        }
        (Some((_, path)), Some((_, another))) if path == another => "the method differs",
        (Some(_), Some(_)) => "the path differs",
        _ if ours.starts_with('/') => "the path differs",
        _ if ours.bytes().all(|byte| byte.is_ascii_digit()) => "the status differs",
        _ => "the name differs",
    }
}

impl From<&Drift> for Diagnostic {
    /// The facts for programs are `place`, `also`, `likewise`, `contract` and `code` (what each says, if anything), `who`
    /// says it in the code, and `fixes` (`side`, `note` and `edits`, each with its `file`, `action`, lines and `text`).
    fn from(drift: &Drift) -> Self {
        Diagnostic {
            severity: Severity::Error,
            code: drift.code_of_kind().to_owned(),
            file: drift.file.clone(),
            position: drift.position,
            pointer: drift.pointer.clone(),
            message: drift.message(),
            // Details are printed two columns further right.
            detail: drift.detail(0, 2),
            facts: drift.facts(),
        }
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
