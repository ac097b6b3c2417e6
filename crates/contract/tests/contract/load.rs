//! What the loader refuses, and where it says so.

use crate::{LIBRARY, load, load_json, only_message};
use contract::Contract;

/// The smallest contract with one of everything that can go wrong.
const SMALL: &str = "\
openapi: 3.1.0
info: { title: Small, version: '1' }
security: []
paths:
  /things/{id}:
    get:
      operationId: getThing
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
      responses:
        200:
          description: A thing.
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Thing'
components:
  schemas:
    Thing:
      type: object
      properties:
        name: { type: string, maxLength: 9 }
";

/// The errors of [`SMALL`] after one replacement, as `line:column message`.
#[track_caller]
fn errors(from: &str, to: &str) -> Vec<String> {
    assert_eq!(SMALL.matches(from).count(), 1, "`{from}` must occur once");
    errors_of(&SMALL.replacen(from, to, 1))
}

#[track_caller]
fn errors_of(yaml: &str) -> Vec<String> {
    let errors = Contract::load("openapi.yaml", yaml).expect_err("must be refused");
    errors
        .iter()
        .map(|error| {
            let shown = error.to_string();
            assert!(shown.starts_with("openapi.yaml:"), "{shown}");
            format!("{} {}", error.position, error.message)
        })
        .collect()
}

/// Asserts that one replacement makes exactly one error, whose text starts like this.
#[track_caller]
fn refuses(from: &str, to: &str, expected: &str) {
    only_message(SMALL, (from, to), expected, errors_of);
}

#[test]
fn the_small_contract_is_sound() {
    assert_eq!(load(SMALL).operations().len(), 1);
}

#[test]
fn text_that_is_not_yaml() {
    refuses("operationId: getThing", "operationId: [getThing", "8:17 not valid YAML");
    assert_eq!(errors_of(""), ["1:1 the file holds no document"]);
    assert_eq!(errors_of("# nothing\n"), ["1:1 the file holds no document"]);
}

#[test]
fn bytes_that_are_not_text() {
    let load = |bytes: &[u8]| Contract::load_bytes("openapi.yaml", bytes).map_err(|errors| errors[0].to_string());
    assert_eq!(load(SMALL.as_bytes()).map(|contract| contract.operations().len()), Ok(1));
    let expected = |at: &str, byte: &str| {
        Err(format!("openapi.yaml:{at}: not UTF-8: the byte {byte} stands where a character should begin"))
    };
    let broken = |bytes: &[u8]| load(bytes).map(|_| ());
    assert_eq!(broken(b"\xff\xfeo\0"), expected("1:1", "0xff"));
    assert_eq!(broken("a: b\r\nc: é".as_bytes().split_last().expect("bytes").1), expected("2:4", "0xc3"));
    assert_eq!(broken(b"a: b\nc: \xc3\xa9\xe9"), expected("2:5", "0xe9"));
    assert_eq!(broken(b"a: b\rc: \x80"), expected("2:4", "0x80"));
}

/// What editors and other systems do to a text: it is read, or told where it cannot be.
#[test]
fn texts_that_are_written_in_another_way() {
    for sound in [
        format!("\u{feff}{SMALL}"),
        format!("---\n{SMALL}...\n"),
        format!("%YAML 1.2\n---\n{SMALL}"),
        SMALL.replace('\n', "\r\n"),
        SMALL.trim_end().to_owned(),
        serde_json::to_string_pretty(load(SMALL).document()).expect("JSON"),
    ] {
        assert_eq!(load(&sound).operations().len(), 1, "{sound}");
    }
    refuses("    get:\n", "\tget:\n", "6:2 not valid YAML: tabs disallowed");
    let marked = errors_of(&format!("\u{feff}{}", SMALL.replace("title: Small", "titel: Small")));
    assert!(marked[1].starts_with("2:9 unknown keyword `titel`"), "{marked:?}");
    let large = format!("{SMALL}{}", "# no contract is so large\n".repeat(2_000_000));
    assert_eq!(errors_of(&large), ["1:1 the file is larger than 16 MiB, and no contract is"]);
    let bytes = Contract::load_bytes("openapi.yaml", &vec![0xff; 50_000_000]).expect_err("too large");
    assert_eq!(bytes[0].message, "the file is larger than 16 MiB, and no contract is");
    for deep in ["[", "{a: ", "- ", "? ", "!!seq [", "&a [", "a: [", "'", "{\"a\":"] {
        let told = errors_of(&deep.repeat(20_000));
        assert!(told.len() < 300_000 && told[0].split(' ').next().is_some_and(|at| at.contains(':')), "{deep}");
    }
}

#[test]
fn characters_that_nobody_sees() {
    for (character, name) in [('\0', "0000"), ('\x08', "0008"), ('\x1b', "001B"), ('\x7f', "007F"), ('\u{9f}', "009F")]
    {
        let message = format!("2:10 U+{name} is a control character: write it as an escape in double quotes");
        for text in [format!("a: b\nc: 'text{character}'\n"), format!("a: b\r\n# text{character}{character}\r\n")] {
            let at = if text.contains('#') { "2:7" } else { "2:9" };
            assert_eq!(errors_of(&text), [message.replace("2:10", at)]);
        }
    }
    load(&SMALL.replace("title: Small", "title: \"Small\\b\\x7f\t\u{85}é\""));
    load(&SMALL.replace('\n', "\r\n"));
}

#[test]
fn yaml_that_hides_what_it_says() {
    refuses("type: object\n", "type: object\n      type: object\n", "21:7 duplicate key `type`: it is already at 20:7");
    refuses("{ type: string, maxLength: 9 }", "&name { type: string }", "22:15 anchors are not supported");
    refuses("      properties:\n", "      <<: {}\n      properties:\n", "21:7 merge keys are not supported");
    refuses("maxLength: 9", "maxLength: !!int 9", "22:42 tags are not supported");
    refuses("title: Small", "? { a: b } : Small", "2:11 a key must be");
    let alias = errors("info: { title: Small, version: '1' }", "info: { title: &t Small, version: *t }");
    assert_eq!(alias.len(), 2, "{alias:#?}");
    assert!(alias[0].starts_with("2:16 anchors are not supported"), "{alias:#?}");
    assert!(alias[1].starts_with("2:35 aliases are not supported"), "{alias:#?}");
    let second = errors_of(&format!("{SMALL}---\na: b\n"));
    assert_eq!(second, ["23:1 a second document: a contract is one YAML document"]);
}

#[test]
fn documents_of_another_kind() {
    refuses("openapi: 3.1.0", "swagger: '2.0'", "1:1 not an OpenAPI document");
    refuses("openapi: 3.1.0", "openapi: 3.0.3", "1:1 not an OpenAPI 3.1 document: `openapi` says \"3.0.3\"");
    refuses("openapi: 3.1.0", "openapi: 3.1", "1:1 not an OpenAPI 3.1 document: `openapi` says 3.1");
    assert!(errors_of("[]")[0].starts_with("1:1 not an OpenAPI document"));
    assert!(errors_of("word")[0].starts_with("1:1 not an OpenAPI document"));
}

#[test]
fn references_that_lead_nowhere() {
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
        "16:17 `#/paths/~1things~1%7Bid%7D/get` is an operation; a schema is needed here",
    );
    refuses(reference, "$ref: 12", "16:17 `$ref` must be a string");
    refuses(
        reference,
        "$ref: '#/components/schemas/Thing'\n                description: A thing.",
        "16:17 `$ref` stands alone: 3.0 ignores what is beside it; move `description`",
    );
    let circle = errors(
        "        name: { type: string, maxLength: 9 }\n",
        "        name: { type: string }\n    A: { $ref: '#/components/schemas/B' }\n    B: { $ref: '#/components/schemas/A' }\n",
    );
    // A chain that is only long is no circle, and one that is refused is refused by everyone who follows it.
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
    assert_eq!(errors_of(&chain(33)), ["16:17 `#/components/schemas/L1` leads on to more than 32 references in a row"]);
    let both = ["B", "A"].map(|name| format!("`#/components/schemas/{name}` leads back to itself"));
    assert_eq!(circle, [format!("23:10 {}", both[0]), format!("24:10 {}", both[1])]);
}

#[test]
fn operations_that_cannot_be_told_apart_or_left_unguarded() {
    refuses("      operationId: getThing\n", "", "6:5 `operationId` is missing");
    refuses("security: []\n", "", "5:5 `security` is not stated");
    refuses("security: []", "security: [{ key: [] }]", "3:14 the security scheme `key` is not declared");
    refuses("security: []", "security: [key]", "3:12 a security requirement maps");
    let second = "  /other:\n    put:\n      operationId: getThing\n      responses: { 204: { description: Done. } }\n";
    refuses(
        "components:\n",
        &format!("{second}components:\n"),
        "19:7 duplicate operationId `getThing`: it is already at 7:7",
    );
}

#[test]
fn statuses_that_are_not_one_number() {
    for status in ["default", "4XX", "'99'", "600", "'0200'", "2e2"] {
        let bare = status.trim_matches('\'');
        refuses("200:", &format!("{status}:"), &format!("11:9 `{bare}` is not a status"));
    }
}

#[test]
fn extensions_that_nobody_reads() {
    let id = "operationId: getThing";
    let with = |extension: &str| format!("{id}\n      {extension}");
    refuses(id, &with("x-sunsett: 2027-01-01"), "8:7 unknown extension `x-sunsett`: did you mean `x-sunset`?");
    refuses(
        id,
        &with("x-internal: true"),
        "8:7 unknown extension `x-internal`: known are x-deprecated-since, x-max-body-bytes",
    );
    refuses(id, &with("x-sunset: soon"), "8:7 `x-sunset` must be an RFC 3339 date");
    refuses(id, &with("x-max-body-bytes: 0"), "8:7 `x-max-body-bytes` must be a whole number of bytes");
    refuses(id, &with("x-max-body-bytes: 1kB"), "8:7 `x-max-body-bytes` must be");
    refuses(id, &with("x-status: done"), "8:7 `x-status` must be `planned`");
    refuses("type: object", "x-status: planned", "20:7 `x-status` belongs on an operation, not on a schema");
}

#[test]
fn parameters_that_do_not_fit_the_path() {
    let misnamed = errors("name: id,", "name: key,");
    assert_eq!(
        misnamed,
        [
            "5:3 the path parameter `id` of `/things/{id}` is not declared",
            "9:11 the path parameter `key` is not in `/things/{id}`"
        ]
    );
    refuses("required: true, ", "", "9:11 a path parameter must say `required: true`");
    refuses("required: true", "required: false", "9:33 a path parameter must say `required: true`");
    refuses("in: path", "in: query", "9:23 `id` is in `/things/{id}`: it must say `in: path`");
    refuses("/things/{id}:", "/things/{id:", "5:3 the braces");
    refuses("/things/{id}:", "/things/{id}/{id}:", "5:3 `{id}` stands twice");
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
        "9:61 a parameter has either `schema` or `content`, not both",
    );
    refuses(", schema: { type: string } }", " }", "9:11 a parameter must have either `schema` or `content`");
    refuses(
        "components:\n",
        "  /things/{name}: {}\ncomponents:\n",
        "17:3 `/things/{name}` and `/things/{id}` answer for the same requests",
    );
}

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
    refuses("    Thing:\n", "    A Thing: {}\n    Thing:\n", "19:5 `A Thing` is no name for a component");
    refuses("type: object", "required: [name, name]", "20:24 `required` holds \"name\" twice");
    refuses("type: object", "required: name", "20:7 `required` must be a list of strings");
    refuses("type: object", "type: array", "20:7 `items` is missing");
    refuses("{ type: string, maxLength: 9 }", "true", "22:9 a schema must be a mapping, not `true`");
    refuses("{ type: string, maxLength: 9 }", "", "22:9 a schema must be a mapping, not empty");
}

#[test]
fn whole_numbers_however_they_are_spelled() {
    for count in ["100.0", "1e2", "0.1e3", "+100", "1E+2", "0x64"] {
        let contract = load(&SMALL.replace("maxLength: 9", &format!("maxLength: {count}")));
        let code = load(&SMALL.replace("maxLength: 9", "maxLength: 100"));
        assert!(contract::diff(&contract, code.document()).is_empty(), "{count}");
    }
    refuses("maxLength: 9", "maxLength: 9.5", "22:31 `maxLength` must be a whole number, zero or more, not `9.5`");
    refuses("maxLength: 9", "maxLength: -1e2", "22:31 `maxLength` must be a whole number, zero or more, not `-100.0`");
    for long in ["99999999999999999999", "-99999999999999999999", "0xFFFFFFFFFFFFFFFFFF"] {
        let expected = format!("22:42 `{long}` is a whole number that does not fit 64 bits");
        refuses("maxLength: 9", &format!("maxLength: {long}"), &expected);
    }
    let limited = load(&SMALL.replace("operationId: getThing", "operationId: getThing\n      x-max-body-bytes: 64e3"));
    assert_eq!(limited.operations()[0].max_body_bytes, Some(64_000));
    refuses("type: object", "enum: [1, 2, 1.0]", "20:20 `enum` holds 1.0 twice");
}

#[test]
fn names_that_differ_in_case_alone() {
    refuses(
        "          content:\n",
        "          headers: { ETag: { schema: {} }, X: { schema: {} }, Etag: { schema: {} } }\n          content:\n",
        "13:63 `Etag` and `ETag` are the same name: case does not count here",
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
    // Not those of query parameters, of components and of what stands in a media type's parameters.
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
        ("type: [string, 'null']", "3.0 has no lists of types"),
        ("type: 'null'", "3.0 has no type `null`: leave an absent member out"),
        ("nullable: true", "`nullable` is not supported: 3.1 has none"),
        ("exclusiveMinimum: 0", "`exclusiveMinimum` is not supported: 3.0 writes it differently: use `minimum`"),
        ("exclusiveMaximum: 9", "`exclusiveMaximum` is not supported"),
        ("const: 1", "`const` is not supported: 3.0 has none: use `enum`"),
        ("if: {}", "`if` is not supported"),
        ("then: {}", "`then` is not supported"),
        ("else: {}", "`else` is not supported"),
        ("prefixItems: []", "`prefixItems` is not supported"),
        ("patternProperties: {}", "`patternProperties` is not supported"),
        ("propertyNames: {}", "`propertyNames` is not supported"),
        ("unevaluatedProperties: false", "`unevaluatedProperties` is not supported"),
        ("contentEncoding: base64", "`contentEncoding` is not supported: 3.0 has none: use `format: byte`"),
        ("$defs: {}", "`$defs` is not supported"),
    ] {
        refuses("type: object", construct, &format!("20:7 {advice}"));
    }
    refuses("security: []", "security: []\nwebhooks: {}", "4:1 `webhooks` is not supported");
    refuses("operationId: getThing", "operationId: getThing\n      callbacks: {}", "8:7 `callbacks` is not supported");
}

#[test]
fn all_faults_are_told_together_in_the_order_of_the_file() {
    let broken = SMALL
        .replace("title: Small", "titel: Small")
        .replace("200:", "2XX:")
        .replace("schemas/Thing", "schemas/Think")
        .replace("maxLength", "maxLenght");
    let lines: Vec<_> = errors_of(&broken).iter().map(|error| error.split(' ').next().map(str::to_owned)).collect();
    let expected = ["2:1", "2:9", "11:9", "16:17", "22:31"].map(|position| Some(position.to_owned()));
    assert_eq!(lines, expected);
}

#[test]
fn positions_are_those_of_keys_and_items() {
    let contract = load(SMALL);
    let at = |pointer: &str| contract.position(pointer).map(|position| position.to_string());
    assert_eq!(at("").as_deref(), Some("1:1"));
    assert_eq!(at("/info/version").as_deref(), Some("2:23"));
    assert_eq!(at("/paths/~1things~1{id}/get/parameters/0").as_deref(), Some("9:11"));
    assert_eq!(at("/components/schemas/Thing/properties/name/maxLength").as_deref(), Some("22:31"));
    assert_eq!(at("/components/schemas/Nothing"), None);
    assert_eq!(contract.nearest_position("/components/schemas/Nothing/type").to_string(), "18:3");
}

#[test]
fn json_keeps_the_order_of_the_yaml() {
    let contract = load(LIBRARY);
    let json = contract.to_json();
    let place = |text: &str| json.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    assert!(json.starts_with("{\n  \"openapi\": \"3.1.0\",\n  \"info\": {\n    \"title\": \"Library\""));
    assert!(place("\"operationId\": \"listBooks\"") < place("\"summary\": \"The shelves\""));
    assert!(place("\"NewBook\": {\n        \"type\"") < place("\"Book\": {\n        \"allOf\""));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).ok().as_ref(), Some(contract.document()));

    let mut projected = contract.document().clone();
    projected["info"]["x-new"] = "at the end".into();
    projected["info"].as_object_mut().expect("an object").remove("version");
    let json = contract.to_json_of(&projected);
    assert!(json.contains("\"description\": \"Books, and who reads them.\",\n    \"x-new\": \"at the end\"\n  }"));
    assert!(!json.contains("\"version\""));
}

#[test]
fn what_was_written_loads_again() {
    let contract = load(LIBRARY);
    let again = load(&contract.to_json());
    assert_eq!(again.document(), contract.document());
    assert_eq!(again.operations(), contract.operations());
}

/// Cuts and spoils the fixture in many places: the answer may be anything but a panic.
#[test]
fn no_text_makes_the_loader_panic() {
    for (index, _) in LIBRARY.char_indices() {
        if index % 17 == 0 {
            let (before, after) = LIBRARY.split_at(index);
            let _ = Contract::load("cut", before);
            let syntax = b"{}[]:,-?&*!|>'\"%@#\t\n";
            let spoilt = char::from(syntax[index % syntax.len()]);
            let _ = Contract::load("spoilt", &format!("{before}{spoilt}{after}"));
        }
    }
    for text in
        ["\u{feff}a: b", "%YAML 1.2\n---\na", "? ", "- - -", "a: |\n", "*a", "&a", "!a", "{{}: a}", "\0", "\u{85}"]
    {
        let _ = Contract::load("odd", text);
    }
}

/// Puts a value of some other type in the place of every node: the answer may be anything but a panic.
#[test]
fn no_document_makes_the_loader_panic() {
    let contract = crate::library();
    let document = contract.document();
    let wrong = ["null", "true", "-1", "\"\"", "[]", "{}", "[{}]", "{\"$ref\":\"#\"}", "{\"$ref\":\"#/paths\"}"];
    for (index, pointer) in crate::mutation::pointers(document).into_iter().enumerate() {
        let mut mutated = document.clone();
        if let Some(node) = mutated.pointer_mut(&pointer) {
            *node = serde_json::from_str(wrong[index % wrong.len()]).expect("JSON");
        }
        if let Ok(contract) = load_json(&mutated) {
            contract::diff(&contract, document);
            contract.unenforceable();
            contract.contradictions();
        }
        contract::diff(&contract, &mutated);
    }
}
