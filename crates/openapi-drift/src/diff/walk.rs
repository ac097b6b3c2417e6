//! Goes through two objects side by side: the engine of the comparison, the same for every kind of object.
//!
//! The unit of work is a *pair*: a node of the contract and the node of the code's spec that should be its twin. What
//! stands inline is compared on the spot; where either side is a reference, what it leads to is queued as a pair of
//! its own, once. So recursive schemas end, shared components are compared once however often they are used, and the
//! depth of recursion is that of the text. What must be brought together first stands in `document`; `told` makes drifts
//! of what was found.

mod told;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::drift::{Drift, DriftKind};
use super::not_compared;
use super::same::{admits_anything, is_default, only_part, same_in_any_case, same_set, same_type};
use super::twin::Twin;
use openapi_contract::equivalence::{folded, same};
use openapi_contract::grammar::Shape;
use openapi_contract::method::Method;
use openapi_contract::pointer::{self, join};
use openapi_contract::{Contract, Kind};

/// How a pair was come upon.
#[derive(Clone, Default)]
pub(super) struct Trail {
    /// The pair that was being compared.
    pub(super) from: usize,
    /// Readable steps from the operation.
    place: Vec<String>,
    /// The references followed, outermost first.
    pub(super) crossed: Vec<Crossing>,
}

/// Where a reference of either side was followed.
#[derive(Clone)]
pub(super) struct Crossing {
    /// The contract's pointer.
    pub(super) site: String,
    /// Whether the contract refers there; else only the code does.
    pub(super) is_contracts: bool,
}

pub(super) struct Pair<'a> {
    pub(super) kind: Kind,
    ours: &'a Value,
    pub(super) pointer: String,
    twin: Twin<'a>,
    pub(super) trails: Vec<Trail>,
}

/// A drift, before it is known everywhere it shows.
pub(super) struct Found {
    pub(super) pair: usize,
    kind: DriftKind,
    pub(super) pointer: String,
    /// Steps from the pair.
    place: Vec<String>,
    contract: Option<Value>,
    pub(super) code: Option<Value>,
    /// Where the code says it: its node, or the object that lacks one, with the steps from there.
    origin: (*const Value, String),
}

pub(super) struct Walk<'a> {
    pub(super) contract: &'a Value,
    pub(super) code: &'a Value,
    pub(super) pairs: Vec<Pair<'a>>,
    known: HashMap<(Kind, *const Value, *const Value), usize>,
    /// The pair being compared, and the steps taken inside it.
    current: usize,
    place: Vec<Cow<'a, str>>,
    /// The objects of both sides being compared, innermost last: the contract's pointer and the code's node.
    within: Vec<(String, *const Value)>,
    pub(super) found: Vec<Found>,
    /// Whether the pairs come from a trial, which only asks whether two nodes mean the same.
    trial: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(contract: &'a Value, code: &'a Value) -> Walk<'a> {
        Walk {
            contract,
            code,
            pairs: Vec::new(),
            known: HashMap::new(),
            current: 0,
            place: Vec::new(),
            within: Vec::new(),
            found: Vec::new(),
            trial: false,
        }
    }

    /// Every drift between two documents.
    pub(super) fn drifts(mut self, contract: &Contract) -> Vec<Drift> {
        self.queue(Kind::Document, self.contract, String::new(), Twin::of(self.code), Trail::default());
        self.run();
        self.told(contract)
    }

    /// Whether two nodes, either of which may be a reference, mean the same.
    pub(super) fn finds_nothing(self, kind: Kind, ours: &'a Value, theirs: &'a Value) -> bool {
        self.tried(kind, ours, theirs).is_some_and(|found| found.is_empty())
    }

    /// What two nodes differ in, either of which may be a reference; `None` if it leads nowhere.
    pub(super) fn tried(mut self, kind: Kind, ours: &'a Value, theirs: &'a Value) -> Option<Vec<Found>> {
        self.trial = true;
        let twin = Twin::resolve(self.code, theirs)?;
        let (ours, at) = pointer::resolve(self.contract, ours, String::new())?;
        self.queue(kind, ours, at, twin, Trail::default());
        self.run();
        Some(self.found)
    }

    /// Compares every pair that is queued, now or meanwhile.
    fn run(&mut self) {
        while let Some(pair) = self.pairs.get(self.current) {
            match pair.kind {
                Kind::Document => self.document(),
                kind => {
                    let (ours, pointer, twin) = (pair.ours, pair.pointer.clone(), pair.twin.clone());
                    self.members(kind, ours, &pointer, &twin);
                }
            }
            self.current += 1;
        }
    }

    fn queue(&mut self, kind: Kind, ours: &'a Value, pointer: String, twin: Twin<'a>, trail: Trail) {
        let key = (kind, std::ptr::from_ref(ours), twin.identity);
        let new = self.pairs.len();
        let index = *self.known.entry(key).or_insert(new);
        match self.pairs.get_mut(index) {
            Some(pair) => pair.trails.push(trail),
            None => self.pairs.push(Pair { kind, ours, pointer, twin, trails: vec![trail] }),
        }
    }

    /// Takes one step, for the reader of a message, around `inside`.
    pub(super) fn step(&mut self, label: impl Into<Cow<'a, str>>, inside: impl FnOnce(&mut Self)) {
        self.place.push(label.into());
        inside(self);
        self.place.pop();
    }

    pub(super) fn report(&mut self, kind: DriftKind, pointer: String, contract: Option<&Value>, code: Option<&Value>) {
        let pair = self.current;
        let place = self.place.iter().map(|step| step.clone().into_owned()).collect();
        let origin = match code {
            Some(node) => (std::ptr::from_ref(node), String::new()),
            None => {
                let (at, node) =
                    self.within.last().map_or(("", std::ptr::from_ref(self.code)), |(at, node)| (at, *node));
                (node, pointer.strip_prefix(at).unwrap_or_default().to_owned())
            }
        };
        let (contract, code) = (contract.cloned(), code.cloned());
        self.found.push(Found { pair, kind, pointer, place, contract, code, origin });
    }

    /// One node is all there is to say where a side lacks it.
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
        let (ours, site) = if self.are_as_many(ours, theirs) { bare(kind, ours, site) } else { (ours, site) };
        let theirs = if self.are_as_many(ours, theirs) { bare(kind, theirs, String::new()).0 } else { theirs };
        let Some((value, pointer)) = pointer::resolve(self.contract, ours, site.clone()) else {
            // The loader lets no such contract through.
            return;
        };
        let Some(twin) = Twin::resolve(self.code, theirs) else {
            self.report(DriftKind::Dangling, site, Some(ours), Some(theirs));
            return;
        };
        let blank = |value, beside: &[_]| kind == Kind::Schema && beside.is_empty() && admits_anything(value);
        if blank(value, &[]) != blank(twin.value, &twin.beside) {
            // A schema against none at all is one fault, not one for each of its keywords.
            self.report(DriftKind::Differs, pointer, Some(ours), Some(theirs));
            return;
        }
        let (mine, other) = (pointer::reference(ours), pointer::reference(theirs));
        if mine.is_none() && other.is_none() {
            self.members(kind, value, &pointer, &twin);
            return;
        }
        if let (Some(mine), Some(other)) = (mine, other)
            && self.is_another_component(kind, (mine, value), (other, &twin))
        {
            self.report(DriftKind::Differs, join(&site, "$ref"), ours.get("$ref"), theirs.get("$ref"));
            return;
        }
        let mut trail = Trail::default();
        // The first way to a pair stands for all: others are listed for the pair that they lead to.
        if let Some(first) = self.pairs.get(self.current).and_then(|pair| pair.trails.first()) {
            trail = first.clone();
        }
        trail.from = self.current;
        // Long before this many steps nobody reads on, and a chain of components may be longer still.
        const MAX_STEPS: usize = 64;
        if trail.place.len() < MAX_STEPS {
            trail.place.extend(self.place.iter().map(|step| step.clone().into_owned()));
        }
        if trail.crossed.len() < MAX_STEPS {
            trail.crossed.push(Crossing { site, is_contracts: mine.is_some() });
        }
        self.queue(kind, value, pointer, twin, trail);
    }

    /// Whether both sides refer, by name, to different components of the contract that do not mean the same.
    ///
    /// Then the reference is the fault, and each difference between the two components would only hide it. If the
    /// contract has no component of the name that the code uses, the names are just chosen differently.
    fn is_another_component(&self, kind: Kind, ours: (&str, &'a Value), theirs: (&str, &Twin<'a>)) -> bool {
        let known = |reference| pointer::local(reference).is_some_and(|at| pointer::find(self.contract, &at).is_some());
        if self.trial || ours.0 == theirs.0 || !known(theirs.0) {
            return false;
        }
        let mut trial = Walk::new(self.contract, self.code);
        trial.trial = true;
        trial.queue(kind, ours.1, String::new(), theirs.1.clone(), Trail::default());
        trial.run();
        !trial.found.is_empty()
    }

    /// Compares the keywords of two objects.
    pub(super) fn members(&mut self, kind: Kind, ours: &'a Value, at: &str, twin: &Twin<'a>) {
        let is_part = only_part(ours).is_some() || only_part(twin.value).is_some();
        if kind == Kind::Schema && is_part && self.are_as_many(ours, twin.value) {
            return self.parts(ours, at, twin);
        }
        if !(ours.is_object() && twin.value.is_object()) {
            let both_admit = kind == Kind::Schema && admits_anything(ours) && admits_anything(twin.value);
            if !both_admit && !same(ours, twin.value) {
                self.report(DriftKind::Differs, at.to_owned(), Some(ours), Some(twin.value));
            }
            return;
        }
        let own = ours.as_object().into_iter().flat_map(|members| members.keys()).map(String::as_str);
        let mut keys: Vec<&str> = own.chain(twin.keys()).collect();
        keys.sort();
        keys.dedup();
        self.within.push((at.to_owned(), std::ptr::from_ref(twin.value)));
        for key in keys {
            if not_compared(kind, key) || is_compared_apart(kind, key) {
                continue;
            }
            let here = join(at, key);
            match (ours.get(key), twin.get(key)) {
                (Some(mine), Some(other)) if same_in_any_case(kind, key, ours, mine, other) => {}
                (Some(mine), Some(other)) => self.keyword(kind, key, mine, here, other),
                (Some(mine), None) if !is_default(kind, key, mine, |key| ours.get(key)) => {
                    self.missing(here, key, Some(mine), None);
                }
                (None, Some(other)) if !is_default(kind, key, other, |key| twin.get(key)) => {
                    self.missing(here, key, None, Some(other));
                }
                _ => {}
            }
        }
        self.within.pop();
    }

    /// Whether two schemas, without an `allOf` of one around either, are both put together of several, or neither is: one
    /// part of several that are left is not what the several were.
    fn are_as_many(&self, ours: &Value, theirs: &Value) -> bool {
        let are_several = |document, schema| {
            let mut schema = pointer::resolve(document, schema, String::new()).map(|(value, _)| value);
            for _ in 0..pointer::MAX_HOPS {
                let Some(part) = schema.and_then(only_part) else { break };
                schema = pointer::resolve(document, part, String::new()).map(|(value, _)| value);
            }
            schema.is_some_and(|schema| schema.get("allOf").is_some())
        };
        let is_part = only_part(ours).is_some() || only_part(theirs).is_some();
        !is_part || are_several(self.contract, ours) == are_several(self.code, theirs)
    }

    /// Compares two components of which one is only another name.
    fn parts(&mut self, ours: &'a Value, at: &str, twin: &Twin<'a>) {
        let (mut ours, mut at, mut twin) = (ours, at.to_owned(), twin.clone());
        for _ in 0..pointer::MAX_HOPS {
            let (part, site) = bare(Kind::Schema, ours, at.clone());
            let Some((value, found)) = pointer::resolve(self.contract, part, site) else { return };
            (ours, at) = (value, found);
            let (part, _) = bare(Kind::Schema, twin.value, String::new());
            let Some(mut inner) = Twin::resolve(self.code, part) else {
                return self.report(DriftKind::Dangling, at, Some(ours), Some(part));
            };
            inner.beside.splice(0..0, twin.beside);
            twin = inner;
            if only_part(ours).is_none() && only_part(twin.value).is_none() {
                return self.members(Kind::Schema, ours, &at, &twin);
            }
        }
    }

    fn keyword(&mut self, kind: Kind, key: &'a str, ours: &'a Value, at: String, theirs: &'a Value) {
        // What the reader of a message need not be told: each is followed by what tells more.
        let silent = matches!(key, "schema" | "content" | "properties" | "responses" | "headers");
        let label = if key == "requestBody" { "body" } else { key };
        let shape = kind.keyword(key).unwrap_or(Shape::Any);
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

    /// Members are found by name, headers and media types in any case. The loader lets no two of the contract differ in
    /// case alone; where two of the code do, one of them is too many.
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
                let twin = (!others.is_empty()).then(|| others.remove(exact));
                match (ours.get(own), twin.and_then(|name| theirs.get(name))) {
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

    /// Lists of schemas are compared in order: it is the order in which a reader, and a generator, meets them.
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

/// A schema without an `allOf` of one around it.
fn bare(kind: Kind, mut schema: &Value, mut at: String) -> (&Value, String) {
    while let Some(part) = only_part(schema).filter(|_| kind == Kind::Schema) {
        (schema, at) = (part, at + "/allOf/0");
    }
    (schema, at)
}

/// Members that are compared by a rule of their own, in `document`.
fn is_compared_apart(kind: Kind, key: &str) -> bool {
    match kind {
        Kind::Document => matches!(key, "paths" | "components"),
        Kind::PathItem => key == "parameters" || Method::ALL.iter().any(|method| method.key() == key),
        Kind::Operation => key == "parameters",
        _ => false,
    }
}
