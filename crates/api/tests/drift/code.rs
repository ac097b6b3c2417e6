//! What the code is told to say where one attribute is not all of it: schemas by hand, rules for all operations, and those
//! who make values of a type.

use openapi_drift::fixes::Side;

use super::{changed, drifts, edits, only};

/// What the code's side of the one drift is told to write, each edit under its file and place, and what is noted.
#[track_caller]
fn told_of_the_code(from: &str, to: &str) -> String {
    let drift = only(&[(from, to)]);
    let fix = drift.fixes.iter().find(|fix| fix.side == Side::Code).expect("a fix-it of the code");
    let edits: String = fix.edits.iter().map(|edit| format!("{edit}:\n{}\n", edit.text)).collect();
    format!("{edits}note: {}\n", fix.note)
}

#[test]
fn what_utoipa_has_no_words_for_is_written_by_hand() {
    let not = "{\"enum\": [\"unknown\"]}";
    for (from, to, lines) in [
        // A field.
        (
            "          description: The version of the server.\n",
            "          not: { enum: [unknown] }\n          description: The version of the server.\n",
            [
                "    #[schema(schema_with = health_version)]\n    version: &'static str,\n".to_owned(),
                format!("fn health_version() -> utoipa::openapi::Object {{\n    let said = [\n        (\"not\", serde_json::json!({not})),\n"),
                "note: utoipa's attributes cannot say `not`: take it out of the contract, or write the schema by hand, as here\n".to_owned(),
            ],
        ),
        // A type of its own.
        (
            "      minLength: 1\n      maxLength: 100\n",
            "      minLength: 1\n      maxLength: 100\n      not: { enum: [unknown] }\n",
            [
                "line 27 becomes:\n#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]\n".to_owned(),
                "impl ToSchema for UserName {}\n".to_owned(),
                format!("            (\"not\", serde_json::json!({not})),\n"),
            ],
        ),
        // Of another type, which Rust has only with a format.
        (
            "          type: integer\n          format: int32\n          minimum: 400\n",
            "          type: integer\n          minimum: 400\n",
            [
                "    #[schema(schema_with = problem_status)]\n    status: u16,\n".to_owned(),
                "        (\"type\", serde_json::json!(\"integer\")),\n".to_owned(),
                "give it `format: int32` or `format: int64` in the contract, or write the schema by hand, as here".to_owned(),
            ],
        ),
    ] {
        let told = told_of_the_code(from, to);
        assert!(lines.iter().all(|line| told.contains(line)), "{told}");
    }
}

/// The type from which the rule takes the schema of a header, or a new one where it takes that of a string.
#[test]
fn a_header_of_a_rule_is_mended_where_the_rule_says_it() {
    const RULES: &str = "crates/api/src/common_responses.rs";
    const POLICY: &str =
        "Absent when no limit is set.\n      schema:\n        type: string\n      example: '\"address\";q";
    for (from, to, lines) in [
        (
            "        minimum: 1\n      example: 1",
            "        minimum: 2\n      example: 2",
            ["#[schema(minimum = 2)]\n", "`add_headers`"],
        ),
        (
            POLICY,
            &POLICY.replace("type: string\n", "type: string\n        maxLength: 60\n"),
            [
                "        add(\"RateLimit-Policy\", RateLimitPolicy::schema());\n",
                "#[schema(max_length = 60)]\n#[expect(dead_code",
            ],
        ),
    ] {
        let told = told_of_the_code(from, to);
        assert!(told.starts_with(RULES) && lines.iter().all(|line| told.contains(line)), "{told}");
    }
    // Where the contract strays in one place alone, the rule cannot follow; but it can be found.
    let words = told_of_the_code("        '400': { $ref: '#/components/responses/BadRequest' }\n", "");
    assert!(words.contains("change `complete` (crates/api/src/common_responses.rs:"), "{words}");
    assert!(words.ends_with("where it says `let mut statuses = vec![\"400\", \"500\"];`\n"), "{words}");
}

/// Benchmarks and tests make values of the types, too.
#[test]
fn whoever_makes_a_value_of_a_type_is_told_of_its_new_member() {
    let email = "        email: { $ref: '#/components/schemas/EmailAddress' }\n\n    UserPatch:";
    let nick = &email.replace("\n\n", "\n        nick: { type: string }\n\n");
    let optional = drifts(&changed(&[(email, nick)]));
    let [bench, ..] = edits(&optional[0], Side::Code) else { panic!("no edit") };
    assert!(bench.file == "benches/store.rs" && bench.text.contains(", nick: None }"), "{bench}: {}", bench.text);

    let names = "      additionalProperties: false\n      required: [name, email]";
    let required = drifts(&changed(&[(email, nick), (names, &names.replace("email]", "email, nick]"))]));
    let fix = required[0].fixes.iter().find(|fix| fix.side == Side::Code).expect("a fix-it");
    assert!(fix.note.starts_with("give it a value where a `NewUser` is made: benches/store.rs:"), "{}", fix.note);
}
