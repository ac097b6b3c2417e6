//! Compares two objects keyword by keyword, the same for every kind of object.
//!
//! A *pair* is a node of the contract and its counterpart in the generated spec. Nodes that are written inline are compared
//! at once; where either side is a reference, the target is queued as a unit of a [`PairWalk`]. `document` finds what
//! corresponds to what at the top, `collect` makes drifts of the findings.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::counterpart::Counterpart;
use super::drift::{Drift, DriftKind};
use super::exclusions::not_compared;
use super::same::{admits_anything, is_default, only_part, same_in_any_case, same_set, same_type};
use openapi_contract::equivalence::{folded, same};
use openapi_contract::grammar::Shape;
use openapi_contract::method::Method;
use openapi_contract::pair_walk::PairWalk;
use openapi_contract::pointer::{self, join};
use openapi_contract::{Contract, Kind, Profile};

#[derive(Debug, Clone)]
pub(super) struct Pair<'a> {
    pub(super) kind: Kind,
    ours: &'a Value,
    pub(super) pointer: String,
    counterpart: Counterpart<'a>,
}

/// A drift before all of its places are known.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) kind: DriftKind,
    pub(super) pointer: String,
    pub(super) contract: Option<Value>,
    pub(super) code: Option<Value>,
    /// The place in the generated spec: the node, or the object that lacks one with the steps from there.
    pub(super) origin: (*const Value, String),
}

/// What makes two pairs the same: the kind and both nodes.
type Key = (Kind, *const Value, *const Value);

pub(super) struct Walk<'a> {
    pub(super) contract: &'a Value,
    pub(super) code: &'a Value,
    /// Each pair with the pointers of the contract's references that led to it.
    pub(super) pairs: PairWalk<'a, Key, Pair<'a>, Option<String>, Finding>,
    /// The objects of both sides being compared, innermost last: the contract's pointer and the code's node.
    within: Vec<(String, *const Value)>,
    /// Whether the walk only finds out whether two nodes mean the same.
    trial: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(contract: &'a Value, code: &'a Value) -> Walk<'a> {
        Walk { contract, code, pairs: PairWalk::new(usize::MAX), within: Vec::new(), trial: false }
    }

    /// Every drift between two documents.
    pub(super) fn drifts(mut self, contract: &Contract) -> Vec<Drift> {
        self.document();
        self.run();
        self.collect(contract)
    }

    /// Whether two nodes, either of which may be a reference, mean the same.
    pub(super) fn finds_nothing(mut self, kind: Kind, ours: &'a Value, theirs: &'a Value) -> bool {
        self.trial = true;
        self.object(kind, ours, String::new(), theirs);
        self.run();
        self.pairs.found().is_empty()
    }

    /// Compares every pair that is queued, also those that are queued meanwhile.
    fn run(&mut self) {
        while let Some(Pair { kind, ours, pointer, counterpart }) = self.pairs.advance() {
            self.members(kind, ours, &pointer, &counterpart);
        }
    }

    fn queue(
        &mut self,
        kind: Kind,
        ours: &'a Value,
        pointer: String,
        counterpart: Counterpart<'a>,
        site: Option<String>,
    ) {
        let key = (kind, std::ptr::from_ref(ours), counterpart.identity);
        self.pairs.queue(key, Pair { kind, ours, pointer, counterpart }, site);
    }

    /// Adds a step to the place while `inside` runs.
    pub(super) fn step(&mut self, label: impl Into<Cow<'a, str>>, inside: impl FnOnce(&mut Self)) {
        self.pairs.enter(label.into());
        inside(self);
        self.pairs.leave();
    }

    pub(super) fn report(&mut self, kind: DriftKind, pointer: String, contract: Option<&Value>, code: Option<&Value>) {
        let origin = match code {
            Some(node) => (std::ptr::from_ref(node), String::new()),
            None => {
                let (at, node) =
                    self.within.last().map_or(("", std::ptr::from_ref(self.code)), |(at, node)| (at, *node));
                (node, pointer.strip_prefix(at).unwrap_or_default().to_owned())
            }
        };
        let (contract, code) = (contract.cloned(), code.cloned());
        self.pairs.report(Finding { kind, pointer, contract, code, origin });
    }

    /// Reports a node that one side lacks, without its content.
    pub(super) fn missing(
        &mut self,
        pointer: String,
        label: impl Into<Cow<'a, str>>,
        contract: Option<&Value>,
        code: Option<&Value>,
    ) {
        let kind = if contract.is_some() { DriftKind::MissingInCode } else { DriftKind::MissingInContract };
        self.step(label, |walk| walk.report(kind, pointer, contract, code));
    }

    /// Compares two objects of one kind, either of which may be a reference.
    pub(super) fn object(&mut self, kind: Kind, ours: &'a Value, site: String, theirs: &'a Value) {
        let parts = kind == Kind::Schema && self.are_as_many(ours, theirs);
        let (ours, site) = bare(parts, ours, site);
        let (theirs, _) = bare(parts, theirs, String::new());
        let Some((value, pointer)) = self.resolve(ours, site.clone(), parts) else {
            // The loader refuses such a contract.
            return;
        };
        let Some(counterpart) = Counterpart::resolve(self.code, theirs, parts) else {
            self.report(DriftKind::Dangling, site, Some(ours), Some(theirs));
            return;
        };
        let blank = |value, beside: &[_]| kind == Kind::Schema && beside.is_empty() && admits_anything(value);
        if blank(value, &[]) != blank(counterpart.value, &counterpart.beside) {
            // A schema instead of none is one drift, not one for each of its keywords.
            self.report(DriftKind::Differs, pointer, Some(ours), Some(theirs));
            return;
        }
        let (mine, other) = (pointer::reference(ours), pointer::reference(theirs));
        if mine.is_none() && other.is_none() {
            self.members(kind, value, &pointer, &counterpart);
            return;
        }
        if let (Some(mine), Some(other)) = (mine, other)
            && self.is_another_component(kind, (mine, ours), (other, theirs))
        {
            self.report(DriftKind::Differs, join(&site, "$ref"), ours.get("$ref"), theirs.get("$ref"));
            return;
        }
        self.queue(kind, value, pointer, counterpart, mine.map(|_| site));
    }

    /// Whether both sides refer, by name, to different components of the contract that do not mean the same.
    ///
    /// Then the reference is the drift, and each difference between the two components would only hide it. If the
    /// contract has no component of the name that the code uses, the names merely differ.
    fn is_another_component(&self, kind: Kind, ours: (&str, &'a Value), theirs: (&str, &'a Value)) -> bool {
        let known = |reference| pointer::local(reference).is_some_and(|at| pointer::find(self.contract, &at).is_some());
        if self.trial || ours.0 == theirs.0 || !known(theirs.0) {
            return false;
        }
        !Walk::new(self.contract, self.code).finds_nothing(kind, ours.1, theirs.1)
    }

    /// Compares the keywords of two objects.
    pub(super) fn members(&mut self, kind: Kind, ours: &'a Value, at: &str, counterpart: &Counterpart<'a>) {
        if !(ours.is_object() && counterpart.value.is_object()) {
            let both_admit = kind == Kind::Schema && admits_anything(ours) && admits_anything(counterpart.value);
            if !both_admit && !same(ours, counterpart.value) {
                self.report(DriftKind::Differs, at.to_owned(), Some(ours), Some(counterpart.value));
            }
            return;
        }
        let own = ours.as_object().into_iter().flat_map(|members| members.keys()).map(String::as_str);
        let mut keys: Vec<&str> = own.chain(counterpart.keys()).collect();
        keys.sort();
        keys.dedup();
        self.within.push((at.to_owned(), std::ptr::from_ref(counterpart.value)));
        for key in keys {
            if not_compared(kind, key) || is_compared_apart(kind, key) {
                continue;
            }
            let here = join(at, key);
            match (ours.get(key), counterpart.get(key)) {
                (Some(mine), Some(other)) if same_in_any_case(kind, key, ours, mine, other) => {}
                (Some(mine), Some(other)) => self.keyword(kind, key, mine, here, other),
                (Some(mine), None) if !is_default(kind, key, mine, |key| ours.get(key)) => {
                    self.missing(here, key, Some(mine), None);
                }
                (None, Some(other)) if !is_default(kind, key, other, |key| counterpart.get(key)) => {
                    self.missing(here, key, None, Some(other));
                }
                _ => {}
            }
        }
        self.within.pop();
    }

    /// Whether both schemas, without an `allOf` of one part around either, have an `allOf` of several parts, or neither
    /// has: one remaining part is not equal to several.
    fn are_as_many(&self, ours: &'a Value, theirs: &'a Value) -> bool {
        let ours = self.resolve(ours, String::new(), true).map(|(ours, _)| ours);
        let theirs = Counterpart::resolve(self.code, theirs, true).map(|theirs| theirs.value);
        let [ours, theirs] = [ours, theirs].map(|side| side.is_some_and(|schema| schema.get("allOf").is_some()));
        ours == theirs
    }

    /// Follows the references at the head of a node of the contract and, with `parts`, each `allOf` of one part.
    fn resolve(&self, mut value: &'a Value, mut at: String, parts: bool) -> Option<(&'a Value, String)> {
        for _ in 0..=pointer::MAX_HOPS {
            (value, at) = pointer::resolve(self.contract, value, at)?;
            let Some(part) = only_part(value).filter(|_| parts) else { return Some((value, at)) };
            (value, at) = (part, at + "/allOf/0");
        }
        None
    }

    fn keyword(&mut self, kind: Kind, key: &'a str, ours: &'a Value, at: String, theirs: &'a Value) {
        // These steps add nothing for people: more specific ones follow.
        let silent = matches!(key, "schema" | "content" | "properties" | "responses" | "headers");
        let label = if key == "requestBody" { "body" } else { key };
        let shape = kind.keyword_in(key, Profile::Standard).unwrap_or(Shape::Any);
        let inner = |walk: &mut Self| match (shape, ours, theirs) {
            (Shape::One(kind), _, _) => walk.object(kind, ours, at, theirs),
            (Shape::SchemaOrFlag, Value::Object(_), Value::Object(_)) => walk.object(Kind::Schema, ours, at, theirs),
            (Shape::SchemaOrFlag, _, _) if admits_anything(ours) && admits_anything(theirs) => {}
            (Shape::Map(kind), Value::Object(mine), Value::Object(others)) => walk.map(kind, key, mine, &at, others),
            (Shape::Statuses, Value::Object(mine), Value::Object(others)) => {
                walk.map(Kind::Response, key, mine, &at, others);
            }
            (Shape::List(kind), Value::Array(mine), Value::Array(others)) => walk.list(kind, mine, &at, others),
            (Shape::Texts | Shape::Values, Value::Array(mine), Value::Array(others)) => {
                if !same_set(mine, others) {
                    walk.report(DriftKind::SetDiffers, at, Some(ours), Some(theirs));
                }
            }
            _ if kind == Kind::Schema && key == "type" && same_type(ours, theirs) => {}
            _ if same(ours, theirs) => {}
            _ => walk.report(DriftKind::Differs, at, Some(ours), Some(theirs)),
        };
        if silent { inner(self) } else { self.step(label, inner) }
    }

    /// Members are paired by name, headers and media types in any case. The loader refuses two names of the contract that
    /// differ in case alone; of two such names of the code, one is a drift.
    fn map(&mut self, kind: Kind, key: &str, ours: &'a Map<String, Value>, at: &str, theirs: &'a Map<String, Value>) {
        let mut groups: BTreeMap<Cow<'a, str>, (Option<&'a str>, Vec<&'a str>)> = BTreeMap::new();
        for name in ours.keys() {
            groups.entry(folded(kind, name)).or_default().0 = Some(name);
        }
        for name in theirs.keys() {
            groups.entry(folded(kind, name)).or_default().1.push(name);
        }
        let label = |name: &'a str| match key {
            "headers" => Cow::Owned(format!("header {name}")),
            _ => Cow::Borrowed(name),
        };
        for (own, mut others) in groups.into_values() {
            if let Some(own) = own {
                let exact = others.iter().position(|name| *name == own).unwrap_or_default();
                let counterpart = (!others.is_empty()).then(|| others.remove(exact));
                match (ours.get(own), counterpart.and_then(|name| theirs.get(name))) {
                    (Some(mine), Some(other)) => {
                        self.step(label(own), |walk| walk.object(kind, mine, join(at, own), other));
                    }
                    (mine, _) => self.missing(join(at, own), label(own), mine, None),
                }
            }
            for name in others {
                self.missing(join(at, name), label(name), None, theirs.get(name));
            }
        }
    }

    /// Lists of schemas are compared in order: generators depend on it.
    fn list(&mut self, kind: Kind, ours: &'a [Value], at: &str, theirs: &'a [Value]) {
        for index in 0..ours.len().max(theirs.len()) {
            let label = index.to_string();
            let here = join(at, if index < ours.len() { &label } else { "-" });
            match (ours.get(index), theirs.get(index)) {
                (Some(mine), Some(other)) => self.step(label, |walk| walk.object(kind, mine, here, other)),
                (mine, other) => self.missing(here, label, mine, other),
            }
        }
    }
}

/// With `parts`, a schema without an `allOf` of one part around it.
fn bare(parts: bool, mut schema: &Value, mut at: String) -> (&Value, String) {
    while let Some(part) = only_part(schema).filter(|_| parts) {
        (schema, at) = (part, at + "/allOf/0");
    }
    (schema, at)
}

/// Members that `document` compares.
fn is_compared_apart(kind: Kind, key: &str) -> bool {
    match kind {
        Kind::Document => matches!(key, "paths" | "components"),
        Kind::PathItem => key == "parameters" || Method::ALL.iter().any(|method| method.key() == key),
        Kind::Operation => key == "parameters",
        _ => false,
    }
}
