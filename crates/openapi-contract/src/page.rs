//! The contract for a page that displays it, such as Swagger UI.
//!
//! In a contract, operations share responses: the examples of a shared response are those of one of them, and its headers are
//! described at every use. Here each operation has its own responses, with the examples that it can return:
//!
//! - `instance` of a problem is the path of the operation, with the examples of its parameters.
//! - In `detail`, the scopes, the media types and the size of another operation are replaced by those of this one.
//! - Examples for what the operation does not have are left out: credentials, a body, an `Idempotency-Key`, a query.
//!
//! The headers in `components/headers` are described once, in a table at the end of `info.description`; a response lists
//! their names.
//!
//! Such a page fills in the example of every parameter. For an optional parameter of the query, that would be a filter that
//! nobody chose: its example is in its description instead.
//!
//! Generators get the contract as it was written, with shared responses.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::contract::Contract;
use crate::fields::{items, members, text};
use crate::operation::Operation;
use crate::paths::{self, Declared};
use crate::pointer::{self, join};
use crate::source_map::{SourceMap, to_json};

const PROBLEM: &str = "application/problem+json";

/// The contract for a page, in JSON, with members in the order of the source.
pub fn form(contract: &Contract) -> String {
    let mut page = Page { contract, document: contract.document().clone(), source: contract.source().clone() };
    for path in paths::paths(contract.document()) {
        for endpoint in path.endpoints() {
            let of_endpoint = |operation: &&Operation| operation.pointer == endpoint.pointer;
            let Some(operation) = contract.operations().iter().find(of_endpoint) else { continue };
            let parameters = path.parameters(contract.document(), &endpoint);
            let instance = parameters.iter().fold(operation.path.clone(), |instance, declared| {
                let value = match contract.example(declared.parameter) {
                    Some(Value::String(text)) => text.clone(),
                    Some(value) => value.to_string(),
                    None => return instance,
                };
                instance.replace(&format!("{{{}}}", declared.name), &value)
            });
            page.own_responses(operation, endpoint.operation, &instance);
            parameters.iter().for_each(|declared| page.describe_example(declared));
        }
    }
    page.describe_headers();
    to_json(&page.document, &page.source) + "\n"
}

impl Contract {
    /// The example of a parameter or a media type, which may be that of its schema.
    fn example<'a>(&'a self, owner: &'a Value) -> Option<&'a Value> {
        let schema = || owner.get("schema").and_then(|schema| self.resolve(schema).get("example"));
        owner.get("example").or_else(schema)
    }
}

struct Page<'a> {
    contract: &'a Contract,
    document: Value,
    source: SourceMap,
}

impl Page<'_> {
    /// Replaces the references to responses and their examples.
    fn own_responses(&mut self, operation: &Operation, node: &Value, instance: &str) {
        for (status, listed) in members(node, "responses") {
            let at = join(&join(&operation.pointer, "responses"), status);
            let mut response = self.own(listed, &at);
            list_headers(&mut response);
            for (media, content) in response.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten() {
                let at = join(&join(&join(&at, "content"), media), "examples");
                let Some(examples) = content.get_mut("examples").and_then(Value::as_object_mut) else { continue };
                let owned = examples.iter().map(|(name, listed)| (name.clone(), self.own(listed, &join(&at, name))));
                let mut owned: Map<String, Value> = owned.collect();
                if media == PROBLEM {
                    owned.retain(|_, example| is_possible(operation, status, example));
                    let problems = owned.values_mut().filter_map(|example| example.get_mut("value"));
                    problems.for_each(|problem| self.complete(operation, status, instance, problem));
                }
                *examples = owned;
            }
            if let Some(place) = self.document.pointer_mut(&at) {
                *place = response;
            }
        }
    }

    /// Moves the example of an optional parameter of the query into its description.
    fn describe_example(&mut self, declared: &Declared) {
        let is_optional = declared.parameter.get("required") != Some(&Value::Bool(true));
        let Some(example) = self.contract.example(declared.parameter) else { return };
        if declared.location != "query" || !is_optional {
            return;
        }
        let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        let mut parameter = self.own(declared.listed, &declared.site);
        // A schema may be shared, and have the example.
        let listed = parameter.get("schema").unwrap_or(&Value::Null).clone();
        let schema = self.own(&listed, &join(&declared.site, "schema"));
        if let Some(members) = parameter.as_object_mut() {
            let description = members.get("description").and_then(Value::as_str).unwrap_or_default().trim_end();
            let description = format!("{description}\n\nExample: `{example}`");
            members.insert("description".to_owned(), description.trim_start().into());
            members.insert("schema".to_owned(), schema);
            members.remove("example");
        }
        if let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut) {
            schema.remove("example");
        }
        if let Some(place) = self.document.pointer_mut(&declared.site) {
            *place = parameter;
        }
    }

    /// The target of a reference, or the node itself, for this place.
    fn own(&mut self, listed: &Value, at: &str) -> Value {
        let (node, target) = self.contract.follow(listed, at.to_owned());
        self.source.graft(at, &target);
        node.clone()
    }

    fn complete(&self, operation: &Operation, status: &str, instance: &str, problem: &mut Value) {
        if let Some(place) = problem.get_mut("instance") {
            *place = instance.into();
        }
        let Some(detail) = text(problem, "detail") else { return };
        let properties: BTreeSet<_> =
            self.contract.operations().iter().filter_map(|other| property(other, status)).collect();
        let written = properties.iter().filter(|written| detail.contains(*written)).max_by_key(|written| written.len());
        if let (Some(written), Some(own)) = (written, property(operation, status)) {
            problem["detail"] = detail.replace(written, &own).into();
        }
    }

    /// Appends the table of the shared headers to `info.description`.
    fn describe_headers(&mut self) {
        let names = self.source.names("/components/headers");
        let row = |name: &String| {
            let header = self.contract.document().pointer(&join("/components/headers", name))?;
            let description = text(header, "description")?.split_whitespace().collect::<Vec<_>>().join(" ");
            Some(format!("| `{name}` | {} |\n", description.replace('|', "\\|")))
        };
        let rows: String = names.iter().filter_map(row).collect();
        let Some(info) = self.document.get_mut("info").filter(|_| !rows.is_empty()) else { return };
        let description = text(info, "description").unwrap_or_default();
        info["description"] =
            format!("{}\n\n| header of a response | meaning |\n|---|---|\n{rows}", description.trim_end()).into();
    }
}

/// Replaces the headers that other responses share by a list of their names.
fn list_headers(response: &mut Value) {
    let Some(headers) = response.get_mut("headers").and_then(Value::as_object_mut) else { return };
    let is_shared = |header: &Value| {
        pointer::reference(header).and_then(pointer::local).is_some_and(|at| at.starts_with("/components/headers/"))
    };
    let shared = headers.iter().filter(|(_, header)| is_shared(header));
    let shared: Vec<_> = shared.map(|(name, _)| format!("`{name}`")).collect();
    headers.retain(|_, header| !is_shared(header));
    let is_empty = headers.is_empty();
    let Some(members) = response.as_object_mut().filter(|_| !shared.is_empty()) else { return };
    if is_empty {
        members.remove("headers");
    }
    let description = members.get("description").and_then(Value::as_str).unwrap_or_default().trim_end();
    let description = format!("{description}\n\nHeaders: {}", shared.join(", "));
    members.insert("description".to_owned(), description.into());
}

/// What `detail` of a problem with this status contains of the operation.
fn property(operation: &Operation, status: &str) -> Option<String> {
    let joined = |words: Vec<&str>, separator| Some(words.join(separator)).filter(|text| !text.is_empty());
    match status {
        "403" => {
            let scopes = operation.security.first().into_iter().flat_map(|schemes| schemes.values().flatten());
            joined(scopes.map(String::as_str).collect(), " ")
        }
        "406" => {
            let successes = operation.responses.range(200..300).flat_map(|(_, response)| response.content.keys());
            joined(successes.map(String::as_str).collect(), " or ")
        }
        "413" => operation.max_body_bytes.map(|bytes| bytes.to_string()),
        "415" => {
            joined(operation.body.iter().flat_map(|body| body.content.keys().map(String::as_str)).collect(), " or ")
        }
        _ => None,
    }
}

/// Whether an operation can return the problem of an example.
fn is_possible(operation: &Operation, status: &str, example: &Value) -> bool {
    let Some(problem) = example.get("value") else { return true };
    let mentions = |key: &str, what: &str| text(problem, key).is_some_and(|text| text.contains(what));
    let has_error = |place| items(problem, "errors").any(|(_, error)| error.get(place).is_some());
    let has_key = || operation.parameters.iter().any(|parameter| parameter.name == "Idempotency-Key");
    (!mentions("type", "/idempotency-key-") || has_key())
        && (!(has_error("pointer") || mentions("detail", "The body ")) || operation.body.is_some())
        && (!has_error("parameter") || !operation.ignores_unknown_query)
        // Without credentials, a request is refused for its origin.
        && (status != "403" || mentions("detail", "token") != operation.security.is_empty())
}
