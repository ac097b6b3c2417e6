//! Fixes of the code, on a project in the style of `crates/api`: which edits they make, and that they end.
//!
//! That the edited project builds and agrees with its contract is shown by `scripts/drift-doc`.

use openapi_contract::Contract;
use openapi_contract::diagnostics::{Format, render};
use openapi_drift::{Applicability, CodeSide, Finding, Side, SourceFile, apply, compare, repair};
use serde_json::Value;

use crate::support::load;

const CONTRACT: &str = include_str!("../fixtures/shop/openapi.yaml");
const SPEC: &str = include_str!("../fixtures/shop/openapi.generated.json");

fn files() -> Vec<SourceFile> {
    let file = |name: &str, text: &str| SourceFile { path: format!("src/{name}.rs"), text: text.to_owned() };
    vec![
        file("lib", include_str!("../fixtures/shop/src/lib.rs")),
        file("problem", include_str!("../fixtures/shop/src/problem.rs")),
        file("users", include_str!("../fixtures/shop/src/users.rs")),
    ]
}

fn spec() -> Value {
    serde_json::from_str(SPEC).expect("JSON")
}

/// The contract after these replacements, each of which matches.
#[track_caller]
fn changed(edits: &[(&str, &str)]) -> Contract {
    let text = edits.iter().fold(CONTRACT.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    load(&text)
}

fn findings(contract: &Contract) -> Vec<Finding> {
    let files = files();
    openapi_drift::findings(contract, &spec(), CodeSide { files: &files, ..CodeSide::UNKNOWN })
}

/// The text of `src/users.rs` after the machine-applicable fixes, which leave no drift.
#[track_caller]
fn repaired(contract: &Contract) -> String {
    let files = files();
    let repair = repair(Side::Code, contract, &spec(), CodeSide { files: &files, ..CodeSide::UNKNOWN });
    let left: Vec<String> = repair.left.iter().map(Finding::message).collect();
    assert!(left.is_empty(), "{left:#?}");
    repair.files.into_iter().find(|file| file.path == "src/users.rs").expect("a change").text
}

/// The text of `src/users.rs` after the only fix of the code, which is not applied without review.
#[track_caller]
fn reviewed(contract: &Contract) -> String {
    let found = findings(contract);
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    let fix = finding.fixes.iter().find(|fix| fix.side == Side::Code).expect("a fix");
    assert!(fix.applicability == Applicability::NeedsReview && !fix.edits.is_empty(), "{fix:#?}");
    apply(&files()[2].text, &fix.edits)
}

/// The words of the code's fix of the only drift.
#[track_caller]
fn words(contract: &Contract) -> String {
    let found = findings(contract);
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    let fix = finding.fixes.iter().find(|fix| fix.side == Side::Code).expect("a fix");
    assert!(fix.edits.is_empty() && fix.applicability == Applicability::NeedsReview, "{fix:#?}");
    fix.note.clone()
}

#[test]
fn the_fixture_agrees_with_its_contract() {
    assert_eq!(compare(&load(CONTRACT), &spec()), []);
}

#[test]
fn a_bound_is_edited_in_the_attribute_that_has_it() {
    for (from, to, expected) in [
        ("maxLength: 100", "maxLength: 120", "    max_length = 120,\n"),
        ("      minLength: 1\n", "", "#[schema(\n    max_length = 100,"),
        ("maxItems: 100", "maxItems: 50", "    #[schema(max_items = 50)]\n    pub users"),
        ("maximum: 100", "maximum: 200", "minimum = 1, maximum = 200, default = 50)]\n    pub limit: u32"),
        ("default: 50", "default: 20", "maximum = 100, default = 20)]\n    pub limit: u32"),
        ("minimum: 400, ", "", "    #[schema(maximum = 599)]\n    pub status"),
    ] {
        let contract = changed(&[(from, to)]);
        let files = files();
        let repair = repair(Side::Code, &contract, &spec(), CodeSide { files: &files, ..CodeSide::UNKNOWN });
        let text: String = repair.files.iter().map(|file| file.text.as_str()).collect();
        assert!(repair.left.is_empty() && text.contains(expected), "{to}:\n{text}");
    }
}

/// Two changes of one line take two rounds, and both are made.
#[test]
fn overlapping_fixes_are_applied_one_after_the_other() {
    let contract =
        changed(&[("            maximum: 100\n", "            maximum: 80\n"), ("default: 50", "default: 20")]);
    let text = repaired(&contract);
    assert!(text.contains("minimum = 1, maximum = 80, default = 20)]\n    pub limit: u32"), "{text}");
}

/// A shared type that three structs need: the type is defined once, the fields are added, and no value is invented: rustc
/// reports the struct literals.
#[test]
fn a_shared_type_is_defined_once() {
    let name = "        name: { $ref: '#/components/schemas/UserName' }\n";
    let locale = "        locale: { $ref: '#/components/schemas/Locale' }\n";
    let new_user = format!("      required: [name]\n      properties:\n{name}");
    let patch =
        format!("    UserPatch:\n      type: object\n      additionalProperties: false\n      properties:\n{name}");
    let last = "          description: When the user was last changed.\n";
    let contract = changed(&[
        (&new_user, &format!("{new_user}{locale}")),
        (&patch, &format!("{patch}{locale}")),
        (last, &format!("{last}{locale}")),
        ("    UserName:\n", "    Locale:\n      type: string\n      maxLength: 35\n\n    UserName:\n"),
    ]);
    // Pasted one after the other, the printed fixes define it once too.
    let printed: String = findings(&contract).iter().map(|finding| finding.diagnostic(0).detail).collect();
    assert_eq!(printed.matches("pub struct Locale(").count(), 1, "{printed}");
    let text = repaired(&contract);
    let definition = "#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]\n#[schema(max_length = 35)]\npub struct \
                      Locale(pub String);\n";
    assert_eq!((text.matches("struct Locale").count(), text.matches(definition).count()), (1, 1), "{text}");
    assert_eq!(text.matches("    pub locale: Option<Locale>,\n").count(), 3, "{text}");
    assert!(!text.contains("locale: None"), "{text}");
    let literal = "UserPatch { name: Some(new.name) }";
    assert!(text.contains(literal), "a struct literal is left to rustc:\n{text}");
}

const ORDER: &str = "        - name: order\n          in: query\n          schema:\n            type: string\n            \
                     enum: [newest, oldest]\n            default: newest\n";

/// An enum with a default is one fix: utoipa would write a default beside the type as another part of the schema, so that
/// the next build asked for the opposite.
#[test]
fn a_parameter_with_an_enum_and_a_default_converges() {
    let cursor = "        - name: cursor\n";
    let contract = changed(&[(cursor, &format!("{ORDER}{cursor}"))]);
    let text = reviewed(&contract);
    assert!(text.contains("    #[param(required = false, inline)]\n    pub order: PageOrder,\n"), "{text}");
    assert!(text.contains("#[schema(default = \"newest\")]\npub enum PageOrder {\n"), "{text}");
    // What utoipa generates for that.
    let mut spec = spec();
    let schema = serde_json::json!({"type": "string", "enum": ["newest", "oldest"], "default": "newest"});
    let order = serde_json::json!({"in": "query", "name": "order", "required": false, "schema": schema});
    spec["paths"]["/users"]["get"]["parameters"].as_array_mut().expect("parameters").push(order);
    assert_eq!(compare(&contract, &spec), []);
    // A later change of the default is one edit of the type.
    let contract = changed(&[(cursor, &format!("{}{cursor}", ORDER.replace("default: newest", "default: oldest")))]);
    let mut sources = files();
    for file in sources.iter_mut().filter(|file| file.path == "src/users.rs") {
        file.text.clone_from(&text);
    }
    let repair = repair(Side::Code, &contract, &spec, CodeSide { files: &sources, ..CodeSide::UNKNOWN });
    assert!(repair.left.is_empty() && repair.rounds == 1, "{repair:#?}");
    assert!(repair.files[0].text.contains("#[schema(default = \"oldest\")]\npub enum PageOrder {\n"));
}

#[test]
fn attributes_of_handlers_are_edited() {
    for (edits, expected) in [
        (vec![("operationId: getUser", "operationId: readUser")], "operation_id = \"readUser\", tag = \"users\""),
        (
            vec![("tags: [users]\n      parameters", "tags: [users, lists]\n      parameters")],
            "tags = [\"users\", \"lists\"]",
        ),
        (vec![("additionalProperties: false\n      required", "required")], "ToSchema)]\npub struct UserInput"),
    ] {
        let text = repaired(&changed(&edits));
        assert!(text.contains(expected), "{expected}:\n{text}");
    }
}

/// rustc does not report a handler that does not do what its annotation states.
#[test]
fn what_a_handler_has_to_do_needs_review() {
    let deleted = "        '204':\n          description: The user is deleted.\n";
    let list = "      operationId: listUsers\n      tags: [users]\n      parameters:\n";
    for (from, new, expected) in [
        (
            deleted,
            "        '409': { $ref: '#/components/responses/NotFound' }\n",
            "        (status = 409, body = Problem, ",
        ),
        (
            deleted,
            "          headers:\n            ETag: { $ref: '#/components/headers/ETag' }\n",
            "(status = 204, headers((\"ETag\" = EntityTag)))",
        ),
        (
            list,
            "        - { name: x-tenant, in: header, schema: { type: string } }\n",
            "params(Page, (\"x-tenant\" = Option<String>, Header, nullable = false))",
        ),
        (
            list,
            "        - { name: q, in: query, schema: { type: string } }\n",
            "    /// The parameter `q`.\n    #[param(nullable = false)]\n    pub q: Option<String>,\n",
        ),
    ] {
        let text = reviewed(&changed(&[(from, &format!("{from}{new}"))]));
        assert!(text.contains(expected), "{expected}:\n{text}");
    }
}

/// A contract with a property of new users, and a component.
fn with_property(property: &str, component: &str) -> Contract {
    let name = "      required: [name]\n      properties:\n";
    changed(&[
        (name, &format!("{name}        {property}\n")),
        ("    UserName:\n", &format!("{component}    UserName:\n")),
    ])
}

#[test]
fn names_are_valid_in_rust() {
    let kind = "kind: { type: string, enum: [a-b, a_b, self, +] }";
    for (property, expected) in [
        (kind, "AB,\n"),
        (kind, "    #[serde(rename = \"a_b\")]\n    AB2,\n"),
        (kind, "    VSelf,\n"),
        (kind, "/// One of `a-b`, `a_b`, `self`, `+`.\n"),
        ("self: { type: string }", "    #[serde(rename = \"self\")]\n    #[schema(nullable = false)]\n    pub self_: "),
        ("type: { type: string }", "    #[schema(nullable = false)]\n    pub r#type: Option<String>"),
        ("gen: { type: string }", "    pub r#gen: Option<String>"),
        (
            "o: { type: object, properties: { a-b: { type: string }, a_b: { type: string } } }",
            "    #[serde(rename = \"a_b\", skip_serializing_if = \"Option::is_none\")]\n    #[schema(nullable = false)]\n    pub a_b2:",
        ),
    ] {
        let text = repaired(&with_property(property, ""));
        assert!(text.contains(expected), "{expected}:\n{text}");
    }
}

#[test]
fn types_that_would_not_compile_are_described() {
    let recursive = "    Node:\n      type: object\n      properties:\n        next: { type: array, items: { $ref: '#/components/schemas/Node' } }\n";
    let back = "    Group:\n      type: object\n      properties:\n        owner: { $ref: '#/components/schemas/UserInput' }\n";
    let component = |name: &str| format!("    {name}: {{ type: string, maxLength: 9 }}\n");
    assert!(words(&with_property("'': { type: string }", "")).starts_with("utoipa ignores an empty name"));
    for (name, component, expected) in [
        ("Node", recursive.to_owned(), "the type would contain itself"),
        ("Group", back.to_owned(), "the type would contain itself"),
        ("Page", component("Page"), "`Page` is no free name"),
        ("String", component("String"), "`String` is no free name"),
        ("Vec", component("Vec"), "`Vec` is no free name"),
        ("a-b", component("a-b"), "`a-b` is no free name"),
    ] {
        let words = words(&with_property(&format!("new: {{ $ref: '#/components/schemas/{name}' }}"), &component));
        assert!(words.starts_with(expected), "{name}: {words}");
    }
}

/// A handler with its types, beside the other handlers of the path; what it does is left to write.
#[test]
fn a_new_operation_is_a_skeleton_to_review() {
    let count = "  /users/count:\n    get:\n      operationId: countUsers\n      tags: [users]\n      responses:\n        '200':\n          \
                 description: The number of users.\n          content:\n            application/json:\n              schema:\n                \
                 type: object\n                required: [count]\n                properties:\n                  count: { type: integer, format: \
                 int64, minimum: 0 }\n\n  /users/{id}:\n";
    let found = findings(&changed(&[("  /users/{id}:\n", count)]));
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    let fix = finding.fixes.iter().find(|fix| fix.side == Side::Code).expect("a fix");
    assert_eq!(fix.applicability, Applicability::NeedsReview);
    let text: String = fix.edits.iter().map(|edit| format!("{}\n", edit.text)).collect();
    for part in [
        "pub(crate) struct CountUsersResponse {\n",
        "    #[schema(minimum = 0)]\n    pub(crate) count: i64,\n",
        "#[utoipa::path(get, path = \"/users/count\", operation_id = \"countUsers\", tag = \"users\",\n    responses((status = 200, body = \
         CountUsersResponse)))]\nasync fn count_users(State(_state): State<AppState>) -> Result<Response, Problem> {\n    todo!(\"countUsers\")\n}",
        "        .routes(routes!(count_users))\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// A struct with `rename_all`: its members are found by their names in JSON, and a new field gets the name that it needs.
#[test]
fn members_of_a_renamed_struct_are_found_by_their_names_in_json() {
    let contract = load(
        "openapi: 3.1.0\ninfo: { title: T, version: '1' }\nsecurity: []\npaths: {}\ncomponents:\n  schemas:\n    Page:\n      \
         type: object\n      properties:\n        nextCursor: { type: string, maxLength: 9 }\n        \
         Old: { type: string, maxLength: 9 }\n        perPage: { type: string }\n        per_item: { type: string }\n        \
         old: { type: string }\n        hidden: { type: string }\n",
    );
    let spec = serde_json::json!({"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {}, "components": {"schemas": {
        "Page": {"type": "object", "properties": {
            "nextCursor": {"type": "string", "maxLength": 7}, "Old": {"type": "string", "maxLength": 7}}}}}});
    let text = "#[derive(Serialize, ToSchema)]\n#[serde(rename_all = \"camelCase\")]\npub struct Page {\n    \
                #[schema(max_length = 7)]\n    pub next_cursor: String,\n    \
                #[serde(rename = \"Old\")]\n    #[schema(max_length = 7)]\n    pub old: String,\n    \
                #[serde(skip)]\n    pub hidden: String,\n}\n";
    let files = [SourceFile { path: "src/page.rs".to_owned(), text: text.to_owned() }];
    let repair = repair(Side::Code, &contract, &spec, CodeSide { files: &files, ..CodeSide::UNKNOWN });
    let edited = &repair.files[0].text;
    for expected in [
        "max_length = 9)]\n    pub next_cursor",
        "max_length = 9)]\n    pub old",
        "\"Option::is_none\")]\n    #[schema(nullable = false)]\n    pub per_page",
        "#[serde(rename = \"per_item\", skip_serializing_if",
    ] {
        assert!(edited.contains(expected), "{expected}:\n{edited}");
    }
    // The sources have fields of these names: adding them would not compile.
    let left: Vec<(&str, &str)> =
        repair.left.iter().map(|one| (one.drift.pointer.as_str(), &*one.fixes[1].note)).collect();
    for property in ["hidden", "old"] {
        let words =
            format!("`Page` has a field `{property}` that is skipped or renamed in JSON (src/page.rs:3): change that");
        let pointer = format!("/components/schemas/Page/properties/{property}");
        assert!(left.contains(&(&*pointer, &*words)), "{left:#?}");
    }
}

#[test]
fn other_changes_are_described() {
    for (from, to, expected) in [
        ("        next_cursor:", "        next:", "rename `next_cursor` to `next` in the code"),
        (
            "      operationId: deleteUser",
            "      operationId: deleteUser\n      x-status: planned",
            "remove the handler",
        ),
        ("required: [users]\n", "required: [users, next_cursor]\n", "make a field an `Option`"),
        (
            "          format: date-time\n          description: When the user was created.",
            "          format: date\n          description: When the user was created.",
            "`Timestamp` matches the contract at other places: use a separate type here",
        ),
    ] {
        let words = words(&changed(&[(from, to)]));
        assert!(words.starts_with(expected), "{to}: {words}");
    }
    let renamed = findings(&changed(&[("        next_cursor:", "        next:")]));
    let message = renamed[0].message();
    assert!(
        message.ends_with("the address or the name differs: the contract has `next`, the code has `next_cursor`"),
        "{message}"
    );
    let moved = findings(&changed(&[("  /users/{id}:\n", "  /people/{id}:\n")]));
    let message = "deleteUser, getUser, updateUser: the address or the name differs: the contract has `/people/{id}`, the code has `/users/{id}`";
    assert_eq!((moved.len(), moved[0].message().as_str()), (1, message));
}

/// An operation is recognised by its `operationId`, whatever else differs; what other operations use is compared as always.
#[test]
fn a_moved_operation_is_one_drift_beside_those_of_other_operations() {
    let contract = changed(&[
        ("  /users/{id}:\n", "  /people/{key}:\n"),
        ("- name: id\n", "- name: key\n"),
        ("maxLength: 100", "maxLength: 90"),
    ]);
    let messages: Vec<String> = findings(&contract).iter().map(Finding::message).collect();
    assert_eq!(messages.len(), 2, "{messages:#?}");
    assert!(messages[0].contains("the contract has `/people/{key}`, the code has `/users/{id}`"), "{messages:#?}");
    assert!(messages[1].contains("expected 90"), "{messages:#?}");
}

/// The contract is edited to the fixed point too.
#[test]
fn the_contract_is_repaired_in_rounds() {
    let contract = changed(&[
        ("maxLength: 100", "maxLength: 90"),
        ("            maximum: 100\n", "            maximum: 80\n"),
        ("default: 50", "default: 20"),
    ]);
    let files = files();
    let repair = repair(Side::Contract, &contract, &spec(), CodeSide { files: &files, ..CodeSide::UNKNOWN });
    assert!(repair.left.is_empty() && repair.stopped.is_none(), "{repair:#?}");
    assert_eq!(repair.files[0].text, CONTRACT);
}

/// Lines and columns of both sides, the other places, and fixes that can be pasted as they are printed.
#[test]
fn a_finding_shows_the_lines_of_both_sides() {
    let found = findings(&changed(&[("maxItems: 100", "maxItems: 50")]));
    let text = render(&[found[0].diagnostic(0)], Format::Text);
    let line = CONTRACT.lines().position(|line| line.contains("maxItems: 100")).expect("a line") + 1;
    for part in [
        ": GET /users → 200 → application/json → users: maxItems: expected 50 (openapi.yaml), found 100 (src/users.rs:",
        &format!("--> openapi.yaml:{line}:11\n"),
        "|           ^^^^^^^^^^^^ expected 50\n",
        "::: src/users.rs:",
        "----------- found 100",
        &format!(
            "help: change the contract (machine-applicable): openapi.yaml: replace line {line} with\n\n          maxItems: 100\n\n"
        ),
        "help: change the code (machine-applicable): src/users.rs: replace line ",
        "\n\n    #[schema(max_items = 50)]\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
