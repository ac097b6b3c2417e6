//! Contracts with some operations removed, and otherwise with the same text.

use openapi_contract::Contract;

use crate::support::load;

const YAML: &str = "\
openapi: 3.1.0
info: { title: T, version: 1.0.0 }
security: []
paths:
  # The first.
  /a:
    get:
      operationId: a
      description: |
        # A heading, and no comment.
      responses: { 200: { $ref: '#/components/responses/A' } }
    # To change it.
    put:
      operationId: putA
      responses: { 200: { $ref: '#/components/responses/Both' } }

  # The second.
  /b:
    parameters: [{ name: q, in: query, schema: { $ref: '#/components/schemas/Q' } }]
    post:
      operationId: b
      security: [{ key: [] }]
      responses: { 200: { $ref: '#/components/responses/Both' } }
  /c: { $ref: '#/components/pathItems/C' }
components:
  responses:
    A: { description: A., content: { text/plain: { schema: { $ref: '#/components/schemas/One' } } } }
    Both: { description: Both. }
  # Schemas.
  schemas:
    One: { type: array, items: { $ref: '#/components/schemas/Two' } }
    # Of the query.
    Q: { type: string }
    # Through another.
    Two:
      oneOf: [{ $ref: '#/components/schemas/Other' }]
      discriminator: { propertyName: kind, mapping: { three: Three } }
    Three: { type: object }
    Other: { type: object }
    Unused: { type: object }
  pathItems:
    C:
      get:
        operationId: c
        responses: { 204: { description: C. } }
  securitySchemes:
    key: { type: http, scheme: bearer }
";

/// The lines removed with these operations, in order.
#[track_caller]
fn lines_gone(ids: &[&str]) -> Vec<&'static str> {
    let contract = load(YAML).without(|operation| ids.contains(&operation.id.as_str())).expect("can be cut");
    let left: Vec<_> = contract.operations().iter().map(|operation| operation.id.as_str()).collect();
    let expected: Vec<_> = ["a", "putA", "b", "c"].into_iter().filter(|id| !ids.contains(id)).collect();
    assert_eq!(left, expected);
    let mut kept = contract.text().lines().peekable();
    let gone: Vec<_> = YAML.lines().filter(|line| kept.next_if_eq(line).is_none()).map(str::trim).collect();
    assert_eq!(kept.next(), None, "nothing is added or moved");
    gone
}

#[test]
fn the_text_is_unchanged_without_removals() {
    assert_eq!(lines_gone(&[]), Vec::<&str>::new());
    assert_eq!(lines_gone(&["nobody"]), Vec::<&str>::new());
}

/// Its comment is removed, too, and shared components are kept.
#[test]
fn one_of_several_operations_of_a_path() {
    let put =
        ["# To change it.", "put:", "operationId: putA", "responses: { 200: { $ref: '#/components/responses/Both' } }"];
    assert_eq!(lines_gone(&["putA"]), [&put[..], &[""]].concat());
}

/// Used through references and mappings. The comment of the next node is kept.
#[test]
fn components_without_other_uses_are_removed() {
    let gone = lines_gone(&["a"]);
    let operation = ["get:", "operationId: a", "description: |", "# A heading, and no comment."];
    assert_eq!(gone[..4], operation);
    let schemas: Vec<_> = gone[5..].iter().filter_map(|line| line.split_once(':')).map(|(key, _)| key).collect();
    assert_eq!(schemas, ["A", "One", "Two", "oneOf", "discriminator", "Three", "Other"]);
    assert_eq!(gone.iter().filter(|line| line.starts_with("# ")).count(), 2, "{gone:#?}");
}

/// The path is removed with its parameters, what they use, and the security scheme.
#[test]
fn the_last_operation_of_a_path() {
    let gone = lines_gone(&["b"]);
    assert_eq!(gone[..2], ["# The second.", "/b:"]);
    assert_eq!(
        gone[7..],
        ["# Of the query.", "Q: { type: string }", "securitySchemes:", "key: { type: http, scheme: bearer }"]
    );
    assert_eq!(lines_gone(&["c"])[..3], ["/c: { $ref: '#/components/pathItems/C' }", "pathItems:", "C:"]);
    assert_eq!(lines_gone(&["a", "putA"])[..2], ["# The first.", "/a:"]);
}

/// What cannot be removed by whole lines is an error at its place, and so is a contract without operations.
#[test]
fn removals_that_are_refused() {
    for (from, to, place) in [
        ("  /b:\n    parameters", "  ? /b\n  :\n    parameters", None),
        (
            "/c: { $ref: '#/components/pathItems/C' }\n",
            "/c: { get: { operationId: c, responses: { 204: { description: C. } } }, put: { operationId: d, responses: { 204: { description: D. } } } }\n",
            Some(24),
        ),
    ] {
        let yaml = YAML.replace(from, to);
        assert_ne!(yaml, YAML);
        let yaml = if place.is_some() {
            yaml.replace("  pathItems:\n    C:\n      get:\n        operationId: c\n        responses: { 204: { description: C. } }\n", "")
        } else {
            yaml
        };
        let left = load(&yaml).without(|operation| ["b", "c"].contains(&operation.id.as_str()));
        match (left, place) {
            (Ok(contract), None) => assert_eq!(contract.operations().len(), 2),
            (Err(errors), Some(line)) => {
                assert!(errors.iter().any(|error| error.position.line == line), "{errors:?}");
                assert!(errors[0].message.starts_with("cannot be removed"), "{errors:?}");
            }
            (left, place) => panic!("{place:?}: {left:?}"),
        }
    }
    assert!(load(YAML).without(|_| true).is_err(), "nothing would be left");
    let flow = "{openapi: 3.1.0, info: {title: T, version: '1'}, security: [], paths: {/a: {get: {operationId: a, responses: {204: {description: d}}}}, /b: {get: {operationId: b, responses: {204: {description: d}}}}}}";
    assert!(load(flow).without(|operation| operation.id == "a").is_err());
}

/// The result is exactly the rest of the document, or an error.
#[test]
fn every_choice_of_operations() {
    let contract = load(YAML);
    let ids: Vec<_> = contract.operations().iter().map(|operation| operation.id.clone()).collect();
    for choice in 0_usize..1 << ids.len() {
        let goes = |id: &str| ids.iter().position(|other| other == id).is_some_and(|place| choice >> place & 1 == 1);
        let Ok(rest) = contract.without(|operation| goes(&operation.id)) else {
            assert_eq!(choice.count_ones() as usize, ids.len());
            continue;
        };
        assert_eq!(Contract::load("openapi.yaml", rest.text()).expect("a contract").document(), rest.document());
        let expected: Vec<_> = ids.iter().filter(|id| !goes(id)).collect();
        assert_eq!(rest.operations().iter().map(|operation| &operation.id).collect::<Vec<_>>(), expected);
    }
}

/// Each list becomes empty in its place, and nothing refers to the scheme any more.
#[test]
fn without_credentials_any_client_may_call() {
    let post = "      security: [{ key: [] }]\n      responses: { 200: { $ref: '#/components/responses/Both' } }\n";
    let secured = "      security: [{ key: [] }]\n      responses:\n        '200': { $ref: '#/components/responses/Both' }\n        '401': { $ref: '#/components/responses/Refused' }\n";
    let yaml =
        YAML.replace("security: []\npaths", "security:\n  # For all.\n  - key: []\npaths").replace(post, secured);
    let yaml = yaml.replace("  responses:\n    A:", "  responses:\n    Refused: { description: No. }\n    A:");
    let contract = load(&yaml);
    let open = contract.without_credentials().expect("can be reduced");
    assert!(contract.operations().iter().all(|operation| !operation.security.is_empty()));
    assert!(open.operations().iter().all(|operation| operation.security.is_empty()));
    let gone: Vec<_> = yaml.lines().filter(|line| !open.text().contains(line)).map(str::trim).collect();
    assert_eq!(
        gone,
        [
            "# For all.",
            "- key: []",
            "security: [{ key: [] }]",
            "'401': { $ref: '#/components/responses/Refused' }",
            "Refused: { description: No. }",
            "securitySchemes:",
            "key: { type: http, scheme: bearer }",
        ]
    );
    assert_eq!(open.text().matches("security: []").count(), 2);
    assert_eq!(open.without_credentials().expect("nothing to do").text(), open.text());
}

/// The rest of the text stays as it is, wherever the servers are.
#[test]
fn another_server_replaces_those_of_the_contract() {
    let url = "https://example.org/a b/\"c\"";
    let line = "servers: [{ url: \"https://example.org/a b/\\\"c\\\"\" }]\n";
    let servers = "# Where it is.\nservers:\n  - url: /\n    description: Here.\n\n";
    for yaml in [
        YAML.to_owned(),
        YAML.replace("paths:", &format!("{servers}paths:")),
        format!("{}\n{}", YAML.trim_end(), servers.trim_end()),
        YAML.trim_end().to_owned(),
    ] {
        let contract = load(&yaml).with_server(url).expect("can be replaced");
        assert_eq!(contract.document()["servers"], serde_json::json!([{ "url": url }]));
        assert!(contract.text().ends_with(line), "{}", contract.text());
        assert!(!contract.text().contains("Where it is") && contract.text().contains("paths:"));
        assert_eq!(contract.with_server(url).expect("the same").text(), contract.text());
    }
    let flow = "{openapi: 3.1.0, info: {title: T, version: '1'}, servers: [{url: /}], security: [], paths: {/a: {get: {operationId: a, responses: {204: {description: d}}}}}}";
    assert!(load(flow).with_server(url).is_err());
}
