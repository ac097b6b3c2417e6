//! What loads, and the running server would not obey.

use openapi_contract::Contract;

use crate::support::{LIBRARY, load, only_message};

/// A contract whose every promise can be kept, with one of everything that could not be.
const SMALL: &str = "\
openapi: 3.1.0
info: { title: Small, version: '1' }
security: []
paths:
  /things/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { $ref: '#/components/schemas/Id' } }
    put:
      operationId: putThing
      parameters:
        - name: limit
          in: query
          schema: { type: integer, minimum: 1, maximum: 9, default: 5 }
      requestBody:
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Thing' }
      responses:
        200:
          description: A thing.
          content:
            text/plain: { schema: { type: string, pattern: '(?=only of answers)' } }
  /later:
    get:
      operationId: later
      x-status: planned
      security: [{ key: [] }]
      x-sunset: 2027-01-01
      responses: { 204: { description: Not yet. } }
components:
  schemas:
    Id: { type: string, pattern: '^[a-z\\u0080-\\u00ff]+$' }
    Thing:
      type: object
      properties:
        inner: { $ref: '#/components/schemas/Thing' }
        names: { type: array, items: { allOf: [{ $ref: '#/components/schemas/Id' }] } }
  securitySchemes:
    key: { type: http, scheme: bearer }
";

/// What cannot be enforced, as `line:column message`, without the words that all share.
fn broken(contract: &Contract) -> Vec<String> {
    let told = openapi_lint::unenforceable(contract);
    told.iter()
        .map(|error| {
            assert_eq!(error.file, "openapi.yaml");
            assert!(contract.document().pointer(&error.pointer).is_some(), "{}", error.pointer);
            let message = error.message.strip_prefix("cannot be enforced: ").expect("says what it is about");
            format!("{} {message}", error.position)
        })
        .collect()
}

/// Asserts the one promise that one replacement makes, by how its message starts.
#[track_caller]
fn breaks(from: &str, to: &str, expected: &str) {
    only_message(SMALL, (from, to), expected, |yaml| broken(&load(yaml)));
}

#[test]
fn what_is_planned_or_answered_promises_nothing() {
    assert!(broken(&load(SMALL)).is_empty());
}

#[test]
fn security_wherever_it_is_said() {
    breaks("security: []\n", "security: [{ key: [] }]\n", "3:1 credentials are not checked yet");
    let own = "operationId: putThing\n      security: [{ key: [] }, {}]";
    breaks("operationId: putThing", own, "10:7 credentials are not checked yet");
    let open = SMALL.replace("security: []\n", "security: [{ key: [] }]\n");
    let open = open.replace("operationId: putThing", "operationId: putThing\n      security: []");
    assert!(broken(&load(&open)).is_empty(), "no operation takes the document's");
}

#[test]
fn methods_that_the_server_answers_by_itself() {
    for (method, why) in [("head", "HEAD is answered"), ("options", "OPTIONS is answered"), ("trace", "TRACE is never")]
    {
        let to = format!("    {method}:\n      operationId: putThing");
        // A body of its own means nothing to these methods, but it is not what is told.
        breaks("    put:\n      operationId: putThing", &to, &format!("8:5 {why}"));
    }
}

#[test]
fn a_deprecation_without_its_date() {
    let with = |keys: &str| format!("operationId: putThing\n      {}", keys.replace(", ", "\n      "));
    let put = "operationId: putThing";
    breaks(put, &with("deprecated: true"), "10:7 the `Deprecation` header tells a date");
    breaks(put, &with("x-deprecated-since: 2026-01-01"), "10:7 it belongs to what is deprecated");
    breaks(put, &with("x-sunset: 2027-01-01"), "10:7 only what is deprecated goes away");
    let late = with("deprecated: true, x-deprecated-since: 2026-01-01T12:00:00Z, x-sunset: 2026-01-01");
    breaks(put, &late, "12:7 no operation goes away before");
    for good in ["deprecated: false", "deprecated: true, x-deprecated-since: 2026-01-01, x-sunset: 2026-01-01"] {
        assert!(broken(&load(&SMALL.replace(put, &with(good)))).is_empty(), "{good}");
    }
}

#[test]
fn links_to_what_is_planned() {
    let linked = |link: &str| format!("description: A thing.\n          links: {{ next: {{ {link} }} }}");
    breaks("description: A thing.", &linked("operationId: later"), "21:20 `later` is planned");
    breaks("description: A thing.", &linked("operationRef: '#/paths/~1later/get'"), "21:20 `later` is planned");
    assert!(broken(&load(&SMALL.replace("description: A thing.", &linked("operationId: putThing")))).is_empty());
}

#[test]
fn parameters_that_are_not_one_scalar_in_the_usual_style() {
    let schema = "          schema: { type: integer, minimum: 1, maximum: 9, default: 5 }\n";
    let content = "          content: { application/json: { schema: { type: integer } } }\n";
    breaks(schema, content, "13:11 a parameter is read as one scalar; use `schema`");
    breaks(schema, "          schema: { type: array, items: {} }\n", "13:21 a parameter is read as one scalar, never");
    breaks(schema, "          schema: { type: object }\n", "13:21 a parameter is read as one scalar, never");
    breaks("type: string, pattern: '^[", "type: array, items: {}, pattern: '^[", "32:11 a parameter is read as");
    breaks("in: query\n", "in: cookie\n", "12:11 cookies are not read");
    breaks("in: query\n", "in: query\n          style: pipeDelimited\n", "13:11 `pipeDelimited` is not read; a query");
    breaks("in: path,", "in: path, style: label,", "7:31 `label` is not read; a path parameter is `simple`");
    breaks("in: query\n", "in: query\n          allowReserved: true\n", "13:11 a query is cut at each `&`");
    breaks("in: query\n", "in: query\n          allowEmptyValue: true\n", "13:11 an empty value is held");
    for usual in ["style: form", "allowReserved: false", "explode: true"] {
        let text = SMALL.replace("in: query\n", &format!("in: query\n          {usual}\n"));
        assert!(broken(&load(&text)).is_empty(), "{usual}");
    }
    let hidden = "          schema: { oneOf: [{ type: string }, { allOf: [{ type: integer }] }] }\n";
    breaks(schema, hidden, "13:59 text is read by the `type` at the head");
    let stated = "          schema: { type: integer, allOf: [{ type: integer, minimum: 1 }] }\n";
    assert!(broken(&load(&SMALL.replace(schema, stated))).is_empty());
}

#[test]
fn bodies_that_are_not_json() {
    for (media, read) in [
        ("Application/JSON", true),
        ("application/merge-patch+json", true),
        ("text/csv", false),
        ("multipart/form-data", false),
        ("application/*", false),
        ("application/json; charset=utf-8", false),
    ] {
        let text = SMALL.replace("application/json:", &format!("{media}:"));
        let found = broken(&load(&text));
        let expected = format!("16:11 a body of `{media}` is not read, only `application/json` and `…+json`");
        assert_eq!(found, if read { Vec::new() } else { vec![expected] });
    }
}

#[test]
fn patterns_that_some_engine_cannot_read() {
    let pattern = r"pattern: '^[a-z\u0080-\u00ff]+$'";
    breaks(pattern, "pattern: '^(?!a)'", "32:25 the pattern looks around");
    breaks(pattern, r"pattern: '(a)\1'", "32:25 the pattern refers back");
    let inner = "inner: { $ref: '#/components/schemas/Thing' }";
    breaks(inner, "inner: { additionalProperties: { pattern: (?!a) } }", "36:42 the pattern looks around");
    let named = SMALL.replace(inner, "pattern: { type: string, example: { pattern: (?!a) } }");
    assert!(broken(&load(&named)).is_empty(), "a property, and an example of one, is no pattern");
}

#[test]
fn defaults_that_a_client_could_not_send() {
    breaks("default: 5", "default: 5.0", "13:60 the default 5.0 is written with a fraction");
    breaks("type: integer, minimum: 1, maximum: 9, default: 5", "default: 5", "13:21 the default 5 is no string");
}

#[test]
fn each_is_told_once_in_the_order_of_the_file() {
    let lines: Vec<_> = openapi_lint::unenforceable(&load(LIBRARY))
        .iter()
        .map(|error| (error.position.line, error.pointer.clone()))
        .collect();
    let expected = [
        (12, "/security"),
        (33, "/paths/~1books/get/parameters/1/schema/type"),
        (39, "/paths/~1books/get/parameters/2/content"),
        (80, "/paths/~1covers~1{id}/put/deprecated"),
        (86, "/paths/~1covers~1{id}/put/requestBody/content/multipart~1form-data"),
        (112, "/components/pathItems/Book/get/security"),
    ];
    assert_eq!(lines, expected.map(|(line, pointer)| (line, pointer.to_owned())));
}
