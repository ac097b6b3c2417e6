//! Which node of the contract a node of the generated spec corresponds to.
//!
//! Both documents are walked together, with references followed on both sides and parameters matched by location and name.
//! A shared node corresponds to every node that refers to it.

use std::collections::{BTreeSet, HashMap, HashSet};

use openapi_contract::Kind;
use serde_json::Value;

use crate::mutate::{Edit, Mutation, Operator, join};
use crate::vocabulary::{Context, METHODS};

/// Pointers of the generated spec, each with the corresponding pointers of the contract.
pub(crate) struct Counterparts<'a> {
    contract: &'a Value,
    code: &'a Value,
    of: HashMap<String, BTreeSet<String>>,
    seen: HashSet<(String, String)>,
}

impl<'a> Counterparts<'a> {
    pub(crate) fn new(contract: &'a Value, code: &'a Value) -> Counterparts<'a> {
        let mut counterparts = Counterparts { contract, code, of: HashMap::new(), seen: HashSet::new() };
        counterparts.node(Context::Object(Kind::Document), "", "");
        counterparts
    }

    fn is(&mut self, theirs: &str, ours: &str) {
        self.of.entry(theirs.to_owned()).or_default().insert(ours.to_owned());
    }

    fn node(&mut self, context: Context, theirs: &str, ours: &str) {
        self.is(theirs, ours);
        let (their_end, our_end) = (end(self.code, theirs), end(self.contract, ours));
        for (theirs, ours) in [(theirs, &*our_end), (&*their_end, ours), (&*their_end, &*our_end)] {
            self.is(theirs, ours);
        }
        if theirs != their_end {
            self.is(&join(theirs, "$ref"), &join(ours, "$ref"));
            self.is(&join(theirs, "$ref"), &our_end);
        }
        if !self.seen.insert((theirs.to_owned(), our_end.clone())) {
            return;
        }
        for from in BTreeSet::from([theirs.to_owned(), their_end]) {
            match self.code.pointer(&from) {
                Some(Value::Object(members)) => {
                    for key in members.keys().filter(|key| *key != "$ref") {
                        let is_parameters = context.child(key) == Context::List(Kind::Parameter);
                        if is_parameters {
                            self.parameters(&from, &our_end);
                        } else {
                            self.node(context.child(key), &join(&from, key), &join(&our_end, key));
                        }
                    }
                }
                Some(Value::Array(items)) => {
                    for index in 0..items.len() {
                        let index = index.to_string();
                        self.node(context.child(&index), &join(&from, &index), &join(&our_end, &index));
                    }
                }
                _ => {}
            }
        }
    }

    fn parameters(&mut self, theirs: &str, ours: &str) {
        let list = join(ours, "parameters");
        self.is(&join(theirs, "parameters"), &list);
        let item = ours.rsplit_once('/').map_or("", |(item, _)| item);
        let count = self.code.pointer(&join(theirs, "parameters")).and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..count {
            let one = join(&join(theirs, "parameters"), &index.to_string());
            let identity = |document: &Value, at: &str| {
                ["in", "name"].map(|key| document.pointer(&join(&end(document, at), key)).cloned())
            };
            let wanted = identity(self.code, &one);
            let site = [list.clone(), join(item, "parameters")].into_iter().find_map(|list| {
                let length = self.contract.pointer(&list)?.as_array()?.len();
                let sites = (0..length).map(|index| join(&list, &index.to_string()));
                sites.into_iter().find(|site| identity(self.contract, site) == wanted)
            });
            self.node(Context::Object(Kind::Parameter), &one, &site.unwrap_or_else(|| join(&list, "-")));
        }
    }

    fn of(&self, theirs: &str) -> BTreeSet<String> {
        self.of.get(theirs).cloned().unwrap_or_else(|| BTreeSet::from([theirs.to_owned()]))
    }

    /// Where a mutation of the generated spec must be reported, by the same rules as in `place`.
    pub(crate) fn places(&self, mutation: &Mutation) -> BTreeSet<String> {
        let (owner, token) = mutation.step();
        let parent = mutation.parent();
        let (parents, mut places) = (self.of(&parent), self.of(&mutation.original()));
        let below = |key: &str| parents.iter().map(|parent| join(parent, key)).collect::<Vec<_>>();
        match &mutation.edit {
            Edit::Remove => places.extend(parents.iter().cloned()),
            Edit::Rename(name) => places.extend(below(name)),
            _ => {}
        }
        places.extend(below(token));
        match owner {
            Context::Set => places.extend(parents.iter().cloned()),
            Context::List(_) => {
                places.extend(below("-"));
                places.extend(parents.iter().cloned());
            }
            Context::Object(Kind::Parameter) if matches!(token, "name" | "in") => {
                places.extend(parents.iter().cloned());
                places.extend(self.lists(&parent));
            }
            Context::Object(Kind::PathItem) if token == "parameters" => {
                // The operations inherit them, and the comparison is by operation.
                let own = |parent: &String| METHODS.map(|method| join(&join(&join(parent, method), "parameters"), "-"));
                places.extend(parents.iter().flat_map(own));
            }
            Context::Object(Kind::Operation) if token == "parameters" => {
                let inherited = parents.iter().filter_map(|parent| parent.rsplit_once('/')).map(|(item, _)| item);
                let lists: Vec<_> =
                    parents.iter().map(String::as_str).chain(inherited).map(|at| join(at, "parameters")).collect();
                let items = |list: &String| {
                    let length = self.contract.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
                    let named = (0..length).map(|index| index.to_string()).chain(["-".to_owned()]);
                    named.map(|name| join(list, &name)).collect::<Vec<_>>()
                };
                places.extend(lists.iter().flat_map(items));
            }
            // Another schema differs inside.
            _ if token == "$ref" => places.extend(parents.iter().cloned()),
            _ => {}
        }
        places
    }

    /// The places of the new value, any part of which is right.
    pub(crate) fn put(&self, mutation: &Mutation) -> Vec<String> {
        let (_, token) = mutation.step();
        let parents = self.of(&mutation.parent()).into_iter();
        match &mutation.edit {
            Edit::Remove | Edit::Rename(_) | Edit::Duplicate => Vec::new(),
            Edit::Set(_) if token == "$ref" => parents.collect(),
            Edit::Set(_) => self.of(&mutation.original()).into_iter().collect(),
            Edit::Add(_) => parents.map(|parent| join(&parent, token)).collect(),
        }
    }

    fn lists(&self, parameter: &str) -> Vec<String> {
        let list = parameter.rsplit_once('/').map_or("", |(list, _)| list);
        self.of(list).iter().map(|list| join(list, "-")).collect()
    }

    /// Where a dangling reference must be reported: at the node that it replaces.
    pub(crate) fn site(&self, theirs: &str) -> Option<BTreeSet<String>> {
        theirs.strip_suffix("/$ref").map(|site| self.of(site))
    }
}

/// Whether a mutant of the spec has the same meaning as the spec: JSON keys and items of a set occur once, and a sibling
/// of a reference may repeat what is at the target.
pub(crate) fn is_equivalent(code: &Value, mutation: &Mutation) -> bool {
    let (owner, token) = mutation.step();
    match &mutation.edit {
        Edit::Duplicate => true,
        Edit::Add(_) if mutation.operator == Operator::Duplicate => owner == Context::Set,
        Edit::Add(value) => code.pointer(&join(&end(code, &mutation.parent()), token)) == Some(value),
        _ => false,
    }
}

/// The pointer of a node with its references followed.
fn end(document: &Value, pointer: &str) -> String {
    let mut pointer = pointer.to_owned();
    for _ in 0..32 {
        let node = document.pointer(&pointer);
        match node.and_then(|node| node.get("$ref")).and_then(Value::as_str) {
            Some(target) => pointer = target.trim_start_matches('#').to_owned(),
            None => break,
        }
    }
    pointer
}
