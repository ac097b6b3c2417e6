//! Rules for operations, statuses, extensions and parameters.

use super::{errors, refuses};

#[test]
fn operations_need_a_unique_id_and_stated_security() {
    refuses("      operationId: getThing\n", "", "6:5 `operationId` is missing");
    refuses("security: []\n", "", "5:5 `security` is missing");
    refuses("security: []", "security: [{ key: [] }]", "3:14 `key` is not declared in `components/securitySchemes`");
    refuses("security: []", "security: [key]", "3:12 an item of `security` must map scheme names");
    let second = "  /other:\n    put:\n      operationId: getThing\n      responses: { 204: { description: Done. } }\n";
    refuses(
        "components:\n",
        &format!("{second}components:\n"),
        "19:7 duplicate operationId `getThing`: first defined at 7:7",
    );
}

#[test]
fn statuses_must_be_numbers() {
    for status in ["default", "4XX", "'99'", "600", "'0200'", "'2e2'"] {
        let bare = status.trim_matches('\'');
        refuses("200:", &format!("{status}:"), &format!("11:9 `{bare}` is not a status"));
    }
}

#[test]
fn unknown_or_invalid_extensions() {
    let id = "operationId: getThing";
    let with = |extension: &str| format!("{id}\n      {extension}");
    refuses(id, &with("x-sunsett: '2027-01-01'"), "8:7 unknown extension `x-sunsett`: did you mean `x-sunset`?");
    refuses(
        id,
        &with("x-internal: true"),
        "8:7 unknown extension `x-internal`: expected one of x-deprecated-since, x-max-body-bytes",
    );
    refuses(id, &with("x-sunset: soon"), "8:7 `x-sunset` must be an RFC 3339 date");
    refuses(id, &with("x-unknown-query: refuse"), "8:7 `x-unknown-query` must be `ignore`; without it");
    refuses(id, &with("x-max-body-bytes: 0"), "8:7 `x-max-body-bytes` must be a whole number of bytes");
    refuses(id, &with("x-max-body-bytes: 1kB"), "8:7 `x-max-body-bytes` must be");
    refuses(id, &with("x-status: done"), "8:7 `x-status` must be `planned`");
    refuses("type: object", "x-status: planned", "20:7 `x-status` must be on an operation, not on a schema");
    let vague = "type: object\n      x-pattern-description: letters";
    refuses(
        "type: object",
        vague,
        "21:7 `x-pattern-description` must be a sentence without its subject, such as `must",
    );
}

#[test]
fn parameters_must_match_the_path() {
    let misnamed = errors("name: id,", "name: key,");
    assert_eq!(
        misnamed,
        [
            "5:3 the path parameter `id` of `/things/{id}` is not declared",
            "9:11 the path parameter `key` is not in `/things/{id}`"
        ]
    );
    refuses("required: true, ", "", "9:11 a path parameter must have `required: true`");
    refuses("required: true", "required: false", "9:33 a path parameter must have `required: true`");
    refuses("in: path", "in: query", "9:23 `id` is in the path `/things/{id}`: it must have `in: path`");
    refuses("/things/{id}:", "/things/{id:", "5:3 unpaired braces");
    refuses("/things/{id}:", "/things/{id}/{id}:", "5:3 `{id}` occurs twice");
    refuses("/things/{id}:", "things/{id}:", "5:3 the path `things/{id}` must start with `/`");
    refuses(
        "      responses:\n",
        "        - { name: id, in: path, required: true, schema: {} }\n      responses:\n",
        "10:11 the path parameter `id` is declared twice",
    );
    refuses(
        "  /things/{id}:\n    get:\n",
        "  /things/{id}:\n    delete: { operationId: gone, responses: { 204: { description: Gone. } } }\n    get:\n",
        "6:5 the path parameter `id` of `/things/{id}` is not declared",
    );
    refuses(
        "schema: { type: string } }",
        "schema: {}, content: { text/plain: {} } }",
        "9:61 a parameter must have either `schema` or `content`, not both",
    );
    refuses(", schema: { type: string } }", " }", "9:11 a parameter must have either `schema` or `content`");
    refuses(
        "components:\n",
        "  /things/{name}: {}\ncomponents:\n",
        "17:3 `/things/{name}` and `/things/{id}` match the same paths",
    );
}
