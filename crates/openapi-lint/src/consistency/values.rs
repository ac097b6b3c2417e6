//! The values in a contract: defaults, examples and enum values. Each must match its schema, because clients copy them.
//!
//! An example that several places refer to may match the schema of some of them only. Then each reference where it does
//! not match is the error, not the example.

use std::collections::{BTreeMap, HashMap};

use openapi_contract::Kind;
use openapi_contract::equivalence::folded;
use openapi_contract::nodes::Node;
use openapi_contract::pointer::join;
use serde_json::Value;

use super::validators::{Mismatch, SchemaAt, Schemas, mismatches, part};
use crate::findings::{Findings, items};

/// A value and the schema that it must match.
struct Shown<'a> {
    what: &'static str,
    value: &'a Value,
    at: String,
    /// The place that refers to the value, if it is a shared example.
    site: Option<String>,
    schema: usize,
}

/// A reference to a shared example, and how the example differs from the schema there.
struct Use<'a> {
    site: String,
    value: &'a Value,
    found: Vec<Mismatch>,
}

#[derive(Default)]
struct Collection<'a> {
    values: Vec<Shown<'a>>,
    schemas: Vec<SchemaAt>,
    indices: HashMap<SchemaAt, usize>,
}

impl<'a> Collection<'a> {
    fn schema(&mut self, at: String, without_enum: bool) -> usize {
        let schema = SchemaAt { at, without_enum };
        *self.indices.entry(schema.clone()).or_insert_with(|| {
            self.schemas.push(schema);
            self.schemas.len() - 1
        })
    }

    fn add(&mut self, what: &'static str, value: &'a Value, at: String, schema: usize) {
        self.values.push(Shown { what, value, at, site: None, schema });
    }

    fn of_schema(&mut self, schema: &'a Value, at: &str) {
        let has = |key: &str| schema.get(key).is_some();
        if has("default") || has("example") || has("examples") {
            let index = self.schema(at.to_owned(), false);
            for (key, what) in [("default", "the default"), ("example", "the example")] {
                if let Some(value) = schema.get(key) {
                    self.add(what, value, join(at, key), index);
                }
            }
            for (token, value) in items(schema, "examples") {
                self.add("the example", value, join(&join(at, "examples"), &token), index);
            }
        }
        if has("enum") {
            let index = self.schema(at.to_owned(), true);
            for (token, value) in items(schema, "enum") {
                self.add("the enum value", value, join(&join(at, "enum"), &token), index);
            }
        }
    }

    /// The examples of a parameter, header or media type.
    fn of_owner(&mut self, findings: &Findings<'a>, Node { kind, value: owner, at }: &Node<'a>) {
        let Some(schema) = owner.get("schema").filter(|_| owner.get("example").or(owner.get("examples")).is_some())
        else {
            return;
        };
        let (_, schema_at) = findings.contract.follow(schema, join(at, "schema"));
        let index = self.schema(schema_at, false);
        // An example in XML or CSV may be the text itself.
        let is_text = |value: &Value| *kind == Kind::MediaType && !is_json(at) && value.is_string();
        if let Some(value) = owner.get("example").filter(|value| !is_text(value)) {
            self.add("the example", value, join(at, "example"), index);
        }
        for (name, listed) in owner.get("examples").and_then(Value::as_object).into_iter().flatten() {
            let site = join(&join(at, "examples"), name);
            let (example, here) = findings.contract.follow(listed, site.clone());
            if let Some(value) = example.get("value").filter(|value| !is_text(value)) {
                let site = (here != site).then_some(site);
                self.values.push(Shown { what: "the example", value, at: join(&here, "value"), site, schema: index });
            }
        }
    }
}

pub(super) fn check<'a>(findings: &mut Findings<'a>, nodes: &[Node<'a>]) {
    let mut all = Collection::default();
    for node in nodes {
        match node.kind {
            Kind::Schema => all.of_schema(node.value, &node.at),
            Kind::Parameter | Kind::Header | Kind::MediaType => all.of_owner(findings, node),
            _ => {}
        }
    }
    let validators = Schemas::new(findings.contract, nodes).compile(&all.schemas);
    let mut shared: BTreeMap<String, Vec<Use<'a>>> = BTreeMap::new();
    for Shown { what, value, at, site, schema } in all.values {
        let Some(Some(validator)) = validators.get(schema) else { continue };
        let found = mismatches(validator, value);
        match site {
            Some(site) => shared.entry(at).or_default().push(Use { site, value, found }),
            None => report(findings, what, value, &at, found),
        }
    }
    for (at, uses) in shared {
        let matches_somewhere = uses.iter().any(|one| one.found.is_empty());
        for Use { site, value, found } in uses {
            if !matches_somewhere {
                report(findings, "the example", value, &at, found);
            } else if let Some(mismatch) = found.first() {
                let position = findings.contract.nearest_position(&(at.clone() + &mismatch.inside));
                let message = format!(
                    "the example does not match the schema here, but another one that refers to it: {}, at {position}",
                    mismatch.reason
                );
                findings.add(join(&site, "$ref"), message);
            }
        }
    }
}

fn report(findings: &mut Findings<'_>, what: &str, value: &Value, at: &str, found: Vec<Mismatch>) {
    for Mismatch { inside, reason } in found {
        let shown = part(value, &inside).map(brief).unwrap_or_default();
        findings.add(at.to_owned() + &inside, format!("{what} {shown} does not match its schema: {reason}"));
    }
}

/// Whether the media type at this pointer is JSON.
fn is_json(at: &str) -> bool {
    let name = at.rsplit('/').next().unwrap_or_default().replace("~1", "/");
    let name = folded(Kind::MediaType, &name).into_owned();
    let name = name.split(';').next().unwrap_or_default().trim_end();
    name == "application/json" || name.ends_with("+json")
}

/// The first 60 characters of a value.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
