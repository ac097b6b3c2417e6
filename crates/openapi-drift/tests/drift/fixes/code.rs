//! Fix-its of the code, followed in a few files like those of a server: what stands in them afterwards.

use std::collections::BTreeMap;

use openapi_contract::Contract;
use openapi_drift::fixes::{Code, Side, SourceFile, apply, explain};
use openapi_drift::{Drift, diff};
use serde_json::Value;

use crate::support::{LIBRARY, load};
use crate::{generated, told};

/// A struct of parameters that stands in another file than the handler.
const SHELF: &str = r#"
/// Which books.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Shelf {
    /// How many.
    #[serde(default = "twenty")]
    #[param(value_type = i32, required = false, minimum = 1, maximum = 100, default = 20)]
    pub limit: u8,
}
"#;

const BOOKS: &str = r#"
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct BookPath {
    id: Uuid,
}

fn routes() -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list_books, create_book)).routes(routes!(get_book)).routes(routes!(put_cover))
}

#[utoipa::path(get, path = "/books", operation_id = "listBooks", tags = ["books", "catalogue"],
    params(crate::shelf::Shelf, ("X-Tenant" = String, Header, max_length = 36)), responses((status = 200)))]
async fn list_books(Query(shelf): Query<Shelf>) -> Response {
    page("/books", shelf)
}

#[utoipa::path(post, path = "/books", operation_id = "createBook", tag = "books", responses((status = 201)))]
async fn create_book() -> Response {}

#[utoipa::path(get, path = "/books/{id}", operation_id = "getBook", tag = "books", params(BookPath), responses((status = 200)))]
async fn get_book(Path(path): Path<BookPath>) -> Response {}

#[utoipa::path(put, path = "/covers/{id}", operation_id = "putCover", params(("id" = Uuid, Path)), responses((status = 204)))]
async fn put_cover(Path(id): Path<Uuid>) -> Response {}
"#;

fn files() -> [SourceFile; 2] {
    [("src/books.rs", BOOKS), ("src/shelf.rs", SHELF)]
        .map(|(path, text)| SourceFile { path: path.into(), text: text.into() })
}

fn drifts(contract: &Contract, generated: &Value) -> Vec<Drift> {
    let files = files();
    explain(contract, generated, Code { files: &files, ..Code::UNKNOWN }, diff(contract, generated))
}

/// All files, one after the other, once the code's fix-it of a drift is followed.
fn followed(drift: &Drift) -> String {
    let mut texts: BTreeMap<String, String> = files().map(|file| (file.path, file.text)).into();
    let fix = drift.fixes.iter().find(|fix| fix.side == Side::Code).expect("a fix-it of the code");
    assert!(!fix.edits.is_empty(), "{drift}: {}", fix.note);
    for edit in &fix.edits {
        let text = texts.get_mut(&edit.file).expect("a file that is there");
        *text = apply(text, std::slice::from_ref(edit));
    }
    texts.into_values().collect()
}

#[track_caller]
fn changed(edits: &[(&str, &str)]) -> Contract {
    let mut yaml = LIBRARY.to_owned();
    for (from, to) in edits {
        assert_eq!(yaml.matches(from).count(), 1, "`{from}` must occur once");
        yaml = yaml.replacen(from, to, 1);
    }
    load(&yaml)
}

#[track_caller]
fn only(drifts: Vec<Drift>) -> Drift {
    assert_eq!(drifts.len(), 1, "{}", told(&drifts));
    drifts.into_iter().next().expect("one")
}

/// One argument changes where that will do; the house's own type, what serde is told and the comment stay.
#[test]
fn a_parameter_is_mended_in_the_struct_that_holds_it() {
    for (from, to, expected) in [
        (
            "maximum: 100, default: 20",
            "maximum: 100, default: 50",
            "minimum = 1, maximum = 100, default = 50)]\n    pub limit: u8",
        ),
        (
            "maximum: 100, default: 20",
            "maximum: 50, default: 20",
            "minimum = 1, maximum = 50, default = 20)]\n    pub limit: u8",
        ),
        ("maximum: 100, default: 20", "default: 20", "minimum = 1, default = 20)]\n    pub limit: u8"),
        (
            "maximum: 100, default: 20",
            "maximum: 100, multipleOf: 5, default: 20",
            "default = 20, multiple_of = 5)]\n    pub limit: u8",
        ),
        (
            "format: int32, minimum: 1, maximum",
            "format: int64, minimum: 1, maximum",
            "    /// How many.\n    #[serde(default = \"twenty\")]\n    #[param(value_type = i64, required = false, minimum = 1, \
             maximum = 100, default = 20)]\n    pub limit: u8",
        ),
        (
            "      required: false\n",
            "      required: true\n",
            "#[param(value_type = i32, minimum = 1, maximum = 100, default = 20)]",
        ),
        (
            "required: true\n        schema: { type: string, maxLength: 36 }",
            "required: true\n        schema: { type: string, maxLength: 40 }",
            "params(crate::shelf::Shelf, (\"X-Tenant\" = String, Header, max_length = 40))",
        ),
    ] {
        let text = followed(&only(drifts(&changed(&[(from, to)]), &generated())));
        assert!(text.contains(expected), "{to}:\n{text}");
        assert_eq!(text.matches("IntoParams)]").count(), 2, "{to}: no struct more\n{text}");
    }
}

/// Edits of the contract, what is said of them, what the code's fix-it writes.
type Told<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);

#[test]
fn an_operation_at_another_address_is_told_once() {
    let cover = "name: id, in: path, required: true, schema: { type: string, format: uuid }";
    let renamed = cover.replace("name: id", "name: book");
    let cases: [Told<'_>; 5] = [
        (
            &[("  /books/{id}:\n", "  /titles/{id}:\n")],
            "getBook: the path differs: the contract says /titles/{id}, the code says /books/{id}",
            &["path = \"/titles/{id}\", operation_id = \"getBook\""],
        ),
        (
            &[("  /covers/{id}:\n", "  /covers/{book}:\n"), (cover, renamed.as_str())],
            "putCover: the path differs: the contract says /covers/{book}, the code says /covers/{id}",
            &["path = \"/covers/{book}\"", "params((\"book\" = Uuid, Path))"],
        ),
        (
            &[
                ("  /books/{id}:\n", "  /books/{book}:\n"),
                (
                    "name: id, in: path, required: true, schema: { $ref",
                    "name: book, in: path, required: true, schema: { $ref",
                ),
            ],
            "getBook: the path differs: the contract says /books/{book}, the code says /books/{id}",
            &["path = \"/books/{book}\"", "    #[serde(rename = \"book\")]\n    id: Uuid,"],
        ),
        (
            &[("    put:\n", "    post:\n")],
            "putCover: the method differs: the contract says POST /covers/{id}, the code says PUT /covers/{id}",
            &["(post, path = \"/covers/{id}\", operation_id = \"putCover\""],
        ),
        (
            &[(
                "    post:\n",
                "  /titles:\n    parameters:\n      - { name: X-Tenant, in: header, required: true, schema: { type: string, maxLength: 36 } }\n    post:\n",
            )],
            "createBook: the path differs: the contract says POST /titles, the code says POST /books",
            &[
                "(post, path = \"/titles\"",
                ".routes(routes!(list_books))\n        .routes(routes!(create_book)).routes(routes!(get_book))",
            ],
        ),
    ];
    for (edits, headline, expected) in cases {
        let contract = changed(edits);
        let drift = only(drifts(&contract, &generated()));
        assert_eq!(drift.message(), headline);
        let text = followed(&drift);
        for part in expected {
            assert!(text.contains(part), "{headline}: `{part}` in\n{text}");
        }
        // The other way round: the contract as it was, or one that means the same.
        let fix = drift.fixes.iter().find(|fix| fix.side == Side::Contract).expect("a fix-it of the contract");
        let back = apply(contract.text(), &fix.edits);
        let left = diff(&load(&back), &generated());
        assert!(!fix.edits.is_empty() && left.is_empty(), "{headline}: {}\n{back}", told(&left));
    }
}

/// What else differs is told as if the operation stood where the contract has it.
#[test]
fn a_move_hides_no_other_drift() {
    let contract = changed(&[("  /covers/{id}:\n", "  /art/{id}:\n"), ("        204: {", "        202: {")]);
    let drifts = drifts(&contract, &generated());
    let messages: Vec<String> = drifts.iter().map(Drift::message).collect();
    assert_eq!(
        messages,
        [
            "putCover: the path differs: the contract says /art/{id}, the code says /covers/{id}",
            "PUT /art/{id} → 202: the status differs: the contract says 202, the code says 204",
        ]
    );
    assert!(drifts.iter().all(|drift| drift.fixes.len() == 2));
}

/// A name is changed where it stands; what is found under it on both sides need not be written again.
#[test]
fn what_is_alike_but_for_its_name_is_told_once() {
    for (from, to, headline, expected) in [
        (
            "      name: limit\n",
            "      name: size\n",
            "GET /books → query size: the name differs: the contract says size, the code says limit",
            "#[serde(default = \"twenty\", rename = \"size\")]",
        ),
        (
            "        201:\n",
            "        202:\n",
            "POST /books → 202: the status differs: the contract says 202, the code says 201",
            "operation_id = \"createBook\", tag = \"books\", responses((status = 202))",
        ),
    ] {
        let contract = changed(&[(from, to)]);
        let drift = only(drifts(&contract, &generated()));
        assert_eq!(drift.message(), headline);
        let text = followed(&drift);
        assert!(text.contains(expected), "{headline}\n{text}");
        let fix = drift.fixes.iter().find(|fix| fix.side == Side::Contract).expect("a fix-it of the contract");
        let back = load(&apply(contract.text(), &fix.edits));
        assert!(diff(&back, &generated()).is_empty(), "{headline}: {}", told(&diff(&back, &generated())));
    }
}

/// An `allOf` of one says what that one says; of several, or with a bound beside it, it is one fault and not one for each
/// keyword.
#[test]
fn schemas_that_are_put_together_are_told_once() {
    let body = "          schema: { $ref: '#/components/schemas/NewBook' }";
    let alone =
        changed(&[(body, "          schema: { description: It., allOf: [{ $ref: '#/components/schemas/NewBook' }] }")]);
    assert!(diff(&alone, &generated()).is_empty());
    let wrong = changed(&[(body, "          schema: { allOf: [{ $ref: '#/components/schemas/BookList' }] }")]);
    let drift = only(drifts(&wrong, &generated()));
    assert!(drift.pointer.ends_with("/schema/allOf/0/$ref"), "{drift}");
    let both =
        "          schema: { allOf: [{ $ref: '#/components/schemas/NewBook' }, { type: object, maxProperties: 9 }] }";
    let contract = changed(&[(body, both)]);
    let drift = only(drifts(&contract, &generated()));
    assert_eq!(drift.place, "POST /books → body → application/json");
    let fix = drift.fixes.iter().find(|fix| fix.side == Side::Contract).expect("a fix-it of the contract");
    let back = load(&apply(contract.text(), &fix.edits));
    assert!(!fix.edits.is_empty() && diff(&back, &generated()).is_empty(), "{}", apply(contract.text(), &fix.edits));
    let words = &drift.fixes.iter().find(|fix| fix.side == Side::Code).expect("a fix-it of the code").note;
    assert!(words.starts_with("`allOf` has no derived form"), "{words}");
}

/// Who made a path for its own sake, and names the code writes elsewhere, are not guessed at.
#[test]
fn where_the_code_writes_the_path_too_is_noted() {
    let contract = changed(&[("paths:\n  /books:\n", "paths:\n  /titles:\n")]);
    let drift = only(drifts(&contract, &generated()));
    let fix = drift.fixes.iter().find(|fix| fix.side == Side::Code).expect("a fix-it of the code");
    assert_eq!(fix.note, "the code writes `/books` here, too: src/books.rs:15");
}

#[test]
fn a_planned_operation_with_a_handler_is_told_plainly() {
    let contract =
        changed(&[("      operationId: putCover\n", "      operationId: putCover\n      x-status: planned\n")]);
    let drift = only(drifts(&contract, &generated()));
    assert_eq!(drift.message(), "PUT /covers/{id}: the contract calls it planned, yet it has a handler");
    let detail = drift.detail(0, 0);
    assert!(detail.contains("code:     the handler of `putCover` (src/books.rs:25) answers it"), "{detail}");
    assert!(detail.contains("help: change the code: take the handler `put_cover` (src/books.rs:25) out"), "{detail}");
    let fix = drift.fixes.iter().find(|fix| fix.side == Side::Contract).expect("a fix-it of the contract");
    assert_eq!(apply(contract.text(), &fix.edits), LIBRARY);
}
