//! What a schema accepts, independent of how it is written.
//!
//! An [`EffectiveSchema`] is the conjunction of everything that applies: references are followed, `allOf` is merged, a
//! single alternative is that alternative. `null` is kept apart from the types, so that all its spellings are
//! one: `type: [string, 'null']`, an alternative `type: 'null'`, `null` in an `enum` or as a `const`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use crate::rule::Direction;
use crate::sides::Side;
use crate::subschema::{Subschema, accepts_null, is_null, only_refers};
use crate::types::Types;
use openapi_contract::equivalence::{canonical, set};
use openapi_contract::pointer::{self, join};

/// `oneOf` or `anyOf`, without the alternative `null`.
#[derive(Debug, Clone)]
pub(super) struct Union<'a> {
    pub(super) keyword: &'static str,
    pub(super) at: String,
    pub(super) variants: Vec<Subschema<'a>>,
}

/// Everything that applies to a value.
#[derive(Debug)]
pub(super) struct EffectiveSchema<'a> {
    /// Objects with their references followed, the outermost first.
    pub(super) parts: Vec<Side<'a>>,
    pub(super) unions: Vec<Union<'a>>,
    /// Whether `null` is valid.
    pub(super) null: bool,
    /// References that cannot be followed: their targets are unknown.
    pub(super) foreign: Vec<&'a str>,
    /// Whether no value except `null` is valid: `false`, or only alternatives that are `null`.
    pub(super) never: bool,
    /// The pointer of the schema.
    pub(super) at: String,
}

/// What an object allows besides the properties that it lists. The strictest comes first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unlisted {
    Nothing,
    /// What matches a schema.
    Schema,
    Anything,
}

/// The most parts that are read. Only documents made to be difficult have more.
const MAX_PARTS: usize = 256;

impl<'a> EffectiveSchema<'a> {
    pub(super) fn of(schema: &Subschema<'a>) -> EffectiveSchema<'a> {
        let mut known = HashMap::new();
        let mut effective = EffectiveSchema {
            parts: Vec::new(),
            unions: Vec::new(),
            foreign: Vec::new(),
            null: schema.nodes.iter().all(|node| accepts_null(node, &mut known)),
            never: false,
            at: schema.at.clone(),
        };
        let mut read = HashSet::new();
        let mut next: Vec<Side<'a>> = schema.nodes.iter().rev().cloned().collect();
        while let Some(node) = next.pop() {
            if !read.insert(node.at.clone()) || read.len() > MAX_PARTS {
                continue;
            }
            effective.never |= node.value == &Value::Bool(false);
            for (key, member) in node.members() {
                match (key, member.value) {
                    ("$ref", Value::String(target)) => match node.target() {
                        Some(target) => next.push(target),
                        None => effective.foreign.push(target),
                    },
                    ("allOf", Value::Array(_)) => {
                        next.extend(member.items().collect::<Vec<_>>().into_iter().rev());
                    }
                    ("oneOf" | "anyOf", Value::Array(_)) => {
                        let union = Union::of(if key == "oneOf" { "oneOf" } else { "anyOf" }, &member);
                        match union.variants.as_slice() {
                            [only] => next.extend(only.nodes.iter().cloned()),
                            // Only `null`.
                            [] => effective.never = true,
                            _ => effective.unions.push(union),
                        }
                    }
                    _ => {}
                }
            }
            if node.value.is_object() && !(only_refers(node.value) && pointer::reference(node.value).is_some()) {
                effective.parts.push(node);
            }
        }
        effective
    }

    /// Whether a property with this schema is excluded from this direction.
    pub(super) fn hides(schema: &Subschema<'a>, direction: Direction) -> bool {
        let key = if direction == Direction::Response { "writeOnly" } else { "readOnly" };
        EffectiveSchema::of(schema).flag(key)
    }

    /// The first value of a keyword.
    pub(super) fn value(&self, key: &str) -> Option<Side<'a>> {
        self.values(key).next()
    }

    /// Every value of a keyword.
    pub(super) fn values<'k>(&'k self, key: &'k str) -> impl Iterator<Item = Side<'a>> + 'k {
        self.parts.iter().filter_map(move |part| part.get(key))
    }

    /// Whether a boolean keyword is `true`.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.values(key).any(|found| found.value == &Value::Bool(true))
    }

    /// The pointer of the first part.
    pub(super) fn pointer(&self) -> String {
        self.parts.first().map_or(&self.at, |part| &part.at).clone()
    }

    /// The pointer where a keyword is, or would be.
    pub(super) fn place(&self, key: &str) -> String {
        self.value(key).map_or_else(|| join(&self.pointer(), key), |found| found.at)
    }

    /// The valid types, except `null`: those that every part accepts.
    pub(super) fn types(&self) -> Types {
        if self.never {
            return Types::NONE;
        }
        let declared = self.values("type").fold(Types::ANY, |types, found| types.both(Types::declared(found.value)));
        let unions = self.unions.iter().filter_map(Union::types);
        let types = unions.fold(declared, Types::both);
        match self.enumeration() {
            Some(values) => types.both(values.iter().fold(Types::NONE, |types, value| types.either(Types::of(value)))),
            None => types,
        }
    }

    /// The valid values, except `null`, if they are listed: those in every list.
    pub(super) fn enumeration(&self) -> Option<Vec<Value>> {
        let lists = self.values("enum").filter_map(|list| list.value.as_array().cloned());
        let constants = self.values("const").map(|constant| vec![constant.value.clone()]);
        let unions = self.unions.iter().filter_map(Union::enumeration);
        let mut common: Option<Vec<Value>> = None;
        for list in lists.chain(constants).chain(unions) {
            let list = list.iter().filter(|value| !value.is_null()).map(canonical);
            let others = common.map(|common| set(&common));
            common = Some(list.filter(|value| others.as_ref().is_none_or(|others| others.contains(value))).collect());
        }
        common
    }

    /// Every listed property with the schemas that apply to it.
    pub(super) fn properties(&self) -> BTreeMap<&'a str, Subschema<'a>> {
        self.named("properties")
    }

    /// The schemas under a keyword that maps names to schemas, by name.
    pub(super) fn named(&self, key: &str) -> BTreeMap<&'a str, Subschema<'a>> {
        let mut named: BTreeMap<&'a str, Subschema<'a>> = BTreeMap::new();
        for (name, node) in self.values(key).flat_map(|found| found.members()) {
            let schema = named.entry(name).or_insert_with(|| Subschema { nodes: Vec::new(), at: node.at.clone() });
            schema.nodes.push(node);
        }
        named
    }

    /// What `additionalProperties` allows.
    pub(super) fn unlisted(&self) -> Unlisted {
        let allowed = |value: &Value| match value {
            Value::Bool(false) => Unlisted::Nothing,
            Value::Object(members) if !members.is_empty() => Unlisted::Schema,
            _ => Unlisted::Anything,
        };
        self.values("additionalProperties").map(|found| allowed(found.value)).min().unwrap_or(Unlisted::Anything)
    }

    /// The names of the required properties.
    pub(super) fn required(&self) -> BTreeSet<&'a str> {
        self.values("required").flat_map(|list| list.items()).filter_map(|name| name.value.as_str()).collect()
    }

    /// The schema that is the value of `key` (`items`, `additionalProperties`).
    pub(super) fn under(&self, key: &str) -> Subschema<'a> {
        Subschema { nodes: self.values(key).collect(), at: self.place(key) }
    }

    /// Whether everything is valid: there is only prose.
    pub(super) fn is_free(&self) -> bool {
        !self.never && self.foreign.is_empty() && self.unions.is_empty() && self.has_only(PROSE)
    }

    /// Whether no part has a keyword other than these.
    pub(super) fn has_only(&self, keys: &[&str]) -> bool {
        let members = self.parts.iter().flat_map(|part| part.value.as_object().into_iter().flatten());
        members.map(|(key, _)| key.as_str()).all(|key| keys.contains(&key) || key.starts_with("x-") || key == "$ref")
    }

    /// The alternatives that are compared by themselves.
    pub(super) fn open_unions(&self) -> Vec<&Union<'a>> {
        self.unions.iter().filter(|union| union.is_open()).collect()
    }
}

impl<'a> Union<'a> {
    /// The alternatives as they are written.
    pub(super) fn value(&self) -> Value {
        self.variants.iter().map(Subschema::value).collect()
    }

    fn of(keyword: &'static str, list: &Side<'a>) -> Union<'a> {
        let items = list.items().filter(|item| !is_null(item));
        let variants = items.map(|item| Subschema { at: item.at.clone(), nodes: vec![item] }).collect();
        Union { keyword, at: list.at.clone(), variants }
    }

    /// The types, if the alternatives restrict nothing else: `anyOf: [{type: string}, {type: integer}]`.
    fn types(&self) -> Option<Types> {
        let types = self.plain(&["type"])?.into_iter().filter_map(|variant| variant.get("type")).map(Types::declared);
        Some(types.fold(Types::NONE, Types::either))
    }

    /// Whether the alternatives restrict more than types and listed values, or types are valid for two of `oneOf`.
    fn is_open(&self) -> bool {
        let Some(variants) = self.plain(&["type"]) else { return self.listed().is_none() };
        let mut types = Types::NONE;
        self.keyword == "oneOf"
            && variants.iter().filter_map(|variant| variant.get("type")).any(|declared| {
                let declared = Types::declared(declared);
                let is_repeated = types.meets(declared);
                types = types.either(declared);
                is_repeated
            })
    }

    /// The values, if the alternatives only list values: `oneOf: [{const: a}, {const: b}]`.
    fn enumeration(&self) -> Option<Vec<Value>> {
        let mut values = self.listed()?;
        let mut counts: HashMap<Value, usize> = HashMap::new();
        values.iter().for_each(|value| *counts.entry(value.clone()).or_default() += 1);
        values.retain(|value| self.keyword == "anyOf" || counts.get(value) == Some(&1));
        Some(values)
    }

    /// Whether more than one alternative of `oneOf` lists this value, so that it is invalid.
    pub(super) fn repeats(&self, value: &Value) -> bool {
        self.keyword == "oneOf" && self.listed().is_some_and(|all| all.iter().filter(|one| *one == value).count() > 1)
    }

    fn listed(&self) -> Option<Vec<Value>> {
        let list = |variant: &Value| match (variant.get("const"), variant.get("enum").and_then(Value::as_array)) {
            (Some(value), _) => Some(vec![canonical(value)]),
            (None, list) => list.map(|list| list.iter().map(canonical).collect()),
        };
        let lists: Option<Vec<Vec<Value>>> = self.plain(&["type", "const", "enum"])?.into_iter().map(list).collect();
        lists.map(|lists| lists.concat())
    }

    /// The alternatives, if each has at least one of these keywords and otherwise only prose.
    fn plain(&self, keys: &[&str]) -> Option<Vec<&'a Value>> {
        let plain = |variant: &Subschema<'a>| match variant.nodes.as_slice() {
            [only] => {
                let members = only.value.as_object()?;
                let structural = members.keys().filter(|key| !PROSE.contains(&key.as_str()));
                let mut structural = structural.peekable();
                structural.peek()?;
                structural.all(|key| keys.contains(&key.as_str())).then_some(only.value)
            }
            _ => None,
        };
        self.variants.iter().map(plain).collect()
    }
}

/// Keywords of a schema that have no effect on messages.
pub(super) const PROSE: &[&str] = &["title", "description", "example", "examples", "externalDocs", "$comment"];
