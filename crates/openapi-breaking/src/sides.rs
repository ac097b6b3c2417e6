//! A node of both releases.

use std::collections::BTreeMap;

use serde_json::Value;

use openapi_contract::equivalence::same;
use openapi_contract::pointer::{self, join};

/// A node that is not in the document.
static ABSENT: Value = Value::Null;

/// A node of one release.
#[derive(Debug, Clone)]
pub(super) struct Side<'a> {
    document: &'a Value,
    pub(super) value: &'a Value,
    /// The pointer of the node.
    pub(super) at: String,
    /// The references that lead to it, with their pointers: prose may be beside them.
    references: Vec<(&'a Value, String)>,
}

/// A node of the old and of the new release.
#[derive(Debug, Clone)]
pub(super) struct Sides<'a>(pub(super) [Side<'a>; 2]);

impl<'a> Side<'a> {
    pub(super) fn root(document: &'a Value) -> Side<'a> {
        Side::of(document, document, String::new())
    }

    fn of(document: &'a Value, value: &'a Value, at: String) -> Side<'a> {
        Side { document, value, at, references: Vec::new() }
    }

    pub(super) fn get(&self, key: &str) -> Option<Side<'a>> {
        Some(Side::of(self.document, self.value.get(key)?, join(&self.at, key)))
    }

    /// The member `key`, or an absent node where it would be.
    pub(super) fn member(&self, key: &str) -> Side<'a> {
        self.get(key).unwrap_or_else(|| Side::of(self.document, &ABSENT, join(&self.at, key)))
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&'a str, Side<'a>)> + use<'a> {
        let (document, at) = (self.document, self.at.clone());
        let members = self.value.as_object().into_iter().flatten();
        members.map(move |(key, value)| (key.as_str(), Side::of(document, value, join(&at, key))))
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Side<'a>> + use<'a> {
        let (document, at) = (self.document, self.at.clone());
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(move |(index, value)| Side::of(document, value, join(&at, &index.to_string())))
    }

    /// The target of its reference, if it is one to this document.
    pub(super) fn target(&self) -> Option<Side<'a>> {
        let at = pointer::local(pointer::reference(self.value)?)?;
        Some(Side::of(self.document, pointer::find(self.document, &at)?, at))
    }

    /// The node with the references at its head followed.
    pub(super) fn followed(&self) -> Side<'a> {
        let references = pointer::references(self.document, self.value, &self.at);
        match pointer::resolve(self.document, self.value, self.at.clone()) {
            Some((value, at)) => Side { document: self.document, value, at, references },
            None => Side { references, ..self.clone() },
        }
    }

    /// The pointer where the node is listed: the place of a part that is added or removed.
    pub(super) fn site(&self) -> &str {
        self.references.first().map_or(&self.at, |(_, at)| at)
    }

    /// The text under a key; empty if there is none.
    pub(super) fn text(&self, key: &str) -> &'a str {
        self.value.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.value.get(key) == Some(&Value::Bool(true))
    }

    /// `style`, whose default depends on the location.
    pub(super) fn style(&self, location: &str) -> &'a str {
        let default = if matches!(location, "path" | "header") { "simple" } else { "form" };
        self.value.get("style").and_then(Value::as_str).unwrap_or(default)
    }

    /// `explode`, whose default depends on `style`.
    pub(super) fn explode(&self, location: &str) -> bool {
        self.value.get("explode").and_then(Value::as_bool).unwrap_or_else(|| self.style(location) == "form")
    }
}

impl<'a> Sides<'a> {
    /// A member of `owner`, absent on one side if only the other one has it.
    pub(super) fn of(sides: [Option<Side<'a>>; 2], owner: &Sides<'a>, key: &str) -> Sides<'a> {
        let Sides([old_owner, new_owner]) = owner;
        let [old, new] = sides;
        Sides([old.unwrap_or_else(|| old_owner.member(key)), new.unwrap_or_else(|| new_owner.member(key))])
    }

    pub(super) fn map<T>(&self, f: impl Fn(&Side<'a>) -> T) -> [T; 2] {
        [f(&self.0[0]), f(&self.0[1])]
    }

    /// Which sides have the node.
    pub(super) fn exist(&self) -> [bool; 2] {
        self.map(|side| !side.value.is_null())
    }

    /// The pointers where the node is listed.
    pub(super) fn sites(&self) -> [String; 2] {
        self.map(|side| side.site().to_owned())
    }

    /// The pointers of the member `key`.
    pub(super) fn at(&self, key: &str) -> [String; 2] {
        self.map(|side| join(&side.at, key))
    }

    pub(super) fn get(&self, key: &str) -> [Option<&'a Value>; 2] {
        self.map(|side| side.value.get(key))
    }

    pub(super) fn flags(&self, key: &str) -> [bool; 2] {
        self.map(|side| side.flag(key))
    }

    /// The keys of both objects, some twice.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.map(|side| side.value.as_object())
            .into_iter()
            .flatten()
            .flat_map(|members| members.keys())
            .map(String::as_str)
    }

    pub(super) fn member(&self, key: &str) -> Sides<'a> {
        Sides(self.map(|side| side.member(key)))
    }

    /// The node with the references at its head followed.
    pub(super) fn followed(&self) -> Sides<'a> {
        Sides(self.map(Side::followed))
    }

    /// The references that lead to the node, each with its counterpart.
    pub(super) fn references(&self) -> Vec<Sides<'a>> {
        let reference = |side: &Side<'a>, index: usize| match side.references.get(index) {
            Some((reference, at)) => Side::of(side.document, reference, at.clone()),
            None => Side::of(side.document, &ABSENT, side.site().to_owned()),
        };
        let most = self.map(|side| side.references.len()).into_iter().max().unwrap_or_default();
        (0..most).map(|index| Sides(self.map(|side| reference(side, index)))).collect()
    }
}

/// Pairs what both sides have under the same key. Of a key that is given twice, the first counts.
pub(super) fn paired<K: Ord, T>(sides: [impl IntoIterator<Item = (K, T)>; 2]) -> BTreeMap<K, [Option<T>; 2]> {
    let mut paired: BTreeMap<K, [Option<T>; 2]> = BTreeMap::new();
    for (side, items) in sides.into_iter().enumerate() {
        for (key, item) in items {
            if let Some(found) = paired.entry(key).or_insert([None, None]).get_mut(side) {
                found.get_or_insert(item);
            }
        }
    }
    paired
}

/// Whether both values are equal in meaning, or both are absent.
pub(super) fn both_same(values: [Option<&Value>; 2]) -> bool {
    match values {
        [Some(a), Some(b)] => same(a, b),
        [None, None] => true,
        _ => false,
    }
}
