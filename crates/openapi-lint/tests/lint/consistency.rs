//! Contradictions in contracts that load.

use openapi_contract::Contract;

use crate::support::{LIBRARY, load, only_message};

/// A contract without contradictions, with one construct for each possible contradiction.
const SMALL: &str = "\
openapi: 3.1.0
info: { title: Small, version: 1.0.0 }
servers: [{ url: 'https://{at}/', variables: { at: { default: a, enum: [a, b] } } }]
security: []
paths:
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    put:
      operationId: putThing
      parameters: [{ name: page, in: query, schema: { type: integer, minimum: 1 }, example: 2 }]
      requestBody:
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Thing' }
            examples: { one: { $ref: '#/components/examples/One' } }
      responses:
        200:
          description: A thing.
          headers: { X-Kind: { schema: { type: string, pattern: '^[a-z]+$' } } }
          content: { text/csv: { schema: { type: array, items: { type: integer } }, example: '1,2' } }
          links: { again: { operationId: putThing, parameters: { id: $request.path.id } } }
components:
  examples:
    One: { value: { name: Ada, size: 5 } }
  schemas:
    Thing:
      type: object
      required: [name, size]
      properties:
        name: { type: string, minLength: 2, maxLength: 9 }
        size: { type: integer, format: int32, minimum: 0, maximum: 100, default: 5 }
        kind: { type: string, enum: [small, large] }
        tags: { type: array, minItems: 0, maxItems: 2, items: { type: string } }
      additionalProperties: false
    Big: { allOf: [{ $ref: '#/components/schemas/Open' }, { type: object, required: [id, more], properties: { more: {} } }] }
    Open: { type: object, properties: { id: { type: string, format: uuid } } }
    Either: { type: object, properties: { a: {}, b: {} }, anyOf: [{ required: [a] }, { required: [b] }] }
    Map: { type: object, required: [a], additionalProperties: { type: integer } }
";

/// The contradictions, as `line:column message`.
fn found(yaml: &str) -> Vec<String> {
    let contract = load(yaml);
    let found = openapi_lint::contradictions(&contract);
    let in_place = |error: &openapi_contract::LoadError| contract.document().pointer(&error.pointer).is_some();
    assert!(found.iter().all(in_place), "{found:#?}");
    found.iter().map(|error| format!("{} {}", error.position, error.message)).collect()
}

/// Asserts that one replacement causes exactly one contradiction, with this message.
#[track_caller]
fn contradicts(from: &str, to: &str, expected: &str) {
    only_message(SMALL, (from, to), expected, found);
}

#[test]
fn consistent_contracts_have_no_findings() {
    assert_eq!(found(SMALL), Vec::<String>::new());
    // The other fixture extends a closed object, a common error.
    let extended = "163:22 no object is valid: `id` is required, but refused by `additionalProperties: false` at 151:7";
    assert_eq!(found(LIBRARY), [extended]);
}

#[test]
fn bounds_that_no_value_satisfies() {
    let pattern = "pattern: '^[a-z]+$'";
    contradicts(
        pattern,
        "maxLength: 1, minLength: 2",
        "19:70 no value is valid: `minLength: 2` is greater than `maxLength: 1`",
    );
    contradicts(
        "minimum: 1 }, example: 2",
        "minimum: 1, maximum: 0.5 }",
        "10:82 no value is valid: `minimum: 1` is greater",
    );
    contradicts("minItems: 0", "minItems: 3", "33:43 no value is valid: `minItems: 3` is greater than `maxItems: 2`");
    let map = "additionalProperties: { type";
    contradicts(
        map,
        &format!("minProperties: 2, maxProperties: 1, {map}"),
        "38:59 no value is valid: `minProperties: 2`",
    );
    contradicts("maximum: 100", "maximum: 100, multipleOf: 0", "31:73 `multipleOf` must be greater than 0, not 0");
    contradicts("enum: [small, large]", "enum: []", "32:31 `enum` is empty");
    contradicts("anyOf: [{ required: [a] }, { required: [b] }]", "anyOf: []", "37:59 `anyOf` is empty");
    contradicts("format: uuid", "readOnly: true, writeOnly: true", "36:77 `readOnly` and `writeOnly` together");
}

#[test]
fn keywords_of_another_type() {
    contradicts(
        "format: int32",
        "maxLength: 5",
        "31:32 `maxLength` has no effect on `type: integer`: it applies to `type: string`",
    );
    contradicts(
        "minLength: 2",
        "minimum: 2",
        "30:31 `minimum` has no effect on `type: string`: it applies to `type: integer or number`",
    );
    contradicts("pattern: '^[a-z]+$'", "items: {}", "19:56 `items` has no effect on `type: string`");
    contradicts(
        "format: int32",
        "format: date",
        "31:32 the format `date` has no effect on `type: integer`: it applies to `type: string`",
    );
    contradicts("format: uuid", "format: int64", "36:61 the format `int64` has no effect on `type: string`");
    contradicts("format: uuid", "format: uuidd", "36:61 unknown format `uuidd`: did you mean `uuid`?");
    assert_eq!(found(&SMALL.replace("format: uuid", "format: isbn")), Vec::<String>::new());
}

#[test]
fn invalid_patterns() {
    contradicts("'^[a-z]+$'", "'^[a-z+$'", "19:56 invalid pattern: unclosed character class, at character 2");
    contradicts("type: string, minLength: 2", "type: string, pattern: (, minLength: 2", "30:31 invalid pattern");
    assert_eq!(found(&SMALL.replace("^[a-z]+$", "(?=a)")), Vec::<String>::new(), "valid in some engines");
}

#[test]
fn required_names_without_a_property() {
    contradicts(
        "required: [name, size]",
        "required: [name, sise]",
        "28:24 no object is valid: `sise` is required, but not in `properties`, and `additionalProperties` is false: did you mean `size`?",
    );
    contradicts(
        "required: [id, more]",
        "required: [id, mor]",
        "35:90 `mor` is required, but not in `properties`: did you mean `more`?",
    );
    contradicts("anyOf: [{ required: [a] }", "anyOf: [{ required: [c] }", "37:80 `c` is required, but not in");
    contradicts(
        "properties: { id: { type: string, format: uuid } }",
        "properties: { id: {} }, additionalProperties: false",
        "35:90 no object is valid: `more` is required, but refused by `additionalProperties: false` at 36:51",
    );
}

#[test]
fn values_that_their_schema_rejects() {
    contradicts(
        "default: 5",
        "default: 101",
        "31:73 the default 101 does not match its schema: it is greater than the maximum of 100",
    );
    contradicts(
        "default: 5",
        "default: five",
        "31:73 the default \"five\" does not match its schema: it is not of type \"integer\"",
    );
    contradicts(
        "enum: [small, large]",
        "enum: [small, 1]",
        "32:45 the enum value 1 does not match its schema: it is not of type \"string\"",
    );
    contradicts(
        "format: uuid",
        "format: uuid, example: a-b",
        "36:75 the example \"a-b\" does not match its schema: it is not a \"uuid\"",
    );
    contradicts(
        "format: uuid",
        "examples: [a, 1]",
        "36:75 the example 1 does not match its schema: it is not of type \"string\"",
    );
    contradicts(
        "example: 2 }",
        "example: 0 }",
        "10:84 the example 0 does not match its schema: it is less than the minimum of 1",
    );
    contradicts(
        "example: 2 }",
        "examples: { none: { value: 0 } } }",
        "10:104 the example 0 does not match its schema: it is less than the minimum of 1",
    );
    contradicts(
        "pattern: '^[a-z]+$' }",
        "pattern: '^[a-z]+$' }, example: A1",
        "19:79 the example \"A1\" does not match its schema: it does not match \"^[a-z]+$\"",
    );
    contradicts(
        "name: Ada, size: 5",
        "name: A, size: 5",
        "24:21 the example \"A\" does not match its schema: it is shorter than 2 characters",
    );
    contradicts(
        "name: Ada, size: 5",
        "name: Ada",
        "24:12 the example {\"name\":\"Ada\"} does not match its schema: the required property `size` is missing",
    );
    contradicts(
        "name: Ada, size: 5",
        "name: Ada, size: 5, sice: 1",
        "24:41 the example 1 does not match its schema: unknown property `sice`",
    );
    contradicts(
        "example: '1,2'",
        "example: [1, '2']",
        "20:98 the example \"2\" does not match its schema: it is not of type \"integer\"",
    );
}

#[test]
fn links_servers_and_members_that_exclude_each_other() {
    contradicts("parameters: { id: $request", "parameters: { idd: $request", "21:66 `putThing` has no parameter `idd`");
    contradicts("operationId: putThing, parameters", "parameters", "21:20 a link must have an `operationId`");
    contradicts(
        "operationId: putThing, par",
        "operationRef: '#/paths/~1things', par",
        "21:29 `#/paths/~1things` is not an operation",
    );
    contradicts(
        "operationId: putThing, par",
        "operationId: putThing, operationRef: '#/paths/~1things~1%7Bid%7D/put', par",
        "21:52 a link must have either `operationId` or `operationRef`, not both",
    );
    contradicts("default: a, enum", "default: c, enum", "3:54 the default \"c\" is not in `enum`");
    contradicts("enum: [a, b]", "enum: []", "3:66 `enum` is empty");
    contradicts("https://{at}/", "https://{to}/{at}", "3:13 `{to}` is missing in `variables`");
    contradicts("https://{at}/", "https://at/", "3:46 `{at}` is not in the `url`");
    contradicts(
        "value: { name: Ada",
        "externalValue: one.json, value: { name: Ada",
        "24:37 an example must have either `value` or `externalValue`, not both",
    );
    contradicts(
        "example: 2 }",
        "example: 2, examples: {} }",
        "10:96 a parameter must have either `example` or `examples`, not both",
    );
    let reference = SMALL.replace("operationId: putThing, par", "operationRef: '#/paths/~1things~1%7Bid%7D/put', par");
    assert_eq!(found(&reference), Vec::<String>::new());
}

/// The error is at the example, or at the reference if the example is valid elsewhere.
#[test]
fn examples_that_are_shared() {
    let one = "examples: { one: { $ref: '#/components/examples/One' } }";
    let csv = "example: '1,2' }";
    let referred = SMALL.replace(csv, "examples: { one: { $ref: '#/components/examples/One' } } }");
    let message = "20:104 the example at 24:12 matches the schema of another reference to it, but not the schema here: it is not of type \"array\"";
    assert_eq!(found(&referred), [message]);
    let wrong = SMALL.replace(
        one,
        "examples: { one: { $ref: '#/components/examples/One' }, two: { $ref: '#/components/examples/One' } }",
    );
    assert_eq!(found(&wrong), Vec::<String>::new());
    let both = found(&wrong.replace("name: Ada, size: 5", "nam: Ada, size: 5"));
    assert_eq!(
        both,
        [
            "24:21 the example \"Ada\" does not match its schema: the required property `name` is missing: is `nam` a typo?",
            "24:21 the example \"Ada\" does not match its schema: unknown property `nam`, and `additionalProperties` is false",
        ]
    );
}

/// Replaces each node of the fixture by another value: the result does not matter, but it must not panic.
#[test]
fn no_document_makes_the_checks_panic() {
    let document = crate::support::library().document().clone();
    let others = ["null", "-1.5", "\"\"", "[[]]", "{}", "1e300"].map(|text| serde_json::from_str(text).expect("JSON"));
    let mut count = 0;
    for (index, pointer) in crate::support::pointers(&document).into_iter().enumerate() {
        let mut mutated = document.clone();
        if let Some(node) = mutated.pointer_mut(&pointer) {
            *node = serde_json::Value::clone(&others[index % others.len()]);
        }
        count += crate::support::load_json(&mutated)
            .map_or(0, |contract: Contract| openapi_lint::contradictions(&contract).len());
    }
    assert!(count > 0);
}
