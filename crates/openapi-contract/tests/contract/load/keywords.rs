//! Unknown keywords, and keywords without a 3.0 form.

use super::{SMALL, errors, refuses};
use crate::support::load;
use openapi_contract::equivalence;

#[test]
fn keywords_that_are_misspelt_misplaced_or_mistyped() {
    refuses("maxLength", "maxLenght", "22:31 unknown keyword `maxLenght` in a schema: did you mean `maxLength`?");
    refuses(
        "operationId: getThing",
        "operationId: getThing\n      body: {}",
        "8:7 unknown keyword `body` in an operation",
    );
    refuses("title: Small", "title: Small, owner: us", "2:23 unknown keyword `owner` in `info`");
    refuses("maxLength: 9", "maxLength: '9'", "22:31 `maxLength` must be a whole number, zero or more, not `\"9\"`");
    refuses("maxLength: 9", "maxLength: -1", "22:31 `maxLength` must be");
    refuses("version: '1'", "version: 1.0", "2:23 `version` must be a string, not `1.0`");
    assert_eq!(
        errors("in: path", "in: route")[1],
        "9:23 `in` must be one of path, query, header, cookie, not `\"route\"`"
    );
    refuses("type: object", "type: objekt", "20:7 `type` must be one of");
    refuses("          description: A thing.\n", "", "11:9 `description` is missing: a response must have it");
    refuses("    Thing:\n", "    A Thing: {}\n    Thing:\n", "19:5 `A Thing` is not a component name");
    refuses("type: object", "required: [name, name]", "20:24 `required` contains \"name\" twice");
    refuses("type: object", "required: name", "20:7 `required` must be a list of strings");
    refuses("type: object", "type: array", "20:7 `items` is missing");
    refuses("{ type: string, maxLength: 9 }", "true", "22:9 a schema must be a mapping, not `true`");
    refuses("{ type: string, maxLength: 9 }", "", "22:9 a schema must be a mapping, not null");
}

#[test]
fn whole_numbers_in_any_notation() {
    for count in ["100.0", "1.0e+2", "0.1e+3", "+100", "1.E+2", "0x64"] {
        let contract = load(&SMALL.replace("maxLength: 9", &format!("maxLength: {count}")));
        let code = load(&SMALL.replace("maxLength: 9", "maxLength: 100"));
        assert!(equivalence::same(contract.document(), code.document()), "{count}");
    }
    refuses("maxLength: 9", "maxLength: 9.5", "22:31 `maxLength` must be a whole number, zero or more, not `9.5`");
    refuses(
        "maxLength: 9",
        "maxLength: -1.0e+2",
        "22:31 `maxLength` must be a whole number, zero or more, not `-100.0`",
    );
    for long in ["99999999999999999999", "-99999999999999999999", "0xFFFFFFFFFFFFFFFFFF"] {
        let expected = format!("22:42 `{long}` does not fit 64 bits");
        refuses("maxLength: 9", &format!("maxLength: {long}"), &expected);
    }
    let limited =
        load(&SMALL.replace("operationId: getThing", "operationId: getThing\n      x-max-body-bytes: 64.0e+3"));
    assert_eq!(limited.operations()[0].max_body_bytes, Some(64_000));
    refuses("type: object", "enum: [1, 2, 1.0]", "20:20 `enum` contains 1.0 twice");
}

#[test]
fn names_that_differ_only_in_case() {
    refuses(
        "          content:\n",
        "          headers: { ETag: { schema: {} }, X: { schema: {} }, Etag: { schema: {} } }\n          content:\n",
        "13:63 `Etag` and `ETag` are the same name: names are compared without regard to case",
    );
    refuses(
        "            application/json:\n",
        "            Application/JSON: {}\n            application/json:\n",
        "15:13 `application/json` and `Application/JSON` are the same name",
    );
    refuses(
        "      responses:\n",
        "        - { name: X-A, in: header, schema: {} }\n        - { name: x-a, in: header, schema: {} }\n      responses:\n",
        "11:11 the header parameter `x-a` is declared twice",
    );
    // Names of query parameters and components and the parameters of media types are compared with case.
    load(&SMALL.replace(
        "      responses:\n",
        "        - { name: a, in: query, schema: {} }\n        - { name: A, in: query, schema: {} }\n      responses:\n",
    ));
    load(&SMALL.replace("components:\n", "components:\n  headers: { A: { schema: {} }, a: { schema: {} } }\n"));
    load(&SMALL.replace(
        "            application/json:\n",
        "            application/json; of=A: {}\n            application/json; of=a: {}\n            application/json:\n",
    ));
}

#[test]
fn constructs_without_a_3_0_form() {
    for (construct, advice) in [
        ("type: [string, 'null']", "OpenAPI 3.0 has no lists of types"),
        ("type: 'null'", "OpenAPI 3.0 has no type `null`: make the property optional"),
        ("nullable: true", "`nullable` is not supported: OpenAPI 3.1 does not have it"),
        (
            "exclusiveMinimum: 0",
            "`exclusiveMinimum` is not supported: OpenAPI 3.0 writes it differently: use `minimum`",
        ),
        ("exclusiveMaximum: 9", "`exclusiveMaximum` is not supported"),
        ("const: 1", "`const` is not supported: no equivalent in OpenAPI 3.0: use `enum`"),
        ("if: {}", "`if` is not supported"),
        ("then: {}", "`then` is not supported"),
        ("else: {}", "`else` is not supported"),
        ("prefixItems: []", "`prefixItems` is not supported"),
        ("patternProperties: {}", "`patternProperties` is not supported"),
        ("propertyNames: {}", "`propertyNames` is not supported"),
        ("unevaluatedProperties: false", "`unevaluatedProperties` is not supported"),
        (
            "contentEncoding: base64",
            "`contentEncoding` is not supported: no equivalent in OpenAPI 3.0: use `format: byte`",
        ),
        ("$defs: {}", "`$defs` is not supported"),
    ] {
        refuses("type: object", construct, &format!("20:7 {advice}"));
    }
    refuses("security: []", "security: []\nwebhooks: {}", "4:1 `webhooks` is not supported");
    refuses("operationId: getThing", "operationId: getThing\n      callbacks: {}", "8:7 `callbacks` is not supported");
}
