//! What loads, and cannot be true together.

use openapi_contract::Contract;

use crate::support::{LIBRARY, load, only_message};

/// A contract of which everything can be true, with one of everything that could not be.
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

/// What cannot be true, as `line:column message`.
fn told(yaml: &str) -> Vec<String> {
    let contract = load(yaml);
    let found = openapi_lint::contradictions(&contract);
    let in_place = |error: &openapi_contract::LoadError| contract.document().pointer(&error.pointer).is_some();
    assert!(found.iter().all(in_place), "{found:#?}");
    found.iter().map(|error| format!("{} {}", error.position, error.message)).collect()
}

/// Asserts that one replacement makes exactly one contradiction, told like this.
#[track_caller]
fn contradicts(from: &str, to: &str, expected: &str) {
    only_message(SMALL, (from, to), expected, told);
}

#[test]
fn contracts_that_say_one_thing() {
    assert_eq!(told(SMALL), Vec::<String>::new());
    // The other fixture extends a closed object, as many do by mistake.
    let extended =
        "163:22 no object fits: `id` is required, and the `additionalProperties: false` at 151:7 does not admit it";
    assert_eq!(told(LIBRARY), [extended]);
}

#[test]
fn bounds_that_nothing_fits() {
    let pattern = "pattern: '^[a-z]+$'";
    contradicts(
        pattern,
        "maxLength: 1, minLength: 2",
        "19:70 nothing fits: `minLength: 2` is more than `maxLength: 1`",
    );
    contradicts("minimum: 1 }, example: 2", "minimum: 1, maximum: 0.5 }", "10:82 nothing fits: `minimum: 1` is more");
    contradicts("minItems: 0", "minItems: 3", "33:43 nothing fits: `minItems: 3` is more than `maxItems: 2`");
    let map = "additionalProperties: { type";
    contradicts(map, &format!("minProperties: 2, maxProperties: 1, {map}"), "38:59 nothing fits: `minProperties: 2`");
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
        "31:32 `maxLength` says nothing of `type: integer`: it is for `type: string`",
    );
    contradicts(
        "minLength: 2",
        "minimum: 2",
        "30:31 `minimum` says nothing of `type: string`: it is for `type: integer or number`",
    );
    contradicts("pattern: '^[a-z]+$'", "items: {}", "19:56 `items` says nothing of `type: string`");
    contradicts(
        "format: int32",
        "format: date",
        "31:32 the format `date` says nothing of `type: integer`: it is for `type: string`",
    );
    contradicts("format: uuid", "format: int64", "36:61 the format `int64` says nothing of `type: string`");
    contradicts("format: uuid", "format: uuidd", "36:61 the format `uuidd` is not known: did you mean `uuid`?");
    assert_eq!(told(&SMALL.replace("format: uuid", "format: isbn")), Vec::<String>::new());
}

#[test]
fn patterns_that_no_engine_can_read() {
    contradicts(
        "'^[a-z]+$'",
        "'^[a-z+$'",
        "19:56 the pattern does not compile: unclosed character class, at its character 2",
    );
    contradicts(
        "type: string, minLength: 2",
        "type: string, pattern: (, minLength: 2",
        "30:31 the pattern does not compile",
    );
    assert_eq!(told(&SMALL.replace("^[a-z]+$", "(?=a)")), Vec::<String>::new(), "some engines can");
}

#[test]
fn required_names_that_nobody_describes() {
    contradicts(
        "required: [name, size]",
        "required: [name, sise]",
        "28:24 no object fits: `sise` is required, and `additionalProperties: false` admits only what is under `properties`: did you mean `size`?",
    );
    contradicts(
        "required: [id, more]",
        "required: [id, mor]",
        "35:90 `mor` is required, but nothing says what it is: it is not under `properties`: did you mean `more`?",
    );
    contradicts("anyOf: [{ required: [a] }", "anyOf: [{ required: [c] }", "37:80 `c` is required, but nothing");
    contradicts(
        "properties: { id: { type: string, format: uuid } }",
        "properties: { id: {} }, additionalProperties: false",
        "35:90 no object fits: `more` is required, and the `additionalProperties: false` at 36:51 does not admit it",
    );
}

#[test]
fn values_that_their_schema_refuses() {
    contradicts("default: 5", "default: 101", "31:73 the default 101 does not fit its schema: `maximum: 100`");
    contradicts("default: 5", "default: five", "31:73 the default \"five\" does not fit its schema: `type: integer`");
    contradicts(
        "enum: [small, large]",
        "enum: [small, 1]",
        "32:45 the listed value 1 does not fit its schema: `type: string`",
    );
    contradicts(
        "format: uuid",
        "format: uuid, example: a-b",
        "36:75 the example \"a-b\" does not fit its schema: `format: uuid`",
    );
    contradicts("format: uuid", "examples: [a, 1]", "36:75 the example 1 does not fit its schema: `type: string`");
    contradicts("example: 2 }", "example: 0 }", "10:84 the example 0 does not fit its schema: `minimum: 1`");
    contradicts(
        "example: 2 }",
        "examples: { none: { value: 0 } } }",
        "10:104 the example 0 does not fit its schema: `minimum: 1`",
    );
    contradicts(
        "pattern: '^[a-z]+$' }",
        "pattern: '^[a-z]+$' }, example: A1",
        "19:79 the example \"A1\" does not fit its schema: `pattern: ^[a-z]+$`",
    );
    contradicts(
        "name: Ada, size: 5",
        "name: A, size: 5",
        "24:21 the example \"A\" does not fit its schema: `minLength: 2`, and its length is 1",
    );
    contradicts(
        "name: Ada, size: 5",
        "name: Ada",
        "24:12 the example {\"name\":\"Ada\"} does not fit its schema: `size` is required, and missing",
    );
    contradicts(
        "name: Ada, size: 5",
        "name: Ada, size: 5, sice: 1",
        "24:41 the example 1 does not fit its schema: there is no property `sice`",
    );
    contradicts(
        "example: '1,2'",
        "example: [1, '2']",
        "20:98 the example \"2\" does not fit its schema: `type: integer`",
    );
}

#[test]
fn links_servers_and_what_is_given_in_one_way() {
    contradicts("parameters: { id: $request", "parameters: { idd: $request", "21:66 `putThing` has no parameter `idd`");
    contradicts(
        "operationId: putThing, parameters",
        "parameters",
        "21:20 a link leads to an operation: `operationId` is missing",
    );
    contradicts(
        "operationId: putThing, par",
        "operationRef: '#/paths/~1things', par",
        "21:29 there is no operation at `#/paths/~1things`",
    );
    contradicts(
        "operationId: putThing, par",
        "operationId: putThing, operationRef: '#/paths/~1things~1%7Bid%7D/put', par",
        "21:52 a link has either `operationId` or `operationRef`, not both",
    );
    contradicts("default: a, enum", "default: c, enum", "3:54 the default \"c\" is not listed in `enum`");
    contradicts("enum: [a, b]", "enum: []", "3:66 `enum` is empty");
    contradicts("https://{at}/", "https://{to}/{at}", "3:13 `{to}` is not described under `variables`");
    contradicts("https://{at}/", "https://at/", "3:46 `{at}` is not in the `url`");
    contradicts(
        "value: { name: Ada",
        "externalValue: one.json, value: { name: Ada",
        "24:37 an example has either `value` or `externalValue`, not both",
    );
    contradicts(
        "example: 2 }",
        "example: 2, examples: {} }",
        "10:96 a parameter has either `example` or `examples`, not both",
    );
    let reference = SMALL.replace("operationId: putThing, par", "operationRef: '#/paths/~1things~1%7Bid%7D/put', par");
    assert_eq!(told(&reference), Vec::<String>::new());
}

/// What is wrong is the example, unless it is right somewhere.
#[test]
fn examples_that_are_shared() {
    let one = "examples: { one: { $ref: '#/components/examples/One' } }";
    let csv = "example: '1,2' }";
    let referred = SMALL.replace(csv, "examples: { one: { $ref: '#/components/examples/One' } } }");
    let message = "20:104 this example does not fit the schema here, though it does elsewhere: `type: array`, at 24:12";
    assert_eq!(told(&referred), [message]);
    let wrong = SMALL.replace(
        one,
        "examples: { one: { $ref: '#/components/examples/One' }, two: { $ref: '#/components/examples/One' } }",
    );
    assert_eq!(told(&wrong), Vec::<String>::new());
    let told = told(&wrong.replace("name: Ada, size: 5", "nam: Ada, size: 5"));
    assert_eq!(
        told,
        [
            "24:21 the example \"Ada\" does not fit its schema: `name` is required: is `nam` meant to be it?",
            "24:21 the example \"Ada\" does not fit its schema: there is no property `nam`, and `additionalProperties: false` admits no others",
        ]
    );
}

/// Whatever is shown of the fixture may be anything else: it is told, or fits, and nothing panics.
#[test]
fn no_document_makes_the_search_panic() {
    let document = crate::support::library().document().clone();
    let others = ["null", "-1.5", "\"\"", "[[]]", "{}", "1e300"].map(|text| serde_json::from_str(text).expect("JSON"));
    let mut told = 0;
    for (index, pointer) in crate::support::pointers(&document).into_iter().enumerate() {
        let mut mutated = document.clone();
        if let Some(node) = mutated.pointer_mut(&pointer) {
            *node = serde_json::Value::clone(&others[index % others.len()]);
        }
        told += crate::support::load_json(&mutated)
            .map_or(0, |contract: Contract| openapi_lint::contradictions(&contract).len());
    }
    assert!(told > 0);
}
