//! The form for Swagger UI.

use openapi_contract::page;
use serde_json::{Value, json};

use crate::support::load;

const YAML: &str = "\
openapi: 3.1.0
info: { title: T, version: 1.0.0, description: About T. }
security: [{ bearer: [read] }]
paths:
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string }, example: one }]
    get:
      operationId: getThing
      responses:
        200: { description: It., headers: { X-A: { $ref: '#/components/headers/X-A' }, X-B: { schema: { type: string } } } }
        403: { $ref: '#/components/responses/Forbidden' }
        422: { $ref: '#/components/responses/Unprocessable' }
    put:
      operationId: putThing
      security: [{ bearer: [write] }]
      x-max-body-bytes: 7
      parameters: [{ name: Idempotency-Key, in: header, schema: { type: string }, example: k }]
      requestBody: { content: { text/plain: { schema: { type: string } }, application/json: { schema: {} } } }
      responses:
        200: { description: It., content: { text/csv: { schema: { type: string }, example: a } } }
        403: { $ref: '#/components/responses/Forbidden' }
        406: { $ref: '#/components/responses/Refused' }
        413: { $ref: '#/components/responses/Refused' }
        415: { $ref: '#/components/responses/Refused' }
        422: { $ref: '#/components/responses/Unprocessable' }
  /things:
    parameters: [{ name: a, in: query, required: true, schema: { $ref: '#/components/schemas/Text' } }]
    get:
      operationId: listThings
      parameters:
        - { name: b, in: query, description: About b., schema: { $ref: '#/components/schemas/Text' } }
        - { $ref: '#/components/parameters/C' }
        - { name: D, in: header, schema: { $ref: '#/components/schemas/Text' } }
      responses: { 200: { description: They. } }
  /open:
    post:
      operationId: open
      security: []
      x-max-body-bytes: 70
      x-unknown-query: ignore
      requestBody: { content: { application/json: { schema: {} } } }
      responses:
        200: { description: It., content: { application/json: { schema: {}, example: 1 } } }
        403: { $ref: '#/components/responses/Forbidden' }
        406: { $ref: '#/components/responses/Refused' }
        413: { $ref: '#/components/responses/Refused' }
        415: { $ref: '#/components/responses/Refused' }
        422: { $ref: '#/components/responses/Unprocessable' }
components:
  securitySchemes: { bearer: { type: http, scheme: bearer } }
  schemas:
    Text: { type: string, example: text }
  parameters:
    C: { name: c, in: query, schema: { type: integer, default: 2 }, example: 3 }
  headers:
    X-A: { description: \"About\\nA|B.\", schema: { type: string } }
  responses:
    Forbidden:
      description: Forbidden.
      headers: { X-A: { $ref: '#/components/headers/X-A' } }
      content:
        application/problem+json:
          schema: {}
          examples:
            scope: { $ref: '#/components/examples/Scope' }
            site: { value: { type: /problems/forbidden, detail: Another site., instance: /things/one } }
    Refused:
      description: Refused.
      content:
        application/problem+json:
          schema: {}
          examples: { all: { value: { detail: At most 70 of application/json., instance: /open } } }
    Unprocessable:
      description: Unprocessable.
      content:
        application/problem+json:
          schema: {}
          examples:
            key: { value: { type: /problems/idempotency-key-reused, detail: Reused., instance: /open } }
            body: { value: { detail: Invalid., errors: [{ pointer: /a }], instance: /open } }
            parameter: { value: { detail: Invalid., errors: [{ parameter: a }], instance: /open } }
            host: { value: { detail: Invalid host., instance: /open } }
  examples:
    Scope: { value: { type: /problems/forbidden, title: Forbidden, detail: The token has no scope read., instance: /open } }
";

fn form() -> Value {
    serde_json::from_str(&page::form(&load(YAML))).expect("JSON")
}

/// The examples of a response, by name: `detail` and `instance`.
fn examples(form: &Value, path: &str, method: &str, status: &str) -> Vec<(String, String, String)> {
    let content = &form["paths"][path][method]["responses"][status]["content"]["application/problem+json"];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let examples = content["examples"].as_object().expect("examples").iter();
    examples
        .map(|(name, example)| (name.clone(), text(&example["value"]["detail"]), text(&example["value"]["instance"])))
        .collect()
}

fn names(form: &Value, path: &str, method: &str, status: &str) -> Vec<String> {
    examples(form, path, method, status).into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn an_example_of_a_shared_response_is_about_the_operation() {
    let form = form();
    let of = |path, method, status| examples(&form, path, method, status).remove(0);
    let example = |name: &str, detail: &str, instance: &str| (name.to_owned(), detail.to_owned(), instance.to_owned());
    assert_eq!(of("/things/{id}", "get", "403"), example("scope", "The token has no scope read.", "/things/one"));
    assert_eq!(of("/things/{id}", "put", "403"), example("scope", "The token has no scope write.", "/things/one"));
    assert_eq!(of("/things/{id}", "put", "406"), example("all", "At most 70 of text/csv.", "/things/one"));
    assert_eq!(of("/things/{id}", "put", "413"), example("all", "At most 7 of application/json.", "/things/one"));
    assert_eq!(
        of("/things/{id}", "put", "415"),
        example("all", "At most 70 of application/json or text/plain.", "/things/one")
    );
    assert_eq!(of("/open", "post", "415"), example("all", "At most 70 of application/json.", "/open"));
}

#[test]
fn an_example_that_an_operation_cannot_return_is_left_out() {
    let form = form();
    assert_eq!(names(&form, "/things/{id}", "put", "403"), ["scope"]);
    assert_eq!(names(&form, "/open", "post", "403"), ["site"]);
    assert_eq!(names(&form, "/things/{id}", "get", "422"), ["host", "parameter"]);
    assert_eq!(names(&form, "/things/{id}", "put", "422"), ["body", "host", "key", "parameter"]);
    assert_eq!(names(&form, "/open", "post", "422"), ["body", "host"]);
}

/// Otherwise Swagger UI would fill them in.
#[test]
fn the_example_of_an_optional_parameter_of_a_query_is_in_its_description() {
    let form = form();
    let parameters = &form["paths"]["/things"]["get"]["parameters"];
    let b = json!({ "name": "b", "in": "query", "description": "About b.\n\nExample: `text`", "schema": { "type": "string" } });
    let c = json!({ "name": "c", "in": "query", "description": "Example: `3`", "schema": { "type": "integer", "default": 2 } });
    assert_eq!((&parameters[0], &parameters[1]), (&b, &c));
}

#[test]
fn shared_headers_are_described_once() {
    let form = form();
    let responses = &form["paths"]["/things/{id}"]["get"]["responses"];
    assert_eq!(responses["200"]["description"], "It.\n\nHeaders: `X-A`");
    assert_eq!(responses["200"]["headers"], json!({ "X-B": { "schema": { "type": "string" } } }));
    assert_eq!(
        (&responses["403"]["description"], responses["403"].get("headers")),
        (&json!("Forbidden.\n\nHeaders: `X-A`"), None)
    );
    let description = "About T.\n\n| header of a response | meaning |\n|---|---|\n| `X-A` | About A\\|B. |\n";
    assert_eq!(form["info"]["description"], description);
}

/// Members of what was shared have the order of the source too.
#[test]
fn members_are_in_the_order_of_the_source() {
    let text = page::form(&load(YAML));
    let place = |what: &str| text.find(what).expect("is there");
    assert!(place("/things/{id}") < place("\"/open\""));
    let (kind, title, detail) =
        (place("\"type\": \"/problems/forbidden\""), place("\"title\": \"Forbidden\""), place("The token has"));
    assert!(kind < title && title < detail, "{text}");
    assert!(place("\"scope\"") < place("\"site\""));
}

/// Everything else is as it was written.
#[test]
fn the_rest_is_the_contract() {
    let contract = load(YAML);
    let (mut form, mut document) = (form(), contract.document().clone());
    for value in [&mut form, &mut document] {
        value["info"]["description"] = json!(null);
        for item in value["paths"].as_object_mut().expect("paths").values_mut() {
            for operation in item.as_object_mut().expect("a path").values_mut().filter(|node| node.is_object()) {
                operation["responses"] = json!(null);
                let parameters = operation["parameters"].as_array_mut().into_iter().flatten();
                for parameter in parameters.filter(|one| one["in"] == "query" || one.get("$ref").is_some()) {
                    *parameter = json!(null);
                }
            }
        }
    }
    assert_eq!(form, document);
}
