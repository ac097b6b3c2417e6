//! Pairs paths, operations, parameters and components of both documents. [`Walk`] compares everything below them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde_json::Value;

use super::counterpart::Counterpart;
use super::drift::DriftKind;
use super::exclusions::not_compared;
use super::walk::Walk;
use openapi_contract::Kind;
use openapi_contract::grammar::Shape;
use openapi_contract::method::Method;
use openapi_contract::nodes::reached;
use openapi_contract::operation::is_planned;
use openapi_contract::paths::{self, Declared, Endpoint, Path};
use openapi_contract::pointer::{self, join};

impl<'a> Walk<'a> {
    /// Compares the two documents.
    pub(super) fn document(&mut self) {
        let (contract, code) = (self.contract, self.code);
        self.members(Kind::Document, contract, "", &Counterpart::of(code));
        if !code.is_object() {
            return;
        }
        match (contract.get("paths"), code.get("paths").filter(|paths| paths.is_object())) {
            (Some(ours), None) if paths::paths(contract).any(|path| is_required(&path)) => {
                self.missing("/paths".to_owned(), "paths", Some(ours), None);
            }
            (_, None) => {}
            _ => self.paths(),
        }
        self.components();
    }

    fn paths(&mut self) {
        let ours: HashMap<_, _> = paths::paths(self.contract).map(|path| (path.template, path)).collect();
        let theirs: HashMap<_, _> = paths::paths(self.code).map(|path| (path.template, path)).collect();
        let listed = self.code.get("paths").and_then(Value::as_object).into_iter().flatten();
        let templates: BTreeSet<&str> =
            ours.keys().copied().chain(listed.map(|(template, _)| template.as_str())).collect();
        for template in templates {
            let listed = pointer::find(self.code, &join("/paths", template));
            match (ours.get(template), theirs.get(template)) {
                (Some(ours), Some(theirs)) => {
                    self.path_item(ours, theirs);
                    if Counterpart::resolve(self.code, listed.unwrap_or(theirs.item), false)
                        .is_some_and(|counterpart| !counterpart.beside.is_empty())
                    {
                        // OpenAPI does not define members beside the reference of a path item (§4.8.9), so they are a drift.
                        self.missing(ours.site.clone(), template, None, listed);
                    }
                }
                (Some(ours), None) if listed.is_none() => {
                    if is_required(ours) {
                        self.missing(ours.site.clone(), template, Some(ours.item), None);
                    }
                }
                (None, Some(theirs)) => self.missing(theirs.site.clone(), template, None, Some(theirs.item)),
                (_, None) => self.step(template, |walk| {
                    let site = join("/paths", template);
                    walk.report(DriftKind::Dangling, site, None, listed);
                }),
            }
        }
    }

    fn path_item(&mut self, ours: &Path<'a>, theirs: &Path<'a>) {
        let counterpart = Counterpart::of(theirs.item);
        self.step(ours.template, |walk| walk.members(Kind::PathItem, ours.item, &ours.pointer, &counterpart));
        for method in Method::ALL {
            let of = |path: &Path<'a>| path.endpoints().find(|endpoint| endpoint.method == method);
            let label = format!("{method} {}", ours.template);
            match (of(ours), of(theirs)) {
                (Some(mine), Some(other)) if is_planned(mine.operation) => {
                    let status = mine.operation.get("x-status");
                    let pointer = join(&mine.pointer, "x-status");
                    let code = other.operation.get("operationId");
                    self.step(label, |walk| walk.report(DriftKind::NotPlanned, pointer, status, code));
                }
                (Some(mine), Some(other)) => self.step(label, |walk| {
                    walk.members(Kind::Operation, mine.operation, &mine.pointer, &Counterpart::of(other.operation));
                    walk.parameters((ours, &mine), (theirs, &other));
                }),
                (Some(mine), None) if !is_planned(mine.operation) => {
                    self.missing(mine.pointer, label, Some(mine.operation), None);
                }
                (None, Some(other)) => {
                    let pointer = join(&ours.pointer, method.key());
                    self.missing(pointer, label, None, Some(other.operation));
                }
                (_, None) => {}
            }
        }
    }

    /// Parameters are paired by location and name, in any order, on the operation or on the path item.
    fn parameters(&mut self, ours: (&Path<'a>, &Endpoint<'a>), theirs: (&Path<'a>, &Endpoint<'a>)) {
        let mut others: BTreeMap<_, VecDeque<_>> = BTreeMap::new();
        for other in theirs.0.parameters(self.code, theirs.1) {
            others.entry(other.key()).or_default().push_back(other);
        }
        let would_be = join(&join(&ours.1.pointer, "parameters"), "-");
        for one in ours.0.parameters(self.contract, ours.1) {
            let label = label_of(&one);
            match others.get_mut(&one.key()).and_then(VecDeque::pop_front) {
                Some(other) => {
                    self.step(label, |walk| walk.object(Kind::Parameter, one.listed, one.site, other.listed))
                }
                None => self.missing(one.site, label, Some(one.parameter), None),
            }
        }
        for other in others.into_values().flatten() {
            self.missing(would_be.clone(), label_of(&other), None, Some(other.parameter));
        }
        self.unreadable([theirs.0.item, theirs.1.operation], &would_be);
    }

    /// Reports list items of the code that are not parameters.
    fn unreadable(&mut self, owners: [&'a Value; 2], would_be: &str) {
        for list in owners.into_iter().filter_map(|owner| owner.get("parameters")) {
            let items = list.as_array().map_or(std::slice::from_ref(list), Vec::as_slice);
            for item in items {
                let named = |item: &Counterpart<'_>| {
                    ["in", "name"].iter().all(|key| item.get(key).is_some_and(Value::is_string))
                };
                let kind = match Counterpart::resolve(self.code, item, false) {
                    None => DriftKind::Dangling,
                    Some(item) if !named(&item) => DriftKind::MissingInContract,
                    Some(_) => continue,
                };
                self.step("parameters", |walk| walk.report(kind, would_be.to_owned(), None, Some(item)));
            }
        }
    }

    /// Components are compared where a path uses them. Of those that none uses, only schemas are compared, by name, since
    /// [`super::exclusions::NOT_COMPARED`] has the other sections.
    fn components(&mut self) {
        let nothing = &Value::Null;
        let ours = self.contract.get("components").unwrap_or(nothing);
        let theirs = self.code.get("components").unwrap_or(nothing);
        let follows = |kind, key: &str| !not_compared(kind, key);
        let used = [self.contract, self.code].map(|document| {
            let paths = document.get("paths").unwrap_or(nothing);
            reached(document, Shape::Map(Kind::PathItem), paths, follows)
        });
        for section in names(ours, theirs) {
            if not_compared(Kind::Components, section) {
                continue;
            }
            let at = join("/components", section);
            let [ours, theirs] = [ours, theirs].map(|side| side.get(section).unwrap_or(nothing));
            for name in names(ours, theirs) {
                let pointer = join(&at, name);
                let [used, used_there] = [&used[0], &used[1]].map(|used| used.contains(&pointer));
                match (ours.get(name), theirs.get(name)) {
                    (Some(_), Some(_)) if used && used_there => {}
                    (Some(_), None) if used => {}
                    (None, Some(_)) if used_there => {}
                    (Some(mine), Some(other)) => self.step(section, |walk| {
                        walk.step(name, |walk| walk.object(Kind::Schema, mine, pointer, other));
                    }),
                    (mine, other) => self.step(section, |walk| walk.missing(pointer, name, mine, other)),
                }
            }
        }
    }
}

/// Whether the code must have a path: one of its operations is not planned.
fn is_required(path: &Path<'_>) -> bool {
    let mut operations = path.endpoints().peekable();
    operations.peek().is_none() || operations.any(|endpoint| !is_planned(endpoint.operation))
}

fn label_of(declared: &Declared<'_>) -> String {
    format!("{} {}", declared.location, declared.name)
}

/// The names that either of two objects has.
fn names<'a>(a: &'a Value, b: &'a Value) -> BTreeSet<&'a str> {
    let of = |side: &'a Value| side.as_object().into_iter().flat_map(|members| members.keys());
    of(a).chain(of(b)).map(String::as_str).collect()
}
