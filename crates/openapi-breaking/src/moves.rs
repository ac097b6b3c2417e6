//! Operations that went from one place to another, by their `operationId`. To its callers such a one is gone, but whoever
//! reads of it wants to know where it is.

use std::collections::HashMap;

use serde_json::Value;

use crate::operations::label;
use openapi_contract::operation::is_planned;
use openapi_contract::paths::{Endpoint, Path};

/// Where an operation stands.
#[derive(Debug, Clone)]
pub(super) struct Stand {
    /// For people: `GET /users`.
    pub(super) label: String,
    pub(super) pointer: String,
}

/// The operations that stand on one side where the other has none, by their `operationId`.
type Lone<'a> = HashMap<&'a str, Stand>;

/// Those that are gone and those that came, if they have one name.
#[derive(Debug, Default)]
pub(super) struct Moves<'a> {
    gone: Lone<'a>,
    come: Lone<'a>,
}

impl<'a> Moves<'a> {
    /// Of every path of the old document, and of the new one, each with the path of the other that is the same.
    pub(super) fn between<'p>(
        old: impl Iterator<Item = (&'p Path<'a>, Option<&'p Path<'a>>)>,
        new: impl Iterator<Item = (&'p Path<'a>, Option<&'p Path<'a>>)>,
    ) -> Moves<'a>
    where
        'a: 'p,
    {
        let (mut gone, mut come) = (lone(old), lone(new));
        gone.retain(|id, _| come.contains_key(id));
        come.retain(|id, _| gone.contains_key(id));
        Moves { gone, come }
    }

    /// Where an operation that is gone is now, and its name.
    pub(super) fn from(&self, gone: &Endpoint<'a>) -> Option<(&'a str, Stand)> {
        moved(gone, &self.gone, &self.come)
    }

    /// Where an operation that came was before, and its name.
    pub(super) fn to(&self, come: &Endpoint<'a>) -> Option<(&'a str, Stand)> {
        moved(come, &self.come, &self.gone)
    }
}

fn moved<'a>(endpoint: &Endpoint<'a>, here: &Lone<'a>, there: &Lone<'a>) -> Option<(&'a str, Stand)> {
    let id = id(endpoint)?;
    here.get(id).filter(|stand| stand.pointer == endpoint.pointer)?;
    Some((id, there.get(id)?.clone()))
}

fn lone<'a: 'p, 'p>(paths: impl Iterator<Item = (&'p Path<'a>, Option<&'p Path<'a>>)>) -> Lone<'a> {
    let mut lone = HashMap::new();
    for (path, other) in paths {
        let taken: Vec<_> = other.into_iter().flat_map(Path::endpoints).map(|endpoint| endpoint.method).collect();
        let endpoints = path.endpoints().filter(|endpoint| !taken.contains(&endpoint.method));
        for endpoint in endpoints.filter(|endpoint| !is_planned(endpoint.operation)) {
            if let Some(id) = id(&endpoint) {
                lone.insert(id, Stand { label: label(path, &endpoint), pointer: endpoint.pointer });
            }
        }
    }
    lone
}

fn id<'a>(endpoint: &Endpoint<'a>) -> Option<&'a str> {
    endpoint.operation.get("operationId").and_then(Value::as_str)
}
