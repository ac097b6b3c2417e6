//! What some clients cannot use, in contracts that load.

use openapi_contract::Contract;

use crate::{
    support::{load, only_message},
    without_prefix,
};

/// A contract that every client can use, with one construct for each rule.
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
      requestBody:
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Thing' }
      responses:
        200:
          description: A thing.
          content:
            text/plain: { schema: { type: string, pattern: '^(?=only of answers)' } }
      x-max-body-bytes: 99
  /later:
    post:
      operationId: later
      x-status: planned
      requestBody: { content: { application/json: { schema: { type: string, pattern: ^a } } } }
      responses: { 204: { description: Not yet. } }
components:
  schemas:
    Id: { type: string, pattern: '^[a-zà-ÿ]+$', x-pattern-description: must have small letters only }
    Thing:
      type: object
      properties:
        inner: { $ref: '#/components/schemas/Thing' }
        names: { type: array, items: { allOf: [{ $ref: '#/components/schemas/Id' }] } }
";

fn found(contract: &Contract) -> Vec<String> {
    without_prefix(contract, &openapi_lint::unusable(contract), "not usable by every client: ")
}

/// Asserts that one replacement causes exactly one finding, which starts like this.
#[track_caller]
fn refuses(from: &str, to: &str, expected: &str) {
    only_message(SMALL, (from, to), expected, |yaml| found(&load(yaml)));
}

#[test]
fn patterns_of_responses_and_of_planned_operations_need_no_description() {
    assert!(found(&load(SMALL)).is_empty());
}

#[test]
fn patterns_that_need_backtracking() {
    let pattern = "pattern: '^[a-zà-ÿ]+$'";
    refuses(pattern, "pattern: '^(?!a)'", "28:25 the pattern uses look-around");
    refuses(pattern, r"pattern: '(a)\1'", "28:25 the pattern uses a back-reference");
    let inner = "inner: { $ref: '#/components/schemas/Thing' }";
    let described = "additionalProperties: { pattern: (?!a), x-pattern-description: must not be a }";
    refuses(inner, &format!("inner: {{ {described} }}"), "32:42 the pattern uses look-around");
    let named = SMALL.replace(inner, "pattern: { type: string, example: { pattern: (?!a) } }");
    assert!(found(&load(&named)).is_empty(), "neither a property nor its example is a pattern");
}

#[test]
fn patterns_of_requests_without_a_description() {
    let expected = "28:5 the response to a violation of the pattern describes it; add `x-pattern-description`";
    refuses(", x-pattern-description: must have small letters only", "", expected);
    let parameter = "schema: { $ref: '#/components/schemas/Id' }";
    refuses(parameter, "schema: { type: string, pattern: ^a }", "7:47 the response to a violation of the pattern");
}

#[test]
fn patterns_that_not_every_engine_reads() {
    refuses("pattern: '^[a-zà-ÿ]+$'", r"pattern: '^[a-z\u00e0-\u00ff]+$'", r"28:25 the pattern has an escape `\uXXXX`");
    refuses("pattern: '^(?=only of answers)'", r"pattern: '^\x{61}'", "18:51 the pattern has an escape with braces");
}

#[test]
fn constraints_of_text_beside_a_format_that_clients_parse() {
    let inner = "inner: { $ref: '#/components/schemas/Thing' }";
    for (format, key, value) in [("date-time", "pattern", "Z$"), ("uuid", "minLength", "9"), ("uri", "maxLength", "9")]
    {
        let of = format!("type: string, format: {format}, {key}: {value}, x-pattern-description: must end with Z");
        let expected = format!("`{key}` beside `format: {format}`: clients that parse the value compare");
        let text = SMALL.replace(inner, &format!("inner: {{ {of} }}"));
        let found = found(&load(&text));
        assert!(found.len() == 1 && found[0].contains(&expected), "{found:?}");
    }
    let email = "inner: { type: string, format: email, maxLength: 99 }";
    assert!(found(&load(&SMALL.replace(inner, email))).is_empty(), "clients keep it as text");
}

#[test]
fn schemas_with_names_that_go_declares_twice() {
    for (name, is_declared) in [
        ("NewThing", true),
        ("NewThingWithDefaults", true),
        ("NullableThing", true),
        ("Newer", false),
        ("NewOther", false),
        ("ThingInput", false),
    ] {
        let found = found(&load(&format!("{SMALL}    {name}: {{ type: object }}\n")));
        let expected =
            format!("34:5 a client in Go declares `{name}` with `Thing`; choose another name, such as `ThingInput`");
        assert_eq!(found, if is_declared { vec![expected] } else { Vec::new() });
    }
}

#[test]
fn successes_by_reference() {
    let inline = "        200:
          description: A thing.
          content:
            text/plain: { schema: { type: string, pattern: '^(?=only of answers)' } }
";
    let component = "components:
  responses:
    2: { description: A thing., content: { text/plain: {} } }
    Empty: { description: Nothing. }
    Same: { $ref: '#/components/responses/2' }
";
    let with = |responses: &str| SMALL.replace(inline, responses).replace("components:\n", component);
    let refused = with(
        "        200: { $ref: '#/components/responses/Same' }\n        404: { $ref: '#/components/responses/2' }\n",
    );
    let expected =
        "15:9 generators may read a successful response behind a `$ref` as one without content; write it inline";
    assert_eq!(found(&load(&refused)), [expected]);
    assert!(found(&load(&with("        200: { $ref: '#/components/responses/Empty' }\n"))).is_empty());
}
