//! Everything that is wrong is reported at once: faults of the contract, and drifts.

use openapi_contract::{Contract, Profile};
use openapi_drift::{CheckReport, check};
use openapi_drift::{CodeSide, Side};
use serde_json::json;

use crate::generated;
use crate::support::{self, LIBRARY, chosen, library};

/// [`LIBRARY`] after these replacements.
#[track_caller]
fn inspected(changes: &[(&str, &str)]) -> CheckReport {
    let yaml = changes.iter().fold(LIBRARY.to_owned(), |yaml, (from, to)| {
        assert_eq!(yaml.matches(from).count(), 1, "`{from}` must occur once");
        yaml.replacen(from, to, 1)
    });
    check("openapi.yaml", yaml.as_bytes(), Profile::Supported, &generated(), CodeSide::UNKNOWN)
}

/// The pointers of what is reported, without what the linter reports of [`LIBRARY`] as it is.
#[track_caller]
fn reported(changes: &[(&str, &str)]) -> [Vec<String>; 2] {
    let found = inspected(changes);
    let before = openapi_lint::lint(&library());
    let fresh = |pointer: &String| !before.iter().any(|fault| fault.pointer == *pointer);
    assert!(found.artifacts.is_none());
    [
        found.faults.iter().map(|fault| fault.pointer.clone()).filter(fresh).collect(),
        found.drifts.iter().map(|one| one.drift.pointer.clone()).collect(),
    ]
}

const LOWER: (&str, &str) = ("maxLength: 200,", "maxLength: 90,");
const TITLE: &str = "/components/schemas/BookInput/properties/title/maxLength";

#[test]
fn a_fault_hides_no_drift() {
    for (fault, change) in [
        ("/components/schemas/Loan/x-foo", ("    Loan:\n", "    Loan:\n      x-foo: 1\n")),
        ("/components/schemas/Id/type", ("Id: { type: string,", "Id: { type: [string, 'null'],")),
        (
            "/paths/~1books/post/responses/201/links/read/operationId",
            ("read: { operationId: getBook", "read: { operationId: get"),
        ),
        ("/components/schemas/Problem/properties/status/example", ("example: 404", "example: 90")),
    ] {
        let [faults, drifts] = reported(&[change, LOWER]);
        assert_eq!(faults, [fault]);
        assert!(drifts.contains(&TITLE.to_owned()), "{fault}: {drifts:?}");
    }
}

#[test]
fn what_follows_from_a_fault_is_not_reported_again() {
    // The code has `maxLength`, which the contract misspells; the example of another schema is wrong too.
    let misspelt = ("maxLength: 200,", "maxLenght: 200,");
    let wrong = ("example: 404", "example: 90");
    let [faults, drifts] = reported(&[misspelt, wrong]);
    let at = |name: &str| TITLE.replace("maxLength", name);
    assert_eq!(faults, [at("maxLenght"), "/components/schemas/Problem/properties/status/example".to_owned()]);
    assert_eq!(drifts, Vec::<String>::new());
    // The same where an operation has moved, for which the documents are compared once more.
    let [faults, drifts] = reported(&[misspelt, ("  /covers/{id}:", "  /jackets/{id}:")]);
    assert!(faults.contains(&at("maxLenght")), "{faults:?}");
    assert_eq!(drifts, ["/paths/~1jackets~1{id}"]);
    // An object with a fault is not linted before it is corrected.
    let both = ("minLength: 1, maxLength: 200,", "minLength: 300, maxLength: 200, x-foo: 1,");
    let [faults, drifts] = reported(&[both]);
    assert_eq!((faults, drifts), (vec![at("x-foo")], vec![at("minLength")]));
}

#[test]
fn what_cannot_be_read_is_reported_alone() {
    for change in [
        ("Loan:\n      type: object", "Loan:\n      type: [object"),
        ("maxLength: 2000", "maxLength: many"),
        ("schema: { $ref: '#/components/schemas/Loan' }", "schema: { $ref: '#/components/schemas/Lone' }"),
        ("operationId: putCover", "operationId: getBook"),
    ] {
        let found = inspected(&[change, LOWER]);
        assert_eq!((found.contract.is_none(), found.faults.len(), found.drifts.len()), (true, 1, 0), "{change:?}");
    }
}

#[test]
fn a_fix_is_tried_whatever_else_is_wrong() {
    let found = inspected(&[("    Loan:\n", "    Loan:\n      x-foo: 1\n"), LOWER]);
    let drift = found.drifts.iter().find(|one| one.drift.pointer == TITLE).expect("the drift");
    let fix = drift.fixes.iter().find(|fix| fix.side == Side::Contract).expect("a fix");
    assert_eq!((fix.edits.len(), fix.note.as_str()), (1, ""));
    let page = found.page(0);
    assert!(page.starts_with("error[contract-unenforceable]: openapi.yaml:"), "{page}");
    assert!(page.ends_with("errors in the contract: 11, drifts: 1\n"), "{page}");
}

/// The supported subset is part of OpenAPI 3.1: what OpenAPI 3.1 refuses, it refuses too.
#[test]
fn the_supported_subset_is_stricter_than_the_standard() {
    let mut lenient = 0;
    for pointer in chosen(support::pointers(library().document())) {
        for (_, mutant) in support::mutants(library().document(), &pointer) {
            let text = mutant.to_string();
            let [supported, standard] =
                [Contract::load("c", &text).is_ok(), Contract::read("c", &text, Profile::Standard).is_ok()];
            assert!(standard || !supported, "{pointer}: {text}");
            assert_eq!(Contract::read("c", &text, Profile::Supported).is_ok(), standard || supported);
            lenient += usize::from(standard && !supported);
        }
    }
    assert!(lenient > 10, "{lenient}");
}

/// Other documents are read, however they use OpenAPI 3.1; what would make a comparison wrong is an error at its place.
#[test]
fn a_document_of_the_standard_is_read() {
    let standard = json!({
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1.0.0", "x-logo": {}},
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "x-root": null,
        "tags": [{"name": "a", "x-tag": 1}],
        "webhooks": {"born": {"post": {"responses": {"2XX": {"description": "Heard."}}}}},
        "paths": {
            "x-paths": 1,
            "/a": {"$ref": "#/components/pathItems/A", "summary": "Beside."},
            "/b/{undeclared}": {"get": {"callbacks": {
                "on": {"{$request.body#/url}": {"post": {"responses": {"default": {"description": "D"}}}}},
                "c": {"$ref": "#/components/callbacks/C"},
            }}},
        },
        "components": {
            "securitySchemes": {"c": {"type": "mutualTLS"}},
            "callbacks": {"C": {"{$url}": {"get": {}}}},
            "pathItems": {"A": {"get": {
                "tags": ["a", "a"],
                "parameters": [{"name": "p", "in": "query", "schema": {"$ref": "#/components/schemas/S", "maximum": 1}}],
                "responses": {"x-r": 1, "200": {"$ref": "#/components/responses/R", "description": "Mine."}},
            }}},
            "responses": {"R": {"description": "R"}},
            "schemas": {
                "S": {"type": ["integer", "null"], "exclusiveMinimum": 0, "const": 1, "if": true, "else": false,
                    "prefixItems": [true, {"type": "null"}], "$defs": {"d": {"$anchor": "d"}}, "enum": [1, 1],
                    "dependentRequired": {"a": ["b"]}, "unevaluatedProperties": {"type": "string"}, "x-any": {}, "own": 1},
                "A": {"type": "array", "items": {"$ref": "#/components/schemas/S"}},
                "P": {"$ref": "#/paths/~1b~1{undeclared}/x-schema"},
            },
        },
    });
    let mut standard = standard;
    standard["paths"]["/b/{undeclared}"]["x-schema"] = json!({"type": "string"});
    let read = |document: &serde_json::Value| Contract::read("old.yaml", &document.to_string(), Profile::Standard);
    assert_eq!(read(&standard).err(), None);
    for (at, odd) in [
        ("/components/schemas/S/exclusiveMinimum", json!("lots")),
        ("/components/schemas/S/type/1", json!("nothing")),
        ("/components/schemas/S/$defs/d", json!(1)),
        ("/components/schemas/S/prefixItems/1/type", json!("nil")),
        ("/components/schemas/A/items/$ref", json!("#/components/schemas/Q")),
        ("/components/schemas/A/items/$ref", json!("#/components/responses/R")),
        ("/components/schemas/A/items/$ref", json!("#d")),
        ("/components/schemas/A/items/$ref", json!("else.yaml#/F")),
        ("/components/pathItems/A/get/parameters/0/schema/$ref", json!("#/nowhere")),
        ("/webhooks/born/post/responses/2XX/content", json!([])),
        ("/paths/~1b~1{undeclared}/get/callbacks/on/{$request.body#~1url}/post", json!([])),
        ("/components/securitySchemes/c/type", json!("mutual")),
        ("/paths/~1a/$ref", json!("#/components/pathItems/B")),
        ("/info", json!([])),
    ] {
        let mut broken = standard.clone();
        let (owner, key) = at.rsplit_once('/').unwrap();
        match broken.pointer_mut(owner).unwrap() {
            serde_json::Value::Array(items) => items[key.parse::<usize>().unwrap()] = odd,
            members => members[&key.replace("~1", "/")] = odd,
        }
        let errors = read(&broken).expect_err(at);
        assert!(errors.len() == 1 && at.starts_with(&errors[0].pointer), "{at}: {errors:?}");
        assert!(at.len() - errors[0].pointer.len() < 3, "{at}: {errors:?}");
    }
}
