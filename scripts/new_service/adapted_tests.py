"""Adapts the tests of `users` to the fields of a service, before they are renamed."""

import json
import re

from source import Source

# Tests about the form of e-mail addresses, and about messages for them, whose order is that of the names.
REMOVED = {
    "tests/api_tests/validation.rs": [
        "every_violation_is_listed",
        "a_violation_has_the_most_telling_code_of_its_place",
        "addresses_match_the_contract",
    ],
}
# Values that are no e-mail address, but a value of another text, and those of the examples in the contract.
INVALID = [
    ("tests/api_tests/list_filters.rs", "sort=name&email=ada&", "sort=name&email=%00&"),
    ("tests/api_tests/several_users.rs", '{ "name": "", "email": "x" }', '{ "name": "", "email": "" }'),
    *(("tests/integration/example_data.rs", f"{name}@example.com", name) for name in ("ada", "katherine", "margaret")),
    ("tests/integration/import_export.rs", '"email":"x","a/b":1', '"email":"","a/b":1'),
    ("tests/integration/import_export.rs", '"must be an e-mail address"', '"must not be empty"'),
]


# Scripts that create users.
SCRIPTS = """
    docker/smoke-test scripts/browser-test.mjs scripts/check-deploy scripts/issuer-test scripts/proxy-test.py
    scripts/scaling-test.py
""".split()


def adapt_tests(root, key, extras):
    required = [field for field in extras if not field.optional]
    members = "".join(f', "{field.name}": {field.json}' for field in required)
    for name in SCRIPTS:
        with Source(root, name) as source:
            text = with_members(source.text, ", MEMBERS")
            if text == source.text:
                raise ValueError(f"{name}: creates no user any more; remove it from scripts/new_service/adapted_tests.py")
            in_python = "".join(f', "{field.name}": {json.loads(field.json)!r}' for field in required)
            source.text = text.replace(", MEMBERS", in_python if name.endswith(".py") else members)
    edits = INVALID + (edits_for(required, extras, members) if extras else [])
    names = {
        str(path.relative_to(root))
        for folder in ("tests/api_tests", "tests/integration", "tests/harness", "benches")
        for path in (root / folder).glob("*.rs")
    }
    # Those of the edits too: a file that is not there any more is an error.
    for name in names | {edit[0] for edit in edits} | REMOVED.keys() | {"tests/fixtures/test_data.json"}:
        with Source(root, name) as source:
            for test in REMOVED.get(name, ()):
                # With its comments.
                source.sub(rf"(?s)(    ///[^\n]*\n)*    async fn {test}\(.*?\n    \}}\n\n?", "")
            for _, old, new in (edit for edit in edits if edit[0] == name):
                source.replace(old, new, count=None)
            source.text = with_members(source.text, members)
    if extras:
        (root / "tests/api_tests/details.rs").write_text(details(required, extras))
        with Source(root, "tests/api_tests/main.rs") as source:
            source.after("mod common_responses;\n", "mod details;\n")


def details(required, extras):
    """The test of the fields beside those that `users` has."""

    def members(fields, value):
        return ", ".join(f'"{field.name}": {value(field)}' for field in fields)

    first = members(required, lambda field: field.json)
    patch = members(extras, lambda field: field.other_json)
    invalid = "".join(
        f'            ("{field.name}", json!({value})),\n' for field in extras for value in field.invalid_json
    )
    absent = "".join(f'        assert_eq!(replaced.get("{field.name}"), None);\n' for field in extras if field.optional)
    return f"""//! The members of a user beside its name and its email.

use serde_json::{{Value, json}};

use crate::harness::matrix;

fn required() -> Value {{
    json!({{ "name": "Ada", "email": "ada@example.com"{", " * bool(first)}{first} }})
}}

matrix! {{
    async fn a_patch_sets_members_and_a_put_replaces_all(app: App) {{
        let created = app.post("/users", required()).await;
        assert_eq!(created.status, 201);
        let path = created.header("location").unwrap().to_owned();
        assert_eq!(app.get(&path).await.body, created.body);

        let patch = json!({{ {patch} }});
        let patched = app.patch(&path, patch.clone()).await;
        assert_eq!(patched.status, 200);
        for (member, value) in patch.as_object().unwrap() {{
            assert_eq!(&patched.json()[member], value, "{{member}}");
        }}
        assert_eq!(app.patch(&path, patch).await.body, patched.body, "the same values are no change");
        assert_eq!(app.patch(&path, json!({{}})).await.body, patched.body, "no values are no change");
        assert_eq!(app.get(&path).await.body, patched.body);

        let replaced = app.put(&path, required()).await.json();
        for (member, value) in required().as_object().unwrap() {{
            assert_eq!(&replaced[member], value, "{{member}}");
        }}
{absent}        assert_eq!(app.get(&path).await.json(), replaced);
    }}

    async fn a_member_that_the_contract_excludes_is_refused(app: App) {{
        let path = format!("/users/{{}}", app.create_user("bob").await["id"].as_str().unwrap());
        for (member, value) in [
{invalid}        ] {{
            let mut whole = required();
            whole[member] = value.clone();
            let patched = app.patch(&path, json!({{ member: value }})).await;
            for response in [app.post("/users", whole.clone()).await, app.put(&path, whole).await, patched] {{
                assert_eq!((response.status, response.places()), (422, vec![format!("/{{member}}")]), "{{value}}");
            }}
        }}
    }}
}}
"""


def edits_for(required, extras, members):
    """The statements in tests get the columns, and counts and sizes get larger."""
    names = "".join(f", {field.name}" for field in extras)

    def sql(time):
        return "".join(f", {field.sql(time)}" for field in extras)

    columns = ("email_key, version, created_at, updated_at)", f"email_key, version, created_at, updated_at{names})")
    size = 100 + len(members)
    return [
        ("tests/api_tests/changes.rs", *columns),
        (
            "tests/api_tests/changes.rs",
            "SELECT id, n, n, n, 1, at, at FROM rows",
            f"SELECT id, n, n, n, 1, at, at{sql('at')} FROM rows",
        ),
        (
            "tests/api_tests/changes.rs",
            "'slow@example.com', 1, at, at \\",
            f"'slow@example.com', 1, at, at{sql('at')} \\",
        ),
        (
            "tests/api_tests/idempotency.rs",
            '{"email": "ada@example.com", "name": "ada"}',
            f'{{"email": "ada@example.com"{members}, "name": "ada"}}',
        ),
        ("tests/api_tests/validation.rs", '"--max-body-bytes", "100"', f'"--max-body-bytes", "{size}"'),
        ("tests/api_tests/validation.rs", "vec![b'{'; 200]", f"vec![b'{{'; {2 * size}]"),
        ("tests/api_tests/validation.rs", "unknown(1_003)", f"unknown({1_003 + len(extras):_})"),
        ("tests/api_tests/validation.rs", "(422, 902)", f"(422, {902 + len(required)})"),
        (
            "tests/integration/contract.rs",
            "required: [name, email]",
            f"required: [name, email{''.join(f', {field.name}' for field in required)}]",
        ),
        (
            "tests/integration/contract.rs",
            '"required: [name]"',
            f'"required: [name{"".join(f", {field.name}" for field in required)}]"',
        ),
        (
            "tests/integration/database_faults.rs",
            "'taken@example.com', 1, now(), now() \\",
            f"'taken@example.com', 1, now(), now(){sql('now()')} \\",
        ),
        ("tests/integration/import_export.rs", *columns),
        (
            "tests/integration/import_export.rs",
            '("/email", "is required")',
            '("/email", "is required")' + "".join(f', ("/{field.name}", "is required")' for field in required),
        ),
        (
            "tests/integration/import_export.rs",
            "'user2000@example.com', 1, 1, 1)",
            f"'user2000@example.com', 1, 1, 1{sql('1')})",
        ),
        ("tests/integration/import_export.rs", "1, now(), now())", f"1, now(), now(){sql('now()')})"),
        ("tests/integration/list_plans.rs", "1, now(), now() \\", f"1, now(), now(){sql('now()')} \\"),
        ("tests/integration/migrations.rs", *columns),
        (
            "tests/integration/migrations.rs",
            "VALUES ($1, $2, $3, $3, 1, $4, $4)",
            f"VALUES ($1, $2, $3, $3, 1, $4, $4{sql('$4')})",
        ),
    ]


def with_members(text, members):
    """Adds members to each JSON object with a name and an e-mail address."""
    if not members:
        return text
    result, end = "", 0
    for match in re.finditer(r'"email" ?: ?', text):
        if '"name"' not in text[max(0, match.start() - 120) : match.start()].rpartition("{ ")[2] and not re.search(
            r'"name":"[^"]*",$', text[: match.start()]
        ):
            continue
        place = value_end(text, match.end())
        result += text[end:place] + members
        end = place
    return result + text[end:]


def value_end(text, place):
    """Returns where a value in Rust or JSON ends: at a comma or a bracket that closes what is around it."""
    depth, in_string = 0, False
    while True:
        letter = text[place]
        if in_string:
            if letter == "\\":
                place += 1
            in_string = letter != '"'
        elif letter == '"':
            in_string = True
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif letter == "," and depth == 0:
            break
        place += 1
    while text[place - 1] == " ":
        place -= 1
    return place
