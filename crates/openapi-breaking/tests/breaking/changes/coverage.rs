//! Every keyword of the supported subset has a rule: a keyword that is added to the grammar must be added here.

use std::collections::{BTreeMap, BTreeSet};

use openapi_breaking::RULES;
use openapi_contract::EXTENSIONS;
use openapi_contract::Kind;
use openapi_contract::grammar::Shape;

/// The rules by which keywords are classified; `*` stands for `request` and `response`.
/// `within`: its content is classified, or it only identifies what is.
const RULES_OF_KEYWORDS: &[(Kind, &str, &str)] = &[
    (Kind::Document, "openapi tags externalDocs", "prose-changed"),
    (Kind::Document, "info paths components", "within"),
    (Kind::Document, "servers", "server-added server-removed"),
    (Kind::Document, "security", "security-required security-alternative-removed security-scope-added"),
    (Kind::Info, "title summary description termsOfService contact license", "prose-changed"),
    (Kind::Info, "version", "within"),
    (Kind::Contact, "name url email", "prose-changed"),
    (Kind::License, "name identifier url", "prose-changed"),
    (Kind::Server, "url", "server-added server-removed"),
    (Kind::Server, "description", "prose-changed"),
    (Kind::Server, "variables", "server-changed"),
    (Kind::ServerVariable, "enum default description", "server-changed"),
    (Kind::Tag, "name description externalDocs", "prose-changed"),
    (Kind::ExternalDocs, "description url", "prose-changed"),
    (
        Kind::Components,
        "schemas responses parameters examples requestBodies headers securitySchemes links pathItems",
        "unused-component-changed",
    ),
    (Kind::PathItem, "summary description", "prose-changed"),
    (Kind::PathItem, "get put post delete options head patch trace", "operation-added operation-removed"),
    (Kind::PathItem, "servers", "server-added server-removed"),
    (Kind::PathItem, "parameters", "parameter-added-optional parameter-removed"),
    (Kind::Operation, "summary description externalDocs", "prose-changed"),
    (Kind::Operation, "tags", "tag-added tag-removed"),
    (Kind::Operation, "operationId", "operation-id-changed"),
    (Kind::Operation, "parameters", "parameter-added-optional parameter-removed query-parameter-removed"),
    (Kind::Operation, "requestBody", "request-body-added-required request-body-removed"),
    (Kind::Operation, "responses", "response-success-added response-success-removed response-status-removed"),
    (Kind::Operation, "deprecated", "operation-deprecated operation-revived"),
    (Kind::Operation, "x-deprecated-since", "prose-changed"),
    (Kind::Operation, "security", "security-required security-alternative-removed security-scope-added"),
    (Kind::Operation, "servers", "server-added server-removed"),
    (Kind::Operation, "x-max-body-bytes", "max-body-lowered max-body-raised"),
    (Kind::Operation, "x-rate-cost", "prose-changed"),
    (Kind::Operation, "x-unknown-query", "prose-changed"),
    (Kind::Operation, "x-status", "operation-built operation-withdrawn planned-operation-changed"),
    (Kind::Operation, "x-sunset", "sunset-set sunset-earlier sunset-later sunset-removed sunset-in-the-past"),
    (Kind::Parameter, "name", "parameter-added-optional parameter-removed path-parameter-renamed"),
    (Kind::Parameter, "in", "parameter-moved"),
    (Kind::Parameter, "description example examples", "prose-changed"),
    (Kind::Parameter, "required", "parameter-became-required parameter-became-optional"),
    (Kind::Parameter, "deprecated", "part-deprecated part-revived"),
    (Kind::Parameter, "allowEmptyValue allowReserved", "parameter-leniency-granted parameter-leniency-withdrawn"),
    (Kind::Parameter, "style explode", "parameter-serialization-changed parameter-serialization-respelled"),
    (Kind::Parameter, "schema", "within"),
    (Kind::Parameter, "content", "parameter-serialization-changed"),
    (Kind::RequestBody, "description", "prose-changed"),
    (Kind::RequestBody, "content", "request-media-type-added request-media-type-removed"),
    (Kind::RequestBody, "required", "request-body-became-required request-body-became-optional"),
    (Kind::MediaType, "schema", "within"),
    (Kind::MediaType, "example examples", "prose-changed"),
    (Kind::MediaType, "encoding", "*-encoding-changed"),
    (Kind::Encoding, "contentType headers style explode allowReserved", "*-encoding-changed"),
    (Kind::Response, "description", "prose-changed"),
    (Kind::Response, "headers", "response-header-added response-header-removed response-optional-header-removed"),
    (Kind::Response, "content", "response-media-type-added response-media-type-removed"),
    (Kind::Response, "links", "link-added link-removed"),
    (Kind::Header, "description example examples", "prose-changed"),
    (Kind::Header, "required", "response-header-became-optional response-header-became-required"),
    (Kind::Header, "deprecated", "part-deprecated part-revived"),
    (Kind::Header, "style explode content", "response-header-serialization-changed"),
    (Kind::Header, "schema", "within"),
    (Kind::Link, "operationId operationRef parameters requestBody server", "link-changed"),
    (Kind::Link, "description", "prose-changed"),
    (Kind::Example, "summary description value externalValue", "prose-changed"),
    (Kind::Schema, "title description example examples externalDocs", "prose-changed"),
    (Kind::Schema, "type", "*-type-changed *-type-narrowed *-type-widened request-null-refused response-null-added"),
    (Kind::Schema, "format", "*-format-added *-format-removed *-format-changed *-format-widened *-format-narrowed"),
    (Kind::Schema, "enum", "*-enum-value-added *-enum-value-removed *-enum-introduced *-enum-lifted"),
    (Kind::Schema, "default", "*-default-added *-default-changed *-default-removed"),
    (
        Kind::Schema,
        "maximum minimum maxLength minLength maxItems minItems maxProperties minProperties",
        "*-bound-tightened *-bound-loosened",
    ),
    (Kind::Schema, "multipleOf", "*-bound-tightened *-bound-loosened *-multiple-changed"),
    (Kind::Schema, "pattern", "*-pattern-added *-pattern-changed *-pattern-removed"),
    (Kind::Schema, "uniqueItems not", "*-constraint-added *-constraint-removed *-constraint-changed"),
    (Kind::Schema, "required", "*-property-became-required *-property-became-optional"),
    (Kind::Schema, "properties", "request-property-added-optional request-property-removed response-property-added"),
    (Kind::Schema, "additionalProperties", "*-additional-properties-narrowed *-additional-properties-widened"),
    (Kind::Schema, "items allOf", "within"),
    (Kind::Schema, "anyOf oneOf", "*-variant-added *-variant-removed *-union-changed"),
    (Kind::Schema, "discriminator", "*-discriminator-set"),
    (Kind::Schema, "xml", "*-constraint-changed"),
    (
        Kind::Schema,
        "readOnly",
        "request-property-became-read-only request-property-added-optional prose-changed unsent-property-changed",
    ),
    (
        Kind::Schema,
        "writeOnly",
        "response-property-removed response-property-added prose-changed unsent-property-changed",
    ),
    (Kind::Schema, "deprecated", "part-deprecated part-revived"),
    (Kind::Schema, "x-pattern-description", "prose-changed"),
    (Kind::Discriminator, "propertyName", "*-discriminator-changed"),
    (Kind::Discriminator, "mapping", "*-mapping-added *-mapping-removed *-discriminator-changed"),
    (Kind::Xml, "name namespace prefix attribute wrapped", "*-constraint-changed"),
    (Kind::SecurityScheme, "type name in scheme openIdConnectUrl", "security-scheme-changed"),
    (Kind::SecurityScheme, "description bearerFormat", "prose-changed"),
    (Kind::SecurityScheme, "flows", "security-flow-added security-flow-changed"),
    (
        Kind::OAuthFlows,
        "implicit password clientCredentials authorizationCode",
        "security-flow-added security-flow-changed",
    ),
    (Kind::OAuthFlow, "authorizationUrl tokenUrl refreshUrl scopes", "security-flow-added security-flow-changed"),
];

/// Every kind of object in a document.
fn kinds() -> Vec<Kind> {
    let mut kinds = vec![Kind::Document];
    let mut next = 0;
    while let Some(kind) = kinds.get(next) {
        let inner = kind.keywords().iter().filter_map(|(_, shape)| match shape {
            Shape::One(kind) | Shape::List(kind) | Shape::Map(kind) => Some(*kind),
            Shape::Statuses => Some(Kind::Response),
            _ => None,
        });
        let new: Vec<Kind> = inner.filter(|kind| !kinds.contains(kind)).collect();
        for kind in new {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        next += 1;
    }
    kinds
}

#[test]
fn every_keyword_of_the_grammar_has_a_rule() {
    let mut classified: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (kind, keywords, rules) in RULES_OF_KEYWORDS {
        for keyword in keywords.split(' ') {
            classified.entry(format!("{kind:?} {keyword}")).or_default().push(rules);
        }
    }
    let grammar = kinds().into_iter().flat_map(|kind| kind.keywords().iter().map(move |(key, _)| (kind, *key)));
    let extensions = EXTENSIONS.iter().map(|extension| (extension.on, extension.key));
    let known: BTreeSet<String> = grammar.chain(extensions).map(|(kind, key)| format!("{kind:?} {key}")).collect();
    assert_eq!(classified.keys().cloned().collect::<BTreeSet<_>>(), known);
    assert!(classified.values().all(|rules| rules.len() == 1), "{classified:#?}");
}

#[test]
fn every_listed_rule_exists() {
    let exists = |id: &str| RULES.iter().any(|rule| rule.id == id);
    for (kind, keywords, rules) in RULES_OF_KEYWORDS {
        for id in rules.split(' ').filter(|id| *id != "within") {
            let ids = match id.strip_prefix('*') {
                Some(rest) => vec![format!("request{rest}"), format!("response{rest}")],
                None => vec![id.to_owned()],
            };
            assert!(ids.iter().all(|id| exists(id)), "{kind} {keywords}: there is no rule {id}");
        }
    }
}
