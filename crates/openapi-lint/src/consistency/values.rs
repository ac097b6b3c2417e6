//! The values in a contract: defaults, examples and enum values. Each must match its schema, because clients copy them.
//!
//! An example that several places refer to may match the schema of some of them only. Then each reference where it does
//! not match is the error, not the example.

use std::collections::BTreeMap;

use openapi_contract::fields::{items, members};
use openapi_contract::nodes::Node;
use openapi_contract::pointer::{self, join};
use openapi_contract::{Contract, Kind};
use serde_json::Value;

use super::validators::{Mismatch, Validators};
use crate::findings::{Findings, is_json_media_type};

/// A value and the schema that it must match.
struct Shown<'a> {
    what: &'static str,
    value: &'a Value,
    at: String,
    /// The place that refers to the value, if it is a shared example.
    site: Option<String>,
    /// The pointer of the schema.
    schema: String,
}

fn of_schema<'a>(Node { value: schema, at, .. }: &Node<'a>) -> Vec<Shown<'a>> {
    let shown = |what, value, here| Shown { what, value, at: here, site: None, schema: at.clone() };
    let members = [("default", "the default"), ("example", "the example")];
    let members = members.into_iter().filter_map(|(key, what)| Some(shown(what, schema.get(key)?, join(at, key))));
    let lists = [("examples", "the example"), ("enum", "the enum value")].into_iter().flat_map(|(key, what)| {
        items(schema, key).map(move |(token, value)| (what, value, join(&join(at, key), &token)))
    });
    members.chain(lists.map(|(what, value, here)| shown(what, value, here))).collect()
}

/// A place that refers to a shared example, the example, and how it differs from the schema at the place.
type Use<'a> = (String, &'a Value, Vec<Mismatch>);

/// The examples of a parameter, header or media type.
fn of_owner<'a>(contract: &'a Contract, Node { kind, value: owner, at }: &Node<'a>) -> Vec<Shown<'a>> {
    let Some(schema) = owner.get("schema") else { return Vec::new() };
    let (_, schema) = contract.follow(schema, join(at, "schema"));
    let own = owner.get("example").map(|value| (value, join(at, "example"), None));
    let named = members(owner, "examples").filter_map(|(name, listed)| {
        let site = join(&join(at, "examples"), name);
        let (example, here) = contract.follow(listed, site.clone());
        Some((example.get("value")?, join(&here, "value"), (here != site).then_some(site)))
    });
    // An example in XML or CSV may be the text itself.
    let is_text = |value: &Value| *kind == Kind::MediaType && !is_json(at) && value.is_string();
    let examples = own.into_iter().chain(named).filter(|(value, ..)| !is_text(value));
    let shown =
        examples.map(|(value, at, site)| Shown { what: "the example", value, at, site, schema: schema.clone() });
    shown.collect()
}

pub(super) fn check<'a>(findings: &mut Findings<'a>, nodes: &[Node<'a>]) {
    let contract = findings.contract;
    let Some(mut validators) = Validators::new(contract, nodes) else { return };
    let shown = nodes.iter().flat_map(|node| match node.kind {
        Kind::Schema => of_schema(node),
        Kind::Parameter | Kind::Header | Kind::MediaType => of_owner(contract, node),
        _ => Vec::new(),
    });
    let mut shared: BTreeMap<String, Vec<Use<'_>>> = BTreeMap::new();
    for Shown { what, value, at, site, schema } in shown {
        let found = validators.mismatches(&schema, value);
        match site {
            Some(site) => shared.entry(at).or_default().push((site, value, found)),
            None => report(findings, what, value, &at, found),
        }
    }
    for (at, uses) in shared {
        let matches_somewhere = uses.iter().any(|(_, _, found)| found.is_empty());
        for (site, value, found) in uses {
            if !matches_somewhere {
                report(findings, "the example", value, &at, found);
            } else if let Some(Mismatch { inside, reason }) = found.first() {
                let position = findings.errors.position(&format!("{at}{inside}"));
                let message = format!(
                    "the example at {position} matches the schema of another reference to it, but not the schema here: {reason}"
                );
                findings.add(join(&site, "$ref"), message);
            }
        }
    }
}

fn report(findings: &mut Findings<'_>, what: &str, value: &Value, at: &str, found: Vec<Mismatch>) {
    for Mismatch { inside, reason } in found {
        let shown = pointer::find(value, &inside).map(brief).unwrap_or_default();
        findings.add(format!("{at}{inside}"), format!("{what} {shown} does not match its schema: {reason}"));
    }
}

/// Whether the media type at this pointer is JSON.
fn is_json(at: &str) -> bool {
    let name = pointer::tokens(at).last().unwrap_or_default();
    is_json_media_type(name.split(';').next().unwrap_or_default().trim_end())
}

/// The first 60 characters of a value.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
