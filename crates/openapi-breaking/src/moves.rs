//! Operations that moved to another path or method, by their `operationId`. Their callers fail, and the report names the
//! other place.

use std::collections::HashMap;

use serde_json::Value;

use openapi_contract::operation::is_planned;
use openapi_contract::paths::{Endpoint, Path};

/// The place of an operation.
#[derive(Debug, Clone)]
pub(super) struct OperationPlace {
    /// For people: `GET /users`.
    pub(super) label: String,
    pub(super) pointer: String,
}

/// The operations that only one release has at their place, by their `operationId`.
type Unpaired<'a> = HashMap<&'a str, OperationPlace>;

/// The removed and the added operations with the same `operationId`.
#[derive(Debug, Default)]
pub(super) struct Moves<'a> {
    removed: Unpaired<'a>,
    added: Unpaired<'a>,
}

impl<'a> Moves<'a> {
    /// From every path of the old and of the new release, each with its counterpart.
    pub(super) fn between<'p>(
        old: impl Iterator<Item = (&'p Path<'a>, Option<&'p Path<'a>>)>,
        new: impl Iterator<Item = (&'p Path<'a>, Option<&'p Path<'a>>)>,
    ) -> Moves<'a>
    where
        'a: 'p,
    {
        let (mut removed, mut added) = (unpaired(old), unpaired(new));
        removed.retain(|id, _| added.contains_key(id));
        added.retain(|id, _| removed.contains_key(id));
        Moves { removed, added }
    }

    /// The id of a removed operation, and its place in the new release.
    pub(super) fn from(&self, removed: &Endpoint<'a>) -> Option<(&'a str, OperationPlace)> {
        moved(removed, &self.removed, &self.added)
    }

    /// The id of an added operation, and its place in the old release.
    pub(super) fn to(&self, added: &Endpoint<'a>) -> Option<(&'a str, OperationPlace)> {
        moved(added, &self.added, &self.removed)
    }
}

fn moved<'a>(endpoint: &Endpoint<'a>, here: &Unpaired<'a>, there: &Unpaired<'a>) -> Option<(&'a str, OperationPlace)> {
    let id = id(endpoint)?;
    here.get(id).filter(|place| place.pointer == endpoint.pointer)?;
    Some((id, there.get(id)?.clone()))
}

fn unpaired<'a: 'p, 'p>(paths: impl Iterator<Item = (&'p Path<'a>, Option<&'p Path<'a>>)>) -> Unpaired<'a> {
    let mut unpaired = HashMap::new();
    for (path, other) in paths {
        let taken: Vec<_> = other.into_iter().flat_map(Path::endpoints).map(|endpoint| endpoint.method).collect();
        let endpoints = path.endpoints().filter(|endpoint| !taken.contains(&endpoint.method));
        for endpoint in endpoints.filter(|endpoint| !is_planned(endpoint.operation)) {
            if let Some(id) = id(&endpoint) {
                unpaired.insert(id, OperationPlace { label: label(path, &endpoint), pointer: endpoint.pointer });
            }
        }
    }
    unpaired
}

/// `GET /users`.
pub(super) fn label(path: &Path<'_>, endpoint: &Endpoint<'_>) -> String {
    format!("{} {}", endpoint.method, path.template)
}

fn id<'a>(endpoint: &Endpoint<'a>) -> Option<&'a str> {
    endpoint.operation.get("operationId").and_then(Value::as_str)
}
