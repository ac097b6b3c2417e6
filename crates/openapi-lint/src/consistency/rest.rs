//! What is not a schema: links, servers, and what may be given in one way only.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Search, listed};
use openapi_contract::Kind;
use openapi_contract::operation::Operation;
use openapi_contract::pointer::{self, join};
use openapi_contract::spelling::did_you_mean;

/// Pairs of keywords of which an object has at most one (OpenAPI 3.1 §4.8.12, §4.8.14, §4.8.19, §4.8.20).
const ONE_OF_TWO: &[(Kind, [&str; 2])] = &[
    (Kind::Parameter, ["example", "examples"]),
    (Kind::Header, ["example", "examples"]),
    (Kind::MediaType, ["example", "examples"]),
    (Kind::Example, ["value", "externalValue"]),
    (Kind::Link, ["operationId", "operationRef"]),
    (Kind::License, ["identifier", "url"]),
];

impl<'a> Search<'a> {
    pub(super) fn rest(&mut self, kind: Kind, value: &'a Value, at: &str) {
        for (_, keys) in
            ONE_OF_TWO.iter().filter(|(of, keys)| *of == kind && keys.iter().all(|key| value.get(key).is_some()))
        {
            let [one, other] = keys;
            self.add(self.later(at, *keys), format!("{kind} has either `{one}` or `{other}`, not both"));
        }
        match kind {
            Kind::Link => self.link(value, at),
            Kind::Server => self.server(value, at),
            Kind::ServerVariable => self.server_variable(value, at),
            _ => {}
        }
    }

    /// A link leads to an operation, and feeds parameters that this has.
    fn link(&mut self, link: &Value, at: &str) {
        let text = |key: &str| link.get(key).and_then(Value::as_str);
        let (id, reference) = (text("operationId"), text("operationRef"));
        if id.is_none() && reference.is_none() {
            return self.add(at.to_owned(), "a link leads to an operation: `operationId` is missing");
        }
        let to = reference.and_then(pointer::local);
        if id.is_none() && to.is_none() {
            // Some other document's, which nobody can look into.
            return;
        }
        let is_it = |operation: &&Operation| {
            let listed = join(&join("/paths", &operation.path), operation.method.key());
            id == Some(operation.id.as_str())
                || to.as_ref().is_some_and(|to| [&listed, &operation.pointer].contains(&to))
        };
        match (self.contract.operations().iter().find(is_it), reference) {
            (Some(operation), _) => self.link_parameters(link, at, operation),
            (None, Some(target)) => self.add(join(at, "operationRef"), format!("there is no operation at `{target}`")),
            // The loader tells of ids that there are not.
            (None, None) => {}
        }
    }

    fn link_parameters(&mut self, link: &Value, at: &str, to: &Operation) {
        let parameters = to.parameters.iter();
        let known: BTreeSet<String> =
            parameters.flat_map(|one| [one.name.clone(), format!("{}.{}", one.location, one.name)]).collect();
        let fed = link.get("parameters").and_then(Value::as_object).into_iter().flat_map(|members| members.keys());
        for name in fed.filter(|name| !known.contains(*name)) {
            let near = did_you_mean(name, known.iter().map(String::as_str));
            let message = format!("`{}` has no parameter `{name}`{near}", to.id);
            self.add(join(&join(at, "parameters"), name), message);
        }
    }

    /// The address names variables, and each is described.
    fn server(&mut self, server: &Value, at: &str) {
        let url = server.get("url").and_then(Value::as_str).unwrap_or_default();
        let named: BTreeSet<&str> = url.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
        let described = server.get("variables").and_then(Value::as_object);
        for name in named.iter().filter(|name| !described.is_some_and(|known| known.contains_key(**name))) {
            self.add(join(at, "url"), format!("`{{{name}}}` is not described under `variables`"));
        }
        for name in described.into_iter().flat_map(|known| known.keys()).filter(|name| !named.contains(name.as_str())) {
            self.add(join(&join(at, "variables"), name), format!("`{{{name}}}` is not in the `url`"));
        }
    }

    fn server_variable(&mut self, variable: &Value, at: &str) {
        if variable.get("enum").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            self.add(join(at, "enum"), "`enum` is empty: list at least one, or leave it out");
        } else if let (Some(default), true) = (variable.get("default"), variable.get("enum").is_some())
            && !listed(variable, "enum").any(|(_, one)| one == default)
        {
            self.add(join(at, "default"), format!("the default {default} is not listed in `enum`"));
        }
    }
}
