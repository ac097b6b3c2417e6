//! The one traversal of a document's objects, for all checks.

use std::collections::HashSet;

use serde_json::Value;

use crate::fields::{items, members};
use crate::grammar::{Kind, Shape};
use crate::pointer::{self, join};
use crate::profile::Profile;

/// A place in a document that takes an object of the grammar.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// The kind of object expected here.
    pub kind: Kind,
    /// The value found here: an object, a reference to one or, in an invalid document, anything else.
    pub value: &'a Value,
    /// The JSON pointer of the place.
    pub at: String,
}

impl<'a> Node<'a> {
    /// Whether a reference takes the place of the object.
    pub fn is_reference(&self) -> bool {
        self.kind.referable() && pointer::reference(self.value).is_some()
    }

    /// The references of this node, but not those of the nodes below: `$ref`, the schemas in a discriminator's mapping,
    /// and required security schemes.
    pub(crate) fn references(&self, document: &Value) -> Vec<Reference<'a>> {
        let Node { kind, value, at } = self;
        let by_name = |site, kind, target: &'a str, section| {
            let pointer = Some(join(&format!("/components/{section}"), target));
            Reference { site, kind, target, section: Some(section), pointer }
        };
        let by_uri =
            |site, kind, target| Reference { site, kind, target, section: None, pointer: pointer::local(target) };
        match kind {
            _ if self.is_reference() => {
                pointer::reference(value).map(|target| by_uri(join(at, "$ref"), *kind, target)).into_iter().collect()
            }
            Kind::Discriminator => {
                let references = members(value, "mapping").filter_map(|(name, target)| {
                    let (site, target) = (join(&join(at, "mapping"), name), target.as_str()?);
                    let reference = by_name(site.clone(), Kind::Schema, target, "schemas");
                    let exists = reference.pointer.as_deref().is_some_and(|at| pointer::find(document, at).is_some());
                    let is_name = exists || !target.contains(['/', '#', ':', '.']);
                    Some(if is_name { reference } else { by_uri(site, Kind::Schema, target) })
                });
                references.collect()
            }
            Kind::Document | Kind::Operation => {
                let references = items(value, "security").flat_map(|(index, schemes)| {
                    let list = format!("{at}/security/{index}");
                    let names = schemes.as_object().into_iter().flat_map(|schemes| schemes.keys());
                    names.map(move |name| by_name(join(&list, name), Kind::SecurityScheme, name, "securitySchemes"))
                });
                references.collect()
            }
            _ => Vec::new(),
        }
    }

    /// Appends the nodes directly below this one, by the keywords of `profile`. In the subset, a reference has none.
    pub fn children(&self, profile: Profile, out: &mut Vec<Node<'a>>) {
        if profile == Profile::Supported && self.is_reference() {
            return;
        }
        for (key, member) in self.value.as_object().into_iter().flatten() {
            if let Some(shape) = self.kind.keyword_in(key, profile) {
                below(shape, member, &join(&self.at, key), out);
            }
        }
    }
}

/// A reference of a node to another one.
pub(crate) struct Reference<'a> {
    /// The pointer of the reference itself.
    pub(crate) site: String,
    /// The kind of object expected at the target.
    pub(crate) kind: Kind,
    /// As written: a URI, or the name of a component.
    pub(crate) target: &'a str,
    /// The section of `components` that has the name.
    pub(crate) section: Option<&'static str>,
    /// The pointer of the target; `None` if it is in another document.
    pub(crate) pointer: Option<String>,
}

/// Appends the nodes of a keyword's value that has this shape.
fn below<'a>(shape: Shape, value: &'a Value, at: &str, out: &mut Vec<Node<'a>>) {
    let named = |kind, name: &str, value| Node { kind, value, at: join(at, name) };
    match (shape, value) {
        (Shape::One(kind), _) => out.push(Node { kind, value, at: at.to_owned() }),
        (Shape::SchemaOrFlag, Value::Object(_)) => below(Shape::One(Kind::Schema), value, at, out),
        (Shape::List(kind), Value::Array(items)) => {
            out.extend(items.iter().enumerate().map(|(index, item)| named(kind, &index.to_string(), item)));
        }
        (Shape::Statuses, _) => below(Shape::Map(Kind::Response), value, at, out),
        (Shape::Map(kind), Value::Object(members)) => {
            // `paths`, `responses` and callbacks can have extensions among their members.
            let extensible = matches!(kind, Kind::PathItem | Kind::Response);
            let members = members.iter().filter(|(name, _)| !(extensible && name.starts_with("x-")));
            out.extend(members.map(|(name, member)| named(kind, name, member)));
        }
        (Shape::Callbacks, Value::Object(members)) => {
            for (name, callback) in members {
                // A reference takes the place of all path items of a callback.
                let shape = if pointer::reference(callback).is_some() { Shape::One } else { Shape::Map };
                below(shape(Kind::PathItem), callback, &join(at, name), out);
            }
        }
        _ => {}
    }
}

/// Every node of a document, each once, references included but not followed.
pub fn nodes(document: &Value, profile: Profile) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    let mut next = vec![Node { kind: Kind::Document, value: document, at: String::new() }];
    // A work list, not recursion: a document may be deep.
    while let Some(node) = next.pop() {
        node.children(profile, &mut next);
        nodes.push(node);
    }
    nodes
}

/// The JSON pointers of everything that a value of this shape refers to, directly or not, through the keywords that
/// `follows` accepts. A `$ref` inside an example is data and is not followed.
pub fn reached(document: &Value, shape: Shape, value: &Value, follows: impl Fn(Kind, &str) -> bool) -> HashSet<String> {
    let (mut reached, mut next) = (HashSet::new(), Vec::new());
    below(shape, value, "", &mut next);
    // A work list, not recursion: chains of references may be long.
    while let Some(Node { kind, value, .. }) = next.pop() {
        if let Some(target) = pointer::reference(value).and_then(pointer::local)
            && let Some(found) = pointer::find(document, &target)
            && reached.insert(target)
        {
            next.push(Node { kind, value: found, at: String::new() });
        }
        for (key, member) in value.as_object().into_iter().flatten().filter(|(key, _)| follows(kind, key)) {
            match kind.keyword(key) {
                Some(shape) => below(shape, member, "", &mut next),
                // Outside the subset, in the generated spec. If it contains schemas, as `prefixItems` does, they count
                // as used: the keyword itself is already a drift.
                None => {
                    for shape in [Shape::One(Kind::Schema), Shape::List(Kind::Schema), Shape::Map(Kind::Schema)] {
                        below(shape, member, "", &mut next);
                    }
                }
            }
        }
    }
    reached
}
