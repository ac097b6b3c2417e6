//! Promises in contracts that load, which the server does not keep.

use openapi_contract::Contract;

use crate::{
    support::{LIBRARY, load, only_message},
    without_prefix,
};

/// A contract that the server enforces, with one construct for each rule.
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
      x-max-body-bytes: 99
  /later:
    get:
      operationId: later
      x-status: planned
      security: [{ key: [] }]
      x-sunset: '2027-01-01'
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

fn found(contract: &Contract) -> Vec<String> {
    without_prefix(contract, &openapi_lint::unenforceable(contract), "not enforced by the server: ")
}

/// Asserts that one replacement causes exactly one finding, which starts like this.
#[track_caller]
fn refuses(from: &str, to: &str, expected: &str) {
    only_message(SMALL, (from, to), expected, |yaml| found(&load(yaml)));
}

#[test]
fn planned_operations_and_responses_are_not_checked() {
    assert!(found(&load(SMALL)).is_empty());
}

#[test]
fn schemes_other_than_one_bearer_token() {
    let put = "operationId: putThing";
    let documented = SMALL.replace(
        "        200:\n",
        "        401: { description: No. }\n        403: { description: No. }\n        429: { description: No. }\n        200:\n",
    );
    let with = |security: &str| documented.replace(put, &format!("{put}\n      security: {security}"));
    assert!(found(&load(&with("[{ key: [read] }, {}]"))).is_empty());
    assert!(found(&load(&documented.replace("security: []\n", "security: [{ key: [] }]\n"))).is_empty(), "inherited");

    let two = with("[{ key: [], basic: [] }]") + "    basic: { type: http, scheme: Bearer }\n";
    assert_eq!(found(&load(&two)), ["10:18 a request has one bearer token; use one scheme"]);
    let basic = with("[{ key: [] }, { basic: [] }]") + "    basic: { type: http, scheme: basic }\n";
    let expected = "credentials are bearer tokens; use `type: http` and `scheme: bearer`";
    let found = found(&load(&basic));
    assert!(found.len() == 1 && found[0].ends_with(expected), "{found:?}");
}

#[test]
fn refusals_of_credentials_that_are_not_documented_or_never_occur() {
    let open = SMALL.replace("security: []\n", "security: [{ key: [] }]\n");
    let missing = found(&load(&open));
    assert_eq!(missing, ["8:5 credentials are required by `security`; document the responses 401 and 403 and 429"]);
    let refusals = "        401: { description: No. }\n        403: { description: No. }\n        200:\n";
    let unlimited = found(&load(&open.replace("        200:\n", refusals)));
    assert_eq!(unlimited, ["8:5 credentials are required by `security`; document the responses 429"]);
    let open = open.replace("operationId: putThing", "operationId: putThing\n      security: []");
    assert!(found(&load(&open)).is_empty(), "no operation inherits it");
    refuses(
        "        200:\n",
        "        403: { description: No. }\n        200:\n",
        "3:1 no credentials are required, so the response is never 403",
    );
}

#[test]
fn methods_that_the_server_answers_by_fixed_rules() {
    for (method, why) in [
        ("head", "the server responds to HEAD"),
        ("options", "the server responds to OPTIONS"),
        ("trace", "TRACE is never"),
    ] {
        let to = format!("    {method}:\n      operationId: putThing");
        refuses("    put:\n      operationId: putThing", &to, &format!("8:5 {why}"));
    }
}

#[test]
fn a_deprecation_without_its_date() {
    let with = |keys: &str| format!("operationId: putThing\n      {}", keys.replace(", ", "\n      "));
    let put = "operationId: putThing";
    refuses(put, &with("deprecated: true"), "10:7 the `Deprecation` header contains a date");
    refuses(put, &with("x-deprecated-since: '2026-01-01'"), "10:7 the operation is not deprecated");
    refuses(put, &with("x-sunset: '2027-01-01'"), "10:7 the operation is not deprecated");
    let late = with("deprecated: true, x-deprecated-since: '2026-01-01T12:00:00Z', x-sunset: '2026-01-01'");
    refuses(put, &late, "12:7 the sunset is before the deprecation");
    for good in ["deprecated: false", "deprecated: true, x-deprecated-since: '2026-01-01', x-sunset: '2026-01-01'"] {
        assert!(found(&load(&SMALL.replace(put, &with(good)))).is_empty(), "{good}");
    }
}

#[test]
fn links_to_planned_operations() {
    let linked = |link: &str| format!("description: A thing.\n          links: {{ next: {{ {link} }} }}");
    refuses("description: A thing.", &linked("operationId: later"), "21:20 `later` is planned");
    refuses("description: A thing.", &linked("operationRef: '#/paths/~1later/get'"), "21:20 `later` is planned");
    assert!(found(&load(&SMALL.replace("description: A thing.", &linked("operationId: putThing")))).is_empty());
}

#[test]
fn parameters_that_are_not_one_scalar_in_the_default_style() {
    let schema = "          schema: { type: integer, minimum: 1, maximum: 9, default: 5 }\n";
    let content = "          content: { application/json: { schema: { type: integer } } }\n";
    refuses(schema, content, "13:11 a parameter is read as one scalar; use `schema`");
    refuses(schema, "          schema: { type: array, items: {} }\n", "13:21 a parameter is read as one scalar, not");
    refuses(schema, "          schema: { type: object }\n", "13:21 a parameter is read as one scalar, not");
    refuses("type: string, pattern: '^[", "type: array, items: {}, pattern: '^[", "33:11 a parameter is read as");
    refuses("in: query\n", "in: cookie\n", "12:11 cookies are not read");
    refuses(
        "in: query\n",
        "in: query\n          style: pipeDelimited\n",
        "13:11 the style `pipeDelimited` is not supported; a query",
    );
    refuses(
        "in: path,",
        "in: path, style: label,",
        "7:31 the style `label` is not supported; a path parameter must be `simple`",
    );
    refuses("in: query\n", "in: query\n          allowReserved: true\n", "13:11 a query is split at every `&`");
    refuses("in: query\n", "in: query\n          allowEmptyValue: true\n", "13:11 an empty value is validated");
    for usual in ["style: form", "allowReserved: false", "explode: true"] {
        let text = SMALL.replace("in: query\n", &format!("in: query\n          {usual}\n"));
        assert!(found(&load(&text)).is_empty(), "{usual}");
    }
    let hidden = "          schema: { oneOf: [{ type: string }, { allOf: [{ type: integer }] }] }\n";
    refuses(schema, hidden, "13:59 a parameter is parsed by the `type` of its schema");
    let stated = "          schema: { type: integer, allOf: [{ type: integer, minimum: 1 }] }\n";
    assert!(found(&load(&SMALL.replace(schema, stated))).is_empty());
}

#[test]
fn bodies_without_a_limit() {
    refuses("      x-max-body-bytes: 99\n", "", "8:5 the size of the body has no limit; add `x-max-body-bytes`");
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
        let found = found(&load(&text));
        let expected = format!("16:11 a body of `{media}` is not supported, only `application/json` and `…+json`");
        assert_eq!(found, if read { Vec::new() } else { vec![expected] });
    }
}

#[test]
fn defaults_that_no_client_could_send() {
    refuses("default: 5", "default: 5.0", "13:60 the default 5.0 is written with a fraction");
    refuses("type: integer, minimum: 1, maximum: 9, default: 5", "default: 5", "13:21 the default 5 is not a string");
}

#[test]
fn findings_are_unique_and_in_the_order_of_the_file() {
    let lines: Vec<_> = openapi_lint::unenforceable(&load(LIBRARY))
        .iter()
        .map(|error| (error.position.line, error.pointer.clone()))
        .collect();
    let expected = [
        (33, "/paths/~1books/get/parameters/1/schema/type"),
        (39, "/paths/~1books/get/parameters/2/content"),
        (59, "/paths/~1books/post"),
        (78, "/paths/~1covers~1{id}/put"),
        (78, "/paths/~1covers~1{id}/put"),
        (80, "/paths/~1covers~1{id}/put/deprecated"),
        (86, "/paths/~1covers~1{id}/put/requestBody/content/multipart~1form-data"),
        (109, "/components/pathItems/Book/get"),
        (220, "/components/securitySchemes/oauth/type"),
    ];
    assert_eq!(lines, expected.map(|(line, pointer)| (line, pointer.to_owned())));
}
