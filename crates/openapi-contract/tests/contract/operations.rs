//! The operations of a contract.

use openapi_contract::{Contract, Location, Method, Operation};
use serde_json::json;

use crate::support::{library, load};

fn operation<'a>(contract: &'a Contract, id: &str) -> &'a Operation {
    contract.operations().iter().find(|operation| operation.id == id).expect("an operation")
}

#[test]
fn operations_are_in_the_order_of_the_file() {
    let contract = library();
    let found: Vec<_> = contract
        .operations()
        .iter()
        .map(|operation| (operation.id.as_str(), operation.method.as_str(), operation.path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("listBooks", "GET", "/books"),
            ("createBook", "POST", "/books"),
            ("getBook", "GET", "/books/{id}"),
            ("putCover", "PUT", "/covers/{id}"),
            ("listLoans", "GET", "/loans"),
        ]
    );
}

#[test]
fn security_is_that_of_the_operation_or_else_of_the_document() {
    let contract = library();
    let security = |id| json!(operation(&contract, id).security);
    assert_eq!(security("listBooks"), json!([]), "an empty list opens the operation");
    assert_eq!(security("createBook"), json!([{"bearer": []}]), "inherited from the document");
    assert_eq!(security("getBook"), json!([{"bearer": []}, {"oauth": ["read"]}]));
}

#[test]
fn extensions_and_flags_are_read() {
    let contract = library();
    let cover = operation(&contract, "putCover");
    assert!(cover.deprecated);
    assert_eq!(cover.deprecated_since, None);
    assert_eq!((cover.sunset.as_deref(), cover.sunset_at), (Some("2027-01-31"), Some(1_801_353_600)));
    assert_eq!((cover.max_body_bytes, cover.planned), (None, false));
    let create = operation(&contract, "createBook");
    assert_eq!((create.max_body_bytes, create.deprecated), (Some(65_536), false));
    assert!(operation(&contract, "listLoans").planned);
    assert_eq!(operation(&contract, "listBooks").tags, ["books", "catalogue"]);
}

#[test]
fn references_are_followed_and_path_parameters_merged() {
    let contract = library();
    let list = operation(&contract, "listBooks");
    let parameters: Vec<_> =
        list.parameters.iter().map(|one| (one.location, one.name.as_str(), one.required)).collect();
    assert_eq!(
        parameters,
        [
            (Location::Query, "limit", false),
            (Location::Query, "tag", false),
            (Location::Query, "filter", false),
            (Location::Header, "X-Tenant", true),
        ]
    );
    assert_eq!(list.parameters[0].schema["maximum"], 100);
    assert_eq!(list.parameters[2].schema, json!({"$ref": "#/components/schemas/Filter"}), "from its media type");

    let book = operation(&contract, "getBook");
    assert_eq!(book.method, Method::Get);
    assert_eq!(book.pointer, "/components/pathItems/Book/get");
    assert_eq!(book.responses[&404].headers["Retry-After"].schema, json!({"type": "integer", "minimum": 1}));
}

#[test]
fn parameters_of_an_operation_override_those_of_its_path() {
    let contract = load(
        "{openapi: 3.1.0, info: {title: T, version: '1'}, security: [], paths: {/a: {
           parameters: [{name: q, in: query, schema: {type: string}}, {name: q, in: header, schema: {}}],
           get: {operationId: a, responses: {204: {description: d}},
             parameters: [{name: q, in: query, required: true, schema: {type: integer}}]}}}}",
    );
    let parameters = &contract.operations()[0].parameters;
    assert_eq!(parameters.len(), 2);
    assert!(parameters[0].required);
    assert_eq!(parameters[0].schema, json!({"type": "integer"}));
    assert_eq!(parameters[1].location, Location::Header);
}

#[test]
fn bodies_and_responses_are_listed_by_media_type() {
    let contract = library();
    let create = operation(&contract, "createBook");
    let body = create.body.as_ref().expect("a body");
    assert!(body.required);
    assert_eq!(body.content["application/json"], json!({"$ref": "#/components/schemas/BookInput"}));
    assert!(operation(&contract, "listBooks").body.is_none());
    assert!(!operation(&contract, "putCover").body.as_ref().expect("a body").required);

    let list = &operation(&contract, "listBooks").responses;
    assert_eq!(list.keys().copied().collect::<Vec<_>>(), [200, 400]);
    assert_eq!(list[&200].content.keys().collect::<Vec<_>>(), ["application/json", "text/csv"]);
    assert!(list[&200].headers["X-Total"].required);
    assert!(!list[&200].headers["Link"].required);
    assert!(operation(&contract, "putCover").responses[&204].content.is_empty());
}

#[test]
fn references_resolve_to_their_target() {
    let contract = library();
    let list = operation(&contract, "listBooks");
    assert_eq!(contract.resolve(&list.parameters[2].schema)["discriminator"]["propertyName"], "by");
    assert_eq!(contract.resolve(&list.parameters[0].schema), &list.parameters[0].schema, "not a reference");
    let node = contract.document().pointer("/paths/~1books/get/responses/400").expect("a reference");
    assert_eq!(contract.resolve(node)["description"], "It went wrong.");
    for lost in [json!({"$ref": "#/nowhere"}), json!({"$ref": "other.yaml#/x"}), json!({"$ref": 1}), json!(null)] {
        assert_eq!(contract.resolve(&lost), &lost);
    }
}
