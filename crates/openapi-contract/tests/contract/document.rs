//! Documents to compare, which need not be in the supported subset.

use openapi_contract::{Code, Contract, LoadError, Profile, document};
use serde_json::{Value, json};

use crate::support::LIBRARY;

const HEAD: &str = "openapi: 3.1.0\ninfo: { title: T, version: 2026-01-31 }\n";

fn loaded(yaml: &str) -> Result<Contract, Vec<LoadError>> {
    Contract::read("openapi.yaml", yaml, Profile::Standard)
}

fn read(yaml: &str) -> Value {
    loaded(yaml).unwrap_or_else(|errors| panic!("{yaml}\n{errors:#?}")).document().clone()
}

fn errors(yaml: &str) -> Vec<(Code, String)> {
    let errors = loaded(yaml).expect_err("must be refused");
    errors.into_iter().map(|error| (error.code, format!("{} {}", error.position, error.message))).collect()
}

#[test]
fn any_construct_of_3_1_is_accepted() {
    read(LIBRARY);
    for rest in [
        "paths: { /a: { get: { responses: { 204: {} } } } }",
        "paths: { x-any: 1, /a: { get: { responses: { default: { description: D } }, x-mine: [1] } } }",
        "webhooks: { w: { post: { callbacks: { c: { '{$request.body#/url}': { post: {} } } } } } }",
        "components: { schemas: { S: true, T: { type: [string, 'null'], const: a, $ref: '#/components/schemas/S' } } }",
        "components: { schemas: { S: { &k type: string, maxLength: &m 99999999999999999999 } }, x-m: { *k : *m } }",
        "components: { schemas: { S: { if: {}, then: false, else: {}, prefixItems: [{}, true], unknown: 1 } } }",
    ] {
        read(&format!("{HEAD}{rest}\n"));
    }
}

#[test]
fn references_to_other_files_are_refused() {
    let bundle = |at: &str, target: &str| {
        (Code::Unsupported, format!("{at} `{target}` is not in this file: bundle the document into one file first"))
    };
    for (rest, at, target) in [
        ("paths: { /a: { $ref: 'a.yaml' } }", "3:16", "a.yaml"),
        ("paths: { /a: { get: { parameters: [{ $ref: 'p.yaml#/P' }] } } }", "3:38", "p.yaml#/P"),
        ("components: { schemas: { S: { allOf: [{ $ref: 'https://e.org/s' }] } } }", "3:41", "https://e.org/s"),
        ("components: { schemas: { S: { if: { $ref: 's.yaml' } } } }", "3:37", "s.yaml"),
        ("components: { callbacks: { c: { $ref: 'c.yaml' } } }", "3:33", "c.yaml"),
        (
            "components: { schemas: { S: { discriminator: { propertyName: p, mapping: { a: a.yaml } } } } }",
            "3:76",
            "a.yaml",
        ),
        ("webhooks: { w: { post: { callbacks: { c: { e: { $ref: 'c.yaml' } } } } } }", "3:49", "c.yaml"),
    ] {
        assert_eq!(errors(&format!("{HEAD}{rest}\n")), [bundle(at, target)]);
    }
    let anchor = errors(&format!("{HEAD}components: {{ schemas: {{ S: {{ $ref: '#s' }} }} }}\n"));
    assert_eq!(anchor.len(), 1);
    assert!(anchor[0].1.starts_with("3:31 `#s` is not a JSON pointer: anchors are not followed"), "{anchor:?}");
    read(&format!("{HEAD}components: {{ examples: {{ e: {{ value: {{ $ref: 'data.yaml' }} }} }} }}\n"));
}

#[test]
fn a_3_0_document_is_read_as_3_1() {
    let yaml = "\
openapi: 3.0.3
info: { title: T, version: '71' }
paths: {}
components:
  schemas:
    S:
      type: object
      properties:
        a: { type: string, nullable: true, example: x }
        b: { type: number, minimum: 0, exclusiveMinimum: true }
        c: { $ref: '#/components/schemas/S', nullable: true }
";
    let contract = loaded(yaml).expect("valid 3.0");
    let value = contract.document();
    assert_eq!(value["openapi"], "3.1.0");
    let expected = json!({
        "a": {"type": ["string", "null"], "example": "x"},
        "b": {"type": "number", "exclusiveMinimum": 0},
        "c": {"$ref": "#/components/schemas/S"},
    });
    let at = "/components/schemas/S/properties";
    assert_eq!(value.pointer(at), Some(&expected));
    let position = |key: &str| contract.position(&format!("{at}/{key}")).expect(key).to_string();
    assert_eq!([position("a/type"), position("b/exclusiveMinimum")], ["9:14", "10:40"]);
    let wrong = yaml.replace("nullable: true, example", "nullable: 1, example");
    assert_eq!(errors(&wrong), [(Code::Invalid, "9:28 `nullable` must be true or false, not `1`".to_owned())]);
}

/// They round to the same float, but are different integers.
#[test]
fn different_integers_beyond_64_bits_are_different_numbers() {
    let read =
        |numbers: &str| loaded(&format!("{HEAD}x: [{numbers}]\ny: [*n]\n").replace("[1", "[&n 1")).expect("valid");
    let old = read("18446744073709551617, -18446744073709551616, 99999999999999999999, 1e20, 0x10000000000000000");
    let new = read("18446744073709551618, -18446744073709551617, +0099999999999999999999, 1e20, 1.8446744073709552e19");
    assert_eq!(old.document()["x"][0], new.document()["x"][0]);
    assert!(old.errors().len() == 5 && old.errors()[0].message.starts_with("`18446744073709551617` does not fit"));
    let [old, new] = document::separated([&old, &new]).expect("such integers");
    let number = |contract: &Contract, at: &str| contract.document().pointer(at).and_then(Value::as_f64).expect(at);
    let [first, other] = [&old, &new].map(|one| number(one, "/x/0"));
    assert!(number(&old, "/x/4") < first && first < other, "{first} {other}");
    assert!(number(&old, "/x/1") > number(&new, "/x/1"));
    assert_eq!(number(&old, "/x/2"), number(&new, "/x/2"));
    assert_eq!([number(&old, "/y/0"), number(&new, "/y/0")], [first, other], "an alias is a copy");
    assert_eq!(number(&old, "/x/4"), number(&new, "/x/4"), "a float can hold it");
    let equal = read("1");
    assert!(document::separated([&equal, &equal]).is_none());
}

#[test]
fn integers_beyond_64_bits_that_the_upgrade_moves_are_compared() {
    let of = |bound: &str| {
        let schema = format!("{{ type: integer, minimum: {bound}, exclusiveMinimum: true }}");
        loaded(&format!("openapi: 3.0.3\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents: {{ schemas: {{ S: {schema} }} }}\n")).expect("valid")
    };
    let [old, new] = document::separated([&of("18446744073709551617"), &of("18446744073709551618")]).expect("integers");
    assert_ne!(old.document(), new.document());
}

#[test]
fn other_documents_are_refused() {
    for (yaml, code, message) in [
        ("swagger: '2.0'\n", Code::Invalid, "1:1 Swagger \"2.0\" is not supported: convert the document"),
        (
            "openapi: 3.2.0\n",
            Code::Invalid,
            "1:1 OpenAPI \"3.2.0\" is not supported: expected 3.0.x or 3.1.x, such as \"3.1.0\"",
        ),
        ("a: [\n", Code::Unreadable, "2:1 invalid YAML"),
        ("a: 1\na: 2\n", Code::Unreadable, "2:1 duplicate key `a`"),
    ] {
        let errors = errors(yaml);
        let (found, text) = errors.last().expect("an error");
        assert!(errors.iter().any(|(found, text)| *found == code && text.starts_with(message)), "{found:?} {text}");
    }
}
