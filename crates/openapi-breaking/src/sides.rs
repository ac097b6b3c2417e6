//! A node of both releases.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::subschema::Subschema;
use openapi_contract::equivalence::same;
use openapi_contract::pointer::{self, join};

/// A node that is not in the document.
static ABSENT: Value = Value::Null;

/// A node of one release, with the references at its head followed.
#[derive(Debug, Clone)]
pub(super) struct Side<'a> {
    pub(super) value: &'a Value,
    /// The pointer of the node.
    pub(super) at: String,
    /// The pointer where it is listed, which may be a reference: the place of a part that is added or removed.
    pub(super) site: String,
    /// The references that lead to it, with their pointers: prose may be beside them.
    pub(super) references: Vec<(&'a Value, String)>,
}

/// A node of the old and of the new release.
#[derive(Debug, Clone)]
pub(super) struct Sides<'a>(pub(super) [Side<'a>; 2]);

impl<'a> Side<'a> {
    /// A node that is no reference. Without a value the node is absent, and this is where it would be.
    pub(super) fn plain(value: Option<&'a Value>, at: String) -> Side<'a> {
        Side { value: value.unwrap_or(&ABSENT), site: at.clone(), at, references: Vec::new() }
    }

    /// A node with the references at its head followed.
    pub(super) fn follow(document: &'a Value, value: Option<&'a Value>, site: String) -> Side<'a> {
        let Some(value) = value else { return Side::plain(None, site) };
        let references = pointer::references(document, value, &site);
        let (value, at) = pointer::resolve(document, value, site.clone()).unwrap_or_else(|| (value, site.clone()));
        Side { value, at, site, references }
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.value.get(key) == Some(&Value::Bool(true))
    }

    /// The schema under `schema`.
    pub(super) fn schema(&self) -> Subschema<'a> {
        Subschema::member(self.value, &self.at, "schema")
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
    /// A node that may be absent on one side, where it would be at this pointer.
    pub(super) fn of([old, new]: [Option<Side<'a>>; 2], [old_at, new_at]: [String; 2]) -> Sides<'a> {
        let or_absent = |side: Option<Side<'a>>, at| side.unwrap_or_else(|| Side::plain(None, at));
        Sides([or_absent(old, old_at), or_absent(new, new_at)])
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
        self.map(|side| side.site.clone())
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

    /// The member `key`, which is no reference.
    pub(super) fn member(&self, key: &str) -> Sides<'a> {
        Sides(self.map(|side| Side::plain(side.value.get(key), join(&side.at, key))))
    }

    /// The references that lead to the node, each with its counterpart.
    pub(super) fn references(&self) -> Vec<Sides<'a>> {
        let reference = |side: &Side<'a>, index: usize| match side.references.get(index) {
            Some((reference, at)) => Side::plain(Some(reference), at.clone()),
            None => Side::plain(None, side.site.clone()),
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
