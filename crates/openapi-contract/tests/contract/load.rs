//! What the loader refuses, and the positions of its errors.

mod keywords;
mod operations;
mod references;
mod text;

use crate::support::{LIBRARY, load, load_json, only_message};
use openapi_contract::Contract;

/// A small contract with one construct for each error.
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

/// Asserts that one replacement causes exactly one error, whose message starts like this.
#[track_caller]
fn refuses(from: &str, to: &str, expected: &str) {
    only_message(SMALL, (from, to), expected, errors_of);
}

#[test]
fn the_small_contract_loads() {
    assert_eq!(load(SMALL).operations().len(), 1);
}

#[test]
fn all_errors_are_reported_in_the_order_of_the_file() {
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
    assert!(place("\"BookInput\": {\n        \"type\"") < place("\"Book\": {\n        \"allOf\""));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).ok().as_ref(), Some(contract.document()));

    let mut projected = contract.document().clone();
    projected["info"]["x-new"] = "at the end".into();
    projected["info"].as_object_mut().expect("an object").remove("version");
    let json = contract.to_json_of(&projected);
    assert!(json.contains("\"description\": \"Books, and who reads them.\",\n    \"x-new\": \"at the end\"\n  }"));
    assert!(!json.contains("\"version\""));
}

#[test]
fn written_json_loads_again() {
    let contract = load(LIBRARY);
    let again = load(&contract.to_json());
    assert_eq!(again.document(), contract.document());
    assert_eq!(again.operations(), contract.operations());
}

/// Truncates and corrupts the fixture in many places.
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

/// Replaces every node by a value of another type.
#[test]
fn no_document_makes_the_loader_panic() {
    let contract = crate::support::library();
    let document = contract.document();
    let wrong = ["null", "true", "-1", "\"\"", "[]", "{}", "[{}]", "{\"$ref\":\"#\"}", "{\"$ref\":\"#/paths\"}"];
    for (index, pointer) in crate::support::pointers(document).into_iter().enumerate() {
        let mut mutated = document.clone();
        if let Some(node) = mutated.pointer_mut(&pointer) {
            *node = serde_json::from_str(wrong[index % wrong.len()]).expect("JSON");
        }
        let _ = load_json(&mutated);
    }
}
