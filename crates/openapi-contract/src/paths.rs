//! The operations of a document and their parameters, with references followed and path items merged in.
//!
//! Also for invalid documents: what cannot be followed is left out, and the loader reports it.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use crate::equivalence::folded;
use crate::fields::{items, members, text};
use crate::grammar::Kind;
use crate::method::Method;
use crate::pointer;

/// A member of `paths`.
pub struct Path<'a> {
    /// The template, such as `/users/{id}`.
    pub template: &'a str,
    /// The pointer of the template: `/paths/~1users~1{id}`.
    pub site: String,
    /// The path item, references followed.
    pub item: &'a Value,
    /// The pointer of the path item, references followed.
    pub pointer: String,
}

/// A method of a path item.
pub struct Endpoint<'a> {
    /// The method.
    pub method: Method,
    /// The operation.
    pub operation: &'a Value,
    /// The pointer of the operation.
    pub pointer: String,
}

/// A parameter that an operation declares or inherits.
pub struct Declared<'a> {
    /// The pointer of the list item.
    pub site: String,
    /// The list item, which may be a reference.
    pub listed: &'a Value,
    /// The parameter, references followed.
    pub parameter: &'a Value,
    /// `in`: path, query, header or cookie.
    pub location: &'a str,
    /// The name.
    pub name: &'a str,
}

impl<'a> Declared<'a> {
    /// The identity of a parameter (OpenAPI 3.1 §4.8.12): its location and its name, in lower case for a header.
    pub fn key(&self) -> (&'a str, Cow<'a, str>) {
        let kind = if self.location == "header" { Kind::Header } else { Kind::Parameter };
        (self.location, folded(kind, self.name))
    }
}

/// Every path of a document.
pub fn paths(document: &Value) -> impl Iterator<Item = Path<'_>> {
    members(document, "paths").filter_map(|(template, listed)| {
        let site = pointer::join("/paths", template);
        let (item, pointer) = pointer::resolve(document, listed, site.clone())?;
        Some(Path { template, site, item, pointer })
    })
}

impl<'a> Path<'a> {
    /// The operations of this path.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint<'a>> {
        Method::ALL.into_iter().filter_map(|method| {
            let operation = self.item.get(method.key())?;
            Some(Endpoint { method, operation, pointer: pointer::join(&self.pointer, method.key()) })
        })
    }

    /// The parameters of one of its operations: the path item's, overridden by the operation's own.
    pub fn parameters(&self, document: &'a Value, endpoint: &Endpoint<'a>) -> Vec<Declared<'a>> {
        let mut own = declared(document, endpoint.operation, &endpoint.pointer);
        let inherited = declared(document, self.item, &self.pointer);
        let overridden: HashSet<_> = own.iter().map(Declared::key).collect();
        own.extend(inherited.into_iter().filter(|one| !overridden.contains(&one.key())));
        own
    }

    /// The names between braces, in order; `None` if the braces are not paired.
    pub fn template_names(&self) -> Option<Vec<&'a str>> {
        let mut names = Vec::new();
        let mut rest = self.template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            if before.contains('}') || name.is_empty() || name.contains(['{', '/']) {
                return None;
            }
            names.push(name);
            rest = after;
        }
        (!rest.contains('}')).then_some(names)
    }
}

/// The parameters listed by `owner` itself.
pub fn declared<'a>(document: &'a Value, owner: &'a Value, at: &str) -> Vec<Declared<'a>> {
    let list = pointer::join(at, "parameters");
    let declared = items(owner, "parameters").filter_map(|(index, listed)| {
        let site = pointer::join(&list, &index);
        let (parameter, _) = pointer::resolve(document, listed, site.clone())?;
        let (location, name) = (text(parameter, "in")?, text(parameter, "name")?);
        Some(Declared { site, listed, parameter, location, name })
    });
    declared.collect()
}
