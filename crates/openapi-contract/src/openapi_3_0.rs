//! The contract as OpenAPI 3.0.3, for clients that do not support 3.1.
//!
//! The supported subset has a 3.0 form for almost everything: the version is rewritten, what 3.0 lacks and does not need
//! is left out, and a few constructs are written differently. What would have another meaning in 3.0 is an error, so
//! that both documents have the same meaning.

use serde_json::{Map, Value};

use crate::contract::Contract;
use crate::error::{Errors, LoadError};
use crate::fields::{members, text};
use crate::grammar::Kind;
use crate::nodes::nodes;
use crate::pointer::{self, join};
use crate::profile::Profile;

/// The last version of OpenAPI 3.0 with any difference from the one before.
const VERSION: &str = "3.0.3";

/// The contract as 3.0.3.
///
/// # Errors
/// Every place that cannot be expressed in 3.0.
pub fn form(contract: &Contract) -> Result<Value, Vec<LoadError>> {
    let document = contract.document();
    let (mut form, mut errors) = (document.clone(), contract.new_errors());
    for node in nodes(document, Profile::Supported) {
        let Some(members) = form.pointer_mut(&node.at).and_then(Value::as_object_mut) else { continue };
        match node.kind {
            kind if node.is_reference() => {
                let target = pointer::reference(node.value).and_then(pointer::local).unwrap_or_default();
                if kind != Kind::PathItem && target.starts_with("/components/pathItems/") {
                    let message = "references into `components/pathItems` do not resolve: move the target to another \
                                   component";
                    refuse(&mut errors, &join(&node.at, "$ref"), message);
                }
            }
            Kind::Document => {
                members.insert("openapi".to_owned(), VERSION.into());
                scopes(contract, members);
            }
            Kind::Operation => scopes(contract, members),
            Kind::Info => drop(members.remove("summary")),
            Kind::License => license_url(members),
            Kind::PathItem => bodies(members, &node.at, &mut errors),
            // 3.0 has one `example` where 3.1 also has `examples`.
            Kind::Schema => {
                if let Some(Value::Array(examples)) = members.remove("examples")
                    && let Some(first) = examples.into_iter().next()
                {
                    members.entry("example").or_insert(first);
                }
            }
            _ => {}
        }
    }
    path_items(document, &mut form);
    let errors = errors.in_order();
    if errors.is_empty() { Ok(form) } else { Err(errors) }
}

fn refuse(errors: &mut Errors<'_>, at: &str, message: &str) {
    errors.unsupported(at, format!("has no form in OpenAPI 3.0: {message}"));
}

/// 3.0 has no `components/pathItems`, so path items are copied to where they are used.
fn path_items(document: &Value, form: &mut Value) {
    for (template, item) in members(document, "paths").filter(|(_, item)| pointer::reference(item).is_some()) {
        let site = join("/paths", template);
        let target = pointer::resolve(document, item, site.clone()).and_then(|(_, at)| form.pointer(&at).cloned());
        if let (Some(place), Some(item)) = (form.pointer_mut(&site), target) {
            *place = item;
        }
    }
    if let Some(components) = form.get_mut("components").and_then(Value::as_object_mut) {
        components.remove("pathItems");
    }
}

/// In 3.0 only OAuth and OpenID Connect have scopes.
fn scopes(contract: &Contract, owner: &mut Map<String, Value>) {
    let has_scopes = |scheme: &str| {
        let declared = contract.document().pointer(&join("/components/securitySchemes", scheme));
        let kind = declared.and_then(|scheme| text(contract.resolve(scheme), "type"));
        matches!(kind, Some("oauth2" | "openIdConnect"))
    };
    for requirement in owner.get_mut("security").and_then(Value::as_array_mut).into_iter().flatten() {
        let schemes = requirement.as_object_mut().into_iter().flatten();
        for (_, scopes) in schemes.filter(|(scheme, _)| !has_scopes(scheme)) {
            *scopes = Value::Array(Vec::new());
        }
    }
}

/// A request body without a meaning in HTTP "SHALL be ignored" (3.0.3, Operation Object).
fn bodies(item: &Map<String, Value>, at: &str, errors: &mut Errors<'_>) {
    for method in ["get", "head", "delete", "trace"] {
        if item.get(method).is_some_and(|operation| operation.get("requestBody").is_some()) {
            let here = join(&join(at, method), "requestBody");
            refuse(errors, &here, "the request body of a GET, HEAD, DELETE or TRACE is ignored");
        }
    }
}

/// 3.0 identifies a licence by its URL. SPDX has one for every identifier, but not for expressions of several.
fn license_url(license: &mut Map<String, Value>) {
    if let Some(Value::String(identifier)) = license.remove("identifier")
        && !identifier.contains([' ', '('])
    {
        let url = format!("https://spdx.org/licenses/{identifier}.html");
        license.entry("url").or_insert_with(|| url.into());
    }
}

#[cfg(test)]
mod tests {
    use crate::grammar::Kind;

    /// A keyword that is added to the grammar needs a form here.
    #[test]
    fn every_schema_keyword_of_the_grammar_is_one_of_3_0() {
        const SCHEMA_3_0: &str = "title multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength \
            pattern maxItems minItems uniqueItems maxProperties minProperties required enum type allOf oneOf anyOf not \
            items properties additionalProperties description format default nullable discriminator readOnly writeOnly \
            xml externalDocs example deprecated";
        let known: Vec<_> = SCHEMA_3_0.split(' ').chain(["examples"]).collect();
        for (keyword, shape) in Kind::Schema.keywords() {
            assert!(known.contains(keyword), "{keyword}");
            // These are flags in 3.0 and not in 3.1.
            assert!(!keyword.starts_with("exclusive") && *keyword != "nullable", "{keyword}: {shape:?}");
        }
    }
}
