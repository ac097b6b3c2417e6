//! References to targets that do not exist or are not allowed.

use super::{SMALL, errors, errors_of, refuses};
use crate::support::load;

#[test]
fn invalid_references() {
    let reference = "$ref: '#/components/schemas/Thing'";
    refuses(reference, "$ref: '#/components/schemas/Think'", "16:17 `#/components/schemas/Think` does not exist");
    refuses(reference, "$ref: 'things.yaml#/Thing'", "16:17 `things.yaml#/Thing` is not in this file");
    refuses(reference, "$ref: '#/components/schemas'", "16:17 `#/components/schemas` is not a schema");
    refuses(
        reference,
        "$ref: '#/paths/~1things~1%7Bid%7D/get/parameters/0/schema'",
        "16:17 `#/paths/~1things~1%7Bid%7D/get/parameters/0/schema` is not under",
    );
    refuses(
        reference,
        "$ref: '#/paths/~1things~1%7Bid%7D/get'",
        "16:17 `#/paths/~1things~1%7Bid%7D/get` is an operation; expected a schema",
    );
    refuses(reference, "$ref: 12", "16:17 `$ref` must be a string");
    refuses(
        reference,
        "$ref: '#/components/schemas/Thing'\n                description: A thing.",
        "16:17 `$ref` must be the only property, because OpenAPI 3.0 ignores its siblings: move `description`",
    );
    refuses(
        "type: object",
        "discriminator: { propertyName: p, mapping: { a: None } }",
        "20:52 `None` is not declared in `components/schemas`",
    );
    refuses(
        "type: object",
        "discriminator: { propertyName: p, mapping: { a: things.yaml } }",
        "20:52 `things.yaml` is not in this file: bundle the document into one file first",
    );
    let cycle = errors(
        "        name: { type: string, maxLength: 9 }\n",
        "        name: { type: string }\n    A: { $ref: '#/components/schemas/B' }\n    B: { $ref: '#/components/schemas/A' }\n",
    );
    // A long chain is not a cycle, and is refused at its start.
    let chain = |length: usize| {
        let last = "        name: { type: string, maxLength: 9 }\n";
        let links = (1..length).map(|index| match index + 1 {
            next if next == length => format!("    L{index}: {{ $ref: '#/components/schemas/Thing' }}\n"),
            next => format!("    L{index}: {{ $ref: '#/components/schemas/L{next}' }}\n"),
        });
        SMALL
            .replace(reference, "$ref: '#/components/schemas/L1'")
            .replace(last, &[last.to_owned()].into_iter().chain(links).collect::<String>())
    };
    let sound = load(&chain(32));
    assert_eq!(
        sound.resolve(&sound.operations()[0].responses[&200].content["application/json"].clone().expect("a schema"))["type"],
        "object"
    );
    assert_eq!(errors_of(&chain(33)), ["16:17 `#/components/schemas/L1` leads to more than 32 references in a row"]);
    let back = "the reference leads back to itself:";
    let [a, b] = ["`#/components/schemas/A`", "`#/components/schemas/B`"];
    assert_eq!(cycle, [format!("23:10 {back} {a} → {b} → {a}"), format!("24:10 {back} {b} → {a} → {b}")]);
}
