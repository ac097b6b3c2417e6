//! One thing changed on one side is one drift, reported at the right place.

use openapi_drift::{DriftKind, NOT_COMPARED, compare};
use serde_json::{Value, json};

use crate::support::{LIBRARY, library, load, load_json};
use crate::{generated, listed, only_drift};

/// Sets the node at `pointer`, whose parent must exist; `-` appends.
#[track_caller]
pub(crate) fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let key = key.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")) {
        Value::Object(members) => {
            members.insert(key, value);
        }
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => items[key.parse::<usize>().expect("an index")] = value,
        other => panic!("{other} has no members"),
    }
}

#[track_caller]
pub(crate) fn remove(document: &mut Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let key = key.replace("~1", "/").replace("~0", "~");
    let removed = match document.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")) {
        Value::Object(members) => members.remove(&key),
        Value::Array(items) => Some(items.remove(key.parse().expect("an index"))),
        _ => None,
    };
    removed.unwrap_or_else(|| panic!("no {pointer}"))
}

/// Asserts the one drift after the code changed, as it is displayed.
#[track_caller]
pub(crate) fn code_drifts(change: impl FnOnce(&mut Value), expected: &str) {
    let mut generated = generated();
    change(&mut generated);
    assert_eq!(only_drift(&library(), &generated).to_string(), expected);
}

/// Asserts the one drift after the contract changed, as it is displayed.
#[track_caller]
pub(crate) fn contract_drifts(from: &str, to: &str, expected: &str) {
    assert_eq!(LIBRARY.matches(from).count(), 1, "`{from}` must occur once");
    let contract = load(&LIBRARY.replacen(from, to, 1));
    assert_eq!(only_drift(&contract, &generated()).to_string(), expected);
}

pub(crate) const LIST: &str = "/paths/~1books/get";

#[test]
fn keywords_of_schemas() {
    let title = "/components/schemas/BookInput/properties/title";
    let place = "POST /books → body → application/json → title";
    let at = "#/components/schemas/BookInput/properties/title";
    code_drifts(
        |code| set(code, &format!("{title}/maxLength"), json!(80)),
        &format!(
            "openapi.yaml:154:46: {place}: maxLength: expected 200 (openapi.yaml), found 80 (the code) ({at}/maxLength; also at 1 other place)"
        ),
    );
    code_drifts(
        |code| drop(remove(code, &format!("{title}/pattern"))),
        &format!(
            "openapi.yaml:154:62: {place}: pattern: missing in the code, expected \"^[^ ]\" (openapi.yaml) ({at}/pattern; also at 1 other place)"
        ),
    );
    code_drifts(
        |code| set(code, &format!("{title}/format"), json!("uri")),
        &format!(
            "openapi.yaml:154:9: {place}: format: missing in openapi.yaml, found \"uri\" (the code) ({at}/format; also at 1 other place)"
        ),
    );
    code_drifts(
        |code| set(code, &format!("{title}/maxLenght"), json!(80)),
        &format!(
            "openapi.yaml:154:9: {place}: maxLenght: missing in openapi.yaml, found 80 (the code) ({at}/maxLenght; also at 1 other place)"
        ),
    );
    code_drifts(
        |code| drop(remove(code, "/components/schemas/BookInput/additionalProperties")),
        "openapi.yaml:151:7: POST /books → body → application/json: additionalProperties: missing in the code, expected false (openapi.yaml) (#/components/schemas/BookInput/additionalProperties; also at 1 other place)",
    );
}

#[test]
fn sets_tell_their_difference() {
    code_drifts(
        |code| set(code, "/components/schemas/BookInput/properties/kind/enum", json!(["essay", "novel", "comic"])),
        "openapi.yaml:156:31: POST /books → body → application/json → kind: enum: only openapi.yaml has \"atlas\", only the code has \"comic\" (#/components/schemas/BookInput/properties/kind/enum; also at 1 other place)",
    );
    contract_drifts(
        "required: [title, status]",
        "required: [title]",
        "openapi.yaml:213:7: GET /books → 400 → application/problem+json: required: only the code has \"status\" (#/components/schemas/Problem/required; also at 2 other places)",
    );
    contract_drifts(
        "tags: [books, catalogue]",
        "tags: [books, shelves]",
        "openapi.yaml:24:7: GET /books: tags: only openapi.yaml has \"shelves\", only the code has \"catalogue\" (#/paths/~1books/get/tags)",
    );
}

#[test]
fn properties_whose_names_are_keywords() {
    code_drifts(
        |code| drop(remove(code, "/components/schemas/BookInput/properties/description")),
        "openapi.yaml:155:9: POST /books → body → application/json → description: missing in the code (#/components/schemas/BookInput/properties/description; also at 1 other place)",
    );
    contract_drifts(
        "        title: { type: string }\n",
        "        title: { type: string, minLength: 1 }\n",
        "openapi.yaml:215:32: GET /books → 400 → application/problem+json → title: minLength: missing in the code, expected 1 (openapi.yaml) (#/components/schemas/Problem/properties/title/minLength; also at 2 other places)",
    );
}

#[test]
fn nodes_that_one_side_lacks_are_one_drift_each() {
    for (pointer, place) in [
        ("/paths/~1books", "/books"),
        ("/paths/~1books/get", "GET /books"),
        ("/paths/~1books/get/responses/200", "GET /books → 200"),
        ("/paths/~1books/get/responses/200/headers", "GET /books → 200 → headers"),
        ("/paths/~1books/get/responses/200/headers/Link", "GET /books → 200 → header Link"),
        ("/paths/~1books/get/responses/200/content", "GET /books → 200 → content"),
        ("/paths/~1books/get/responses/200/content/text~1csv", "GET /books → 200 → text/csv"),
        ("/paths/~1books/post/requestBody", "POST /books → requestBody"),
        ("/paths/~1covers~1{id}/put/requestBody/content/multipart~1form-data/encoding", ""),
        ("/components/schemas/Unused", "schemas → Unused"),
    ] {
        let mut code = generated();
        remove(&mut code, pointer);
        let drift = only_drift(&library(), &code);
        assert_eq!((drift.kind, drift.pointer.as_str()), (DriftKind::MissingInCode, pointer));
        assert!(place.is_empty() || drift.place == place, "{drift}");
    }
    let mut nothing = generated();
    remove(&mut nothing, "/paths");
    let drifts = compare(&library(), &nothing);
    assert!(drifts.iter().any(|drift| drift.pointer == "/paths"), "{}", listed(&drifts));
}

#[test]
fn nodes_that_only_the_code_has_would_be_somewhere() {
    for (pointer, value, position) in [
        ("/paths/~1pens", json!({"get": {"operationId": "pens", "responses": {}}}), "14:1"),
        ("/paths/~1books/delete", json!({"operationId": "burn", "responses": {}}), "15:3"),
        ("/paths/~1books/get/responses/500", json!({"description": "d"}), "42:7"),
        ("/paths/~1books/get/responses/default", json!({"description": "d"}), "42:7"),
        ("/paths/~1books/get/responses/200/content/text~1html", json!({}), "51:11"),
        ("/paths/~1books/get/callbacks", json!({}), "21:5"),
        ("/webhooks", json!({"w": {}}), "2:1"),
        ("/components/schemas/More", json!({"type": "string"}), "146:3"),
        ("/components/callbacks/More", json!({}), "106:1"),
    ] {
        let mut code = generated();
        if pointer.starts_with("/components/callbacks") {
            set(&mut code, "/components/callbacks", json!({}));
        }
        set(&mut code, pointer, value.clone());
        let drift = only_drift(&library(), &code);
        assert_eq!((drift.kind, drift.pointer.as_str()), (DriftKind::MissingInContract, pointer));
        assert_eq!((drift.position.to_string().as_str(), drift.code), (position, Some(value)), "{pointer}");
    }
}

/// utoipa can list a schema that nothing uses, and nothing else: other drifts could not be fixed.
#[test]
fn of_unused_components_only_schemas_count() {
    let mut document = library().document().clone();
    for (section, spare) in [
        ("parameters", json!({"name": "spare", "in": "query", "schema": {"type": "string"}})),
        ("headers", json!({"schema": {"type": "string"}})),
        ("requestBodies", json!({"content": {"a/b": {}}})),
        ("responses", json!({"description": "d"})),
        ("pathItems", json!({"get": {"operationId": "spare", "responses": {"204": {"description": "d"}}}})),
        ("examples", json!({"value": 1})),
        ("links", json!({"operationId": "getBook"})),
        ("securitySchemes", json!({"type": "http", "scheme": "basic"})),
    ] {
        let section = format!("/components/{section}");
        if document.pointer(&section).is_none() {
            set(&mut document, &section, json!({}));
        }
        set(&mut document, &format!("{section}/Spare"), spare);
    }
    let contract = load_json(&document).expect("a contract");
    let drifts = compare(&contract, &generated());
    assert!(drifts.is_empty(), "{}", listed(&drifts));

    let mut code = generated();
    set(&mut code, "/components/responses", json!({"Spare": {"description": "d"}}));
    set(&mut code, "/components/securitySchemes", json!({}));
    assert!(compare(&library(), &code).is_empty());
    set(&mut code, "/components/schemas/Spare", json!({"type": "string"}));
    assert_eq!(only_drift(&library(), &code).pointer, "/components/schemas/Spare");
}

#[test]
fn names_that_differ_in_case_alone_are_the_same_where_http_defines_it() {
    let mut code = generated();
    let response = format!("{LIST}/responses/200");
    let header = remove(&mut code, &format!("{response}/headers/X-Total"));
    set(&mut code, &format!("{response}/headers/x-total"), header.clone());
    let csv = remove(&mut code, &format!("{response}/content/text~1csv"));
    set(&mut code, &format!("{response}/content/Text~1CSV"), csv);
    let tenant = code.to_string().replace("\"X-Tenant\"", "\"x-tenant\"").replace("image/png", "Image/PNG");
    let mut code: Value = serde_json::from_str(&tenant).expect("JSON");
    assert!(tenant.contains("x-tenant") && tenant.contains("Image/PNG"));
    let drifts = compare(&library(), &code);
    assert!(drifts.is_empty(), "{}", listed(&drifts));

    // What is below is compared too, and reported with the name in the contract.
    set(&mut code, &format!("{response}/headers/x-total/schema/minimum"), json!(1));
    assert_eq!(only_drift(&library(), &code).pointer, format!("{response}/headers/X-Total/schema/minimum"));
    // Two of the code are one too many.
    set(&mut code, &format!("{response}/headers/x-total/schema/minimum"), json!(0));
    set(&mut code, &format!("{response}/headers/X-TOTAL"), header);
    let drift = only_drift(&library(), &code);
    assert_eq!((drift.kind, drift.place.as_str()), (DriftKind::MissingInContract, "GET /books → 200 → header x-total"));

    // A query parameter or a property in another case is another one.
    let tag = generated().to_string().replace("\"name\":\"tag\"", "\"name\":\"Tag\"");
    let drifts = compare(&library(), &serde_json::from_str(&tag).expect("JSON"));
    assert_eq!(drifts.len(), 2, "{}", listed(&drifts));
}

#[test]
fn parameters_are_paired_by_location_and_name() {
    let mut code = generated();
    let parameters = format!("{LIST}/parameters");
    // The order of the list means nothing.
    if let Some(Value::Array(list)) = code.pointer_mut(&parameters) {
        list.reverse();
    }
    assert!(compare(&library(), &code).is_empty());

    let tag = r#"{"name": "tag", "in": "query"}"#;
    let index = |code: &Value, name: &str| {
        let list = code.pointer(&parameters).and_then(Value::as_array).expect("a list");
        list.iter().position(|one| one["name"] == name).expect(tag)
    };
    let tag = format!("{parameters}/{}", index(&generated(), "tag"));
    code_drifts(
        |code| set(code, &format!("{tag}/required"), json!(true)),
        "openapi.yaml:28:11: GET /books → query tag: required: missing in openapi.yaml, found true (the code) (#/paths/~1books/get/parameters/1/required)",
    );
    code_drifts(
        |code| drop(remove(code, &format!("{tag}/explode"))),
        "openapi.yaml:31:11: GET /books → query tag: explode: missing in the code, expected false (openapi.yaml) (#/paths/~1books/get/parameters/1/explode)",
    );
    code_drifts(
        |code| drop(remove(code, &tag)),
        "openapi.yaml:28:11: GET /books → query tag: missing in the code (#/paths/~1books/get/parameters/1)",
    );
    for extra in [json!({"name": "new", "in": "query"}), json!({"name": "tag", "in": "query"}), json!({"odd": 1})] {
        let mut code = generated();
        set(&mut code, &format!("{parameters}/-"), extra);
        let drift = only_drift(&library(), &code);
        assert_eq!((drift.kind, drift.pointer), (DriftKind::MissingInContract, format!("{parameters}/-")));
        assert_eq!(drift.position.to_string(), "26:7");
    }
}

#[test]
fn planned_operations_that_are_built() {
    let mut code = generated();
    set(&mut code, "/paths/~1loans", json!({"get": {"operationId": "listLoans", "responses": {}}}));
    let drift = only_drift(&library(), &code);
    assert_eq!(drift.kind, DriftKind::NotPlanned);
    assert_eq!(
        drift.to_string(),
        "openapi.yaml:99:7: GET /loans: planned in openapi.yaml, but the code has a handler (#/paths/~1loans/get/x-status)"
    );
}

#[test]
fn lists_of_schemas_are_compared_one_by_one() {
    let word = "/components/schemas/ByWord/properties/word/anyOf";
    let place = "GET /books → query filter → application/json → oneOf → 1 → word → anyOf";
    code_drifts(
        |code| drop(remove(code, &format!("{word}/1"))),
        &format!("openapi.yaml:204:57: {place} → 1: missing in the code (#{word}/1)"),
    );
    code_drifts(
        |code| set(code, &format!("{word}/-"), json!({})),
        &format!("openapi.yaml:204:17: {place} → 2: missing in openapi.yaml, found {{}} (the code) (#{word}/-)"),
    );
}

#[test]
fn drifts_come_in_the_order_of_the_contract() {
    let mut code = generated();
    set(&mut code, "/components/schemas/Problem/required", json!(["title"]));
    set(&mut code, "/paths/~1books/get/operationId", json!("list"));
    remove(&mut code, "/paths/~1covers~1{id}/put/responses/204");
    let drifts = compare(&library(), &code);
    let lines: Vec<_> = drifts.iter().map(|drift| drift.position.line).collect();
    assert_eq!(lines, [22, 95, 213], "{}", listed(&drifts));
}

/// A long chain of references, a circle of them, and no document at all: the answer may be anything but a panic.
#[test]
fn odd_specs_are_answered() {
    for odd in
        [json!(null), json!([]), json!({}), json!({"paths": 1}), json!({"paths": {"/books": 1}, "components": 1})]
    {
        assert!(!compare(&library(), &odd).is_empty());
    }
    let chain = |length: usize| {
        let next = |index: usize| match (index + 1) % length {
            0 => json!({"type": "string"}),
            next => json!({"type": "array", "items": {"$ref": format!("#/components/schemas/S{next}")}}),
        };
        let schemas: serde_json::Map<_, _> = (0..length).map(|index| (format!("S{index}"), next(index))).collect();
        let content = json!({"a/b": {"schema": {"$ref": "#/components/schemas/S0"}}});
        let response = json!({"description": "d", "content": content});
        json!({
            "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "security": [],
            "paths": {"/p": {"get": {"operationId": "p", "responses": {"200": response}}}},
            "components": {"schemas": schemas},
        })
    };
    let contract = load_json(&chain(2_000)).expect("a contract");
    assert!(compare(&contract, &chain(2_000)).is_empty());
    // The last link is a string on one side and a list on the other.
    assert_eq!(compare(&contract, &chain(1_999)).len(), 2);
}

#[test]
fn what_is_not_compared_is_said_with_a_reason() {
    for rule in NOT_COMPARED {
        assert!(!rule.why.is_empty(), "{}", rule.key);
    }
    // Adding to the list weakens every build: let it be noticed.
    assert_eq!(NOT_COMPARED.len(), 23);
}
