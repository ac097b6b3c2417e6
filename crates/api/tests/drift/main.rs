//! What the build says of the real contract and the real handlers where either is changed.

mod code;
mod contract_side;
mod together;

use std::path::Path;

use openapi_contract::Contract;
use openapi_drift::fixes::{Action, Code, Edit, Side, SourceFile, apply, explain, page};
use openapi_drift::{Drift, DriftKind, diff};
use serde_json::{Value, json};

/// The real contract.
const CONTRACT: &str = include_str!("../../../../openapi.yaml");

/// The sources of the handlers, under the names that the build gives them.
fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders: Vec<String> = api::SOURCES.iter().map(|folder| root.join(folder).display().to_string()).collect();
    let mut files = SourceFile::all_in(&folders.iter().map(String::as_str).collect::<Vec<_>>());
    for file in &mut files {
        let name = Path::new(&file.path).strip_prefix(&root).expect("a file of this house");
        file.path = name.display().to_string();
    }
    files
}

fn generated() -> Value {
    serde_json::to_value(api::openapi()).expect("JSON")
}

/// What the build tells of this contract.
fn drifts(yaml: &str) -> Vec<Drift> {
    drifts_of(yaml, &generated())
}

fn drifts_of(yaml: &str, generated: &Value) -> Vec<Drift> {
    drifts_in(yaml, generated, &sources())
}

fn drifts_in(yaml: &str, generated: &Value, files: &[SourceFile]) -> Vec<Drift> {
    let contract = Contract::load("openapi.yaml", yaml).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let code = Code { files, by_rule: &api::with_common_responses, rules: api::COMMON_RESPONSES };
    explain(&contract, generated, code, diff(&contract, generated))
}

/// The contract with other words in these places, each the first that matches.
fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(CONTRACT.to_owned(), |yaml, (from, to)| {
        assert!(yaml.contains(from), "{from}");
        yaml.replacen(from, to, 1)
    })
}

/// Changes of the contract, all at once: each of another cause, some at many places.
const CHANGES: &[(&str, &str)] = &[
    // Operations: gone, new, renamed, moved, tagged otherwise.
    ("operationId: getHealth\n", "operationId: readHealth\n"),
    ("  /health/live:\n", "  /health/alive:\n"),
    ("      tags: [monitoring]\n", "      tags: [users]\n"),
    (
        "  /users/{id}:\n    parameters:\n",
        concat!(
            "  /users/count:\n    get:\n      operationId: countUsers\n      tags: [users]\n      responses:\n",
            "        '200':\n          description: The number.\n          content:\n            application/json:\n",
            "              schema:\n                type: object\n                required: [count]\n                properties:\n",
            "                  count: { type: integer, format: int64 }\n",
            "        '400': { $ref: '#/components/responses/BadRequest' }\n\n  /users/{id}:\n    parameters:\n",
        ),
    ),
    // Parameters.
    ("            maximum: 100\n", "            maximum: 200\n"),
    ("            default: 50\n", "            default: 20\n"),
    ("        - name: cursor\n", "        - name: after\n"),
    (
        "      responses:\n        '200':\n          description: One page",
        concat!(
            "        - name: email\n          in: query\n          schema: { type: string, format: email }\n",
            "      responses:\n        '200':\n          description: One page",
        ),
    ),
    // Bodies and answers.
    (
        "            Link: { $ref: '#/components/headers/Link' }\n",
        "            Link: { $ref: '#/components/headers/ETag' }\n",
    ),
    ("            Location: { $ref: '#/components/headers/Location' }\n", ""),
    ("        '409': { $ref: '#/components/responses/Conflict' }\n", ""),
    ("        '503': { $ref: '#/components/responses/ServiceUnavailable' }\n    post:", "    post:"),
    ("          application/merge-patch+json:\n", "          application/json-patch+json:\n"),
    ("            text/plain:\n", "            text/html:\n"),
    ("        '204':\n", "        '200':\n"),
    (
        "          description: The user is gone.\n          headers:\n",
        "          description: The user is gone.\n          headers:\n            ETag: { $ref: '#/components/headers/ETag' }\n",
    ),
    // Schemas.
    ("required: [id, name, email, created_at, updated_at]", "required: [id, name, email, created_at]"),
    (
        "          description: When the user was created.",
        "          maxLength: 27\n          description: When the user was created.",
    ),
    ("      additionalProperties: false\n      required: [name, email]", "      required: [name, email]"),
    (
        "        email: { $ref: '#/components/schemas/EmailAddress' }\n\n    UserPatch:",
        "        email: { $ref: '#/components/schemas/EmailAddress' }\n        nickname: { type: string, maxLength: 40 }\n\n    UserPatch:",
    ),
    ("      minLength: 1\n      maxLength: 100\n", "      minLength: 2\n      maxLength: 120\n"),
    ("      format: email\n", "      format: idn-email\n"),
    ("      minLength: 6\n", ""),
    ("      maxLength: 254\n", "      maxLength: 320\n"),
    ("          maxItems: 100\n", "          maxItems: 200\n"),
    ("        next_cursor:\n", "        next:\n"),
    ("          enum: [up]\n", "          enum: [up, starting]\n"),
    (
        "          description: The version of the server.\n",
        "          description: The version of the server.\n          minLength: 5\n",
    ),
    ("          enum: [ready]\n", "          enum: [ok]\n"),
    ("          minimum: 400\n", "          minimum: 100\n"),
    ("          maximum: 599\n", "          maximum: 999\n"),
    (
        "          description: What went wrong this time, for people.\n",
        "          description: What went wrong this time, for people.\n          maxLength: 500\n",
    ),
    (
        "          items: { $ref: '#/components/schemas/Violation' }\n",
        "          items: { $ref: '#/components/schemas/Violation' }\n          maxItems: 100\n",
    ),
    ("      required: [detail]\n", "      required: [detail, pointer]\n"),
    ("          format: json-pointer\n", "          format: uri-reference\n"),
];

/// The edits of one side.
fn edits(drift: &Drift, side: Side) -> &[Edit] {
    drift.fixes.iter().find(|fix| fix.side == side).map_or(&[], |fix| &fix.edits)
}

/// The one drift after these changes; the contract's fix-it of it leaves none.
#[track_caller]
fn only(changes: &[(&str, &str)]) -> Drift {
    let yaml = changed(changes);
    let mut all = drifts(&yaml);
    assert_eq!(all.len(), 1, "{}", page(&all));
    let drift = all.remove(0);
    let mended = apply(&yaml, edits(&drift, Side::Contract));
    assert!(drifts(&mended).is_empty(), "{mended}");
    drift
}

/// The change of the contract that bounds a time, the one that this prose is about.
fn bounded(prose: &str, length: u32) -> (String, String) {
    let line = format!("          description: {prose}");
    (line.clone(), format!("          maxLength: {length}\n{line}"))
}

/// `created_at` and `updated_at` are of one type, and the contract changes the first alone.
#[test]
fn one_use_of_a_type_changes_without_the_others() {
    let created = bounded("When the user was created.", 27);
    let updated = |length| bounded("When the user was last changed.", length);
    let both = |length: u32| {
        let all = [created.clone(), updated(length)];
        changed(&all.each_ref().map(|(from, to)| (from.as_str(), to.as_str())))
    };
    let drift = only(&[(&created.0, &created.1)]);
    let told = drift.detail(0, 0);
    let [edit] = edits(&drift, Side::Code) else { panic!("{told}") };
    let attribute = r#"    #[schema(value_type = String, format = "date-time", max_length = 27, pattern = r""#;
    assert_eq!(edit.file, "crates/api/src/users.rs");
    assert!(edit.text.starts_with(attribute) && edit.text.ends_with(")]\n    pub created_at: Timestamp,"), "{told}");
    assert!(
        told.contains("`Timestamp` itself stays: it is right in POST /users → 201 → application/json → updated_at")
    );

    // With both changed alike it is the type.
    let told = drifts(&both(27));
    let [edit] = edits(&told[0], Side::Code) else { panic!("{}", page(&told)) };
    assert_eq!((edit.file.as_str(), told.len(), told[0].likewise.len()), ("crates/api/src/timestamp.rs", 1, 1));

    // And with both changed in different ways each field gets its own.
    let lines: Vec<String> =
        drifts(&both(30)).iter().flat_map(|drift| edits(drift, Side::Code)).map(|edit| edit.text.clone()).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("max_length = 27") && lines[0].contains("pub created_at"), "{lines:?}");
    assert!(lines[1].contains("max_length = 30") && lines[1].contains("pub updated_at"), "{lines:?}");
}

/// What the contract writes out for one use, in the place of a reference, is one drift: the reference comes back, or the
/// one field differs.
#[test]
fn what_is_written_out_for_one_use_is_one_drift() {
    let drift = only(&[(
        "        name: { $ref: '#/components/schemas/UserName' }",
        "        name: { type: string, minLength: 1, maxLength: 80 }",
    )]);
    let told = drift.detail(0, 0);
    assert_eq!(drift.likewise.len(), 1, "{told}");
    assert_eq!(edits(&drift, Side::Contract)[0].text, "        name: { $ref: '#/components/schemas/UserName' }");
    let field = "    #[schema(value_type = String, min_length = 1, max_length = 80)]\n    pub name: UserName,";
    assert_eq!(edits(&drift, Side::Code)[0].text, field);
}

#[test]
fn a_wrong_reference_of_a_header_is_told_as_one() {
    let right = "            Link: { $ref: '#/components/headers/Link' }";
    let drift = only(&[(right, "            Link: { $ref: '#/components/headers/ETag' }")]);
    assert_eq!(drift.place, "GET /users → 200 → header Link");
    assert_eq!(
        drift.message(),
        "GET /users → 200 → header Link: the contract says \"#/components/headers/ETag\", the code says \
         \"#/components/headers/Link\""
    );
    assert_eq!(edits(&drift, Side::Contract)[0].text, right);
    assert!(edits(&drift, Side::Code)[0].text.contains(r#"("Link" = EntityTag)"#), "{}", drift.detail(0, 0));

    // Three keywords differ between these two, and it is one drift.
    let right = "            X-Request-Id: { $ref: '#/components/headers/X-Request-Id' }\n            RateLimit:";
    let drift = only(&[(
        right,
        "            X-Request-Id: { $ref: '#/components/headers/RateLimit' }\n            RateLimit:",
    )]);
    assert_eq!(edits(&drift, Side::Contract)[0].text, right.lines().next().unwrap());
}

#[test]
fn a_tag_by_which_a_rule_goes_says_so() {
    let drift = only(&[("      tags: [users]\n      summary: Create", "      tags: [health]\n      summary: Create")]);
    let told = drift.detail(0, 0);
    let note = "with it the rule in crates/api/src/common_responses.rs takes 429, 503 away, which the contract has";
    assert!(told.contains(note), "{told}");
}

#[test]
fn what_one_line_of_the_code_says_is_told_once() {
    let drift = only(&[(
        "            maximum: 100\n            default: 50\n",
        "            maximum: 200\n            default: 20\n",
    )]);
    assert_eq!(
        drift.likewise,
        ["openapi.yaml:138:13: GET /users → query limit → default: the contract says 20, the code says 50"]
    );
    let [edit] = edits(&drift, Side::Code) else { panic!("{}", drift.detail(0, 0)) };
    assert!(edit.text.contains("maximum = 200, default = 20"), "{}", edit.text);
}

#[test]
fn what_has_another_name_is_renamed_on_either_side() {
    for (from, to, place, code) in [
        ("        next_cursor:\n", "        next:\n", "→ next", "rename = \"next\")]"),
        ("            text/plain:\n", "            text/html:\n", "→ text/html", "content_type = \"text/html\""),
        (
            "            Location: {",
            "            Content-Location: {",
            "→ header Content-Location",
            "(\"Content-Location\" = Location)",
        ),
        ("        - name: cursor\n", "        - name: after\n", "→ query after", "rename = \"after\")]"),
    ] {
        let drift = only(&[(from, to)]);
        assert_eq!(drift.kind, DriftKind::Moved, "{drift}");
        assert!(drift.place.ends_with(place), "{drift}");
        assert!(edits(&drift, Side::Code).iter().any(|edit| edit.text.contains(code)), "{}", drift.detail(0, 0));
    }
}

#[test]
fn operations_of_a_new_resource_are_told_one_by_one() {
    let operation = |id: &str| {
        format!(
            "    get:\n      operationId: {id}\n      tags: [teams]\n      responses:\n        '204': {{ description: d }}\n"
        )
    };
    let paths = format!("  /teams:\n{}  /teams/all:\n{}  /users:\n", operation("listTeams"), operation("allTeams"));
    let told = drifts(&changed(&[("  /users:\n", &paths)]));
    assert_eq!(told.len(), 2, "{}", page(&told));
    for drift in &told {
        let new = edits(drift, Side::Code).iter().filter(|edit| edit.action == Action::Create).count();
        assert_eq!((new, drift.likewise.len()), (1, 0), "{}", drift.detail(0, 0));
    }
}

/// The README and docs/drift.md show what cargo prints, which moves a build script's words right by two.
#[test]
fn the_documents_show_what_the_build_says() {
    let told = page(&drifts(&changed(&[("      maxLength: 100\n", "      maxLength: 120\n")])));
    let lines = told.lines().map(|line| if line.is_empty() { String::from("\n") } else { format!("  {line}\n") });
    let shown: String = lines.collect();
    for document in [include_str!("../../../../README.md"), include_str!("../../../../docs/drift.md")] {
        assert!(document.contains(&format!("```text\n{shown}```\n")), "{shown}");
    }
}

/// The longest that one drift may be: a handler and its types are written whole.
const MOST_LINES: usize = 40;

#[test]
fn many_drifts_are_read_from_the_top_to_the_bottom() {
    let mut yaml = changed(CHANGES);
    let contract = Contract::load("openapi.yaml", &yaml).expect("a contract");
    let found = diff(&contract, &generated());
    assert!(found.len() >= 40, "{}", found.len());
    let mut told = drifts(&yaml);
    let text = page(&told);
    println!("{text}");

    // In the order of the file, each with what to do, none without end.
    assert!(told.is_sorted_by_key(|drift| drift.position), "{text}");
    for drift in &told {
        let detail = drift.detail(2, 2);
        assert!(detail.lines().count() <= MOST_LINES, "{detail}");
        assert!(
            detail.contains("help: change the contract: ") && detail.contains("help: change the code: "),
            "{detail}"
        );
        assert!(text.contains(&detail), "{detail}");
    }
    // No edit of the code is told twice.
    let code: Vec<&[Edit]> =
        told.iter().map(|drift| edits(drift, Side::Code)).filter(|edits| !edits.is_empty()).collect();
    assert!(code.iter().enumerate().all(|(at, edits)| !code[..at].contains(edits)), "{text}");
    // Nothing that was found is lost: it stands at its own place, or as the other name of what is at that place.
    for drift in found.iter().filter(|drift| !drift.pointer.ends_with("/required")) {
        let name = drift.place.rsplit([' ']).next().unwrap_or_default();
        let at = format!("openapi.yaml:{}: ", drift.position);
        assert!(text.contains(&at) || text.contains(&format!(", the code says {name}\n")), "{drift}");
    }
    // The end of the page lists all once more and counts them, since the beginning has scrolled away.
    let short = text.split("\nIn short:\n").nth(1).expect("a list");
    assert_eq!(short.lines().filter(|line| line.starts_with("  openapi.yaml:")).count(), told.len());
    let places: usize = told.iter().map(|drift| 1 + drift.also.len() + drift.likewise.len()).sum();
    let count = format!("error: {} drifts, at {places} places, between the contract and the code;", told.len());
    assert!(short.lines().last().is_some_and(|line| line.starts_with(&count)), "{short}");

    // Followed, the fix-its of the contract leave no drift. Those that meet wait for the next build.
    for _ in 0..3 {
        let mut all: Vec<&Edit> = Vec::new();
        for drift in &told {
            let mine = edits(drift, Side::Contract);
            if !mine
                .iter()
                .any(|edit| all.iter().any(|other| lines(edit).1 >= lines(other).0 && lines(other).1 >= lines(edit).0))
            {
                all.extend(mine);
            }
        }
        all.sort_by_key(|edit| std::cmp::Reverse(lines(edit)));
        yaml = apply(&yaml, &all.into_iter().cloned().collect::<Vec<_>>());
        told = drifts(&yaml);
    }
    assert!(told.is_empty(), "{}", page(&told));
}

/// The lines that an edit is about, the first and the last.
fn lines(edit: &Edit) -> (usize, usize) {
    match edit.action {
        Action::InsertAfter(line) => (line, line),
        Action::Replace { first, last } | Action::Remove { first, last } => (first, last),
        Action::Create => (0, 0),
    }
}

/// Once the code has the tag, what the rule no longer adds is one cause.
#[test]
fn what_a_rule_takes_away_by_a_tag_is_told_as_that() {
    let yaml =
        changed(&[("      tags: [users]\n      summary: Create", "      tags: [health]\n      summary: Create")]);
    let mut generated = generated();
    let operation = &mut generated["paths"]["/users"]["post"];
    operation["tags"] = json!(["health"]);
    let responses = operation["responses"].as_object_mut().expect("responses");
    responses.retain(|status, _| status != "429" && status != "503");
    let headers = responses["201"]["headers"].as_object_mut().expect("headers");
    headers.retain(|name, _| !name.starts_with("RateLimit"));
    let told = drifts_of(&yaml, &generated);
    let text = page(&told);
    assert_eq!(told.len(), 2, "{text}");
    let note = "note: the tag decides: a rule (crates/api/src/common_responses.rs) adds this to operations of `users`, and to none \
                of `health`\n";
    assert_eq!(text.matches(note).count(), 2, "{text}");
}
