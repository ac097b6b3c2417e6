//! The contract and the code agree, and a change of either side is reported.

use openapi_contract::Contract;
use openapi_drift::CodeSide;
use serde_json::Value;

const YAML: &str = include_str!("../../openapi.yaml");

fn generated() -> Value {
    let code = CodeSide { by_rule: &api::with_common_responses, ..CodeSide::UNKNOWN };
    let contract = Contract::load("openapi.yaml", YAML).unwrap();
    code.under_security(&contract, &serde_json::to_value(api::openapi()).unwrap())
}

fn drifts(yaml: &str, generated: &Value) -> Vec<String> {
    let contract = Contract::load("openapi.yaml", yaml).unwrap_or_else(|errors| panic!("{errors:?}"));
    openapi_drift::compare(&contract, generated).iter().map(ToString::to_string).collect()
}

#[test]
fn the_contract_and_the_code_agree() {
    assert_eq!(drifts(YAML, &generated()), Vec::<String>::new());
}

/// The order of the codes decides which violation of a place is reported.
#[test]
fn the_codes_of_violations_are_listed_in_the_order_of_the_code() {
    let contract = Contract::load("openapi.yaml", YAML).unwrap();
    let codes = "/components/schemas/ViolationCode/enum";
    let listed = contract.document().pointer(codes).unwrap().as_array().unwrap();
    assert_eq!(Some(listed), generated().pointer(codes).and_then(Value::as_array));
    let clients = include_str!("../../docs/clients.md");
    let documented = clients.lines().skip_while(|line| !line.starts_with("| code |")).skip(2);
    let documented = documented.map_while(|line| line.strip_prefix("| `")?.split('`').next()).collect::<Vec<_>>();
    assert_eq!(documented, *listed);
}

/// Each change of the contract is reported by a line that names it.
#[test]
fn a_change_of_the_contract_is_reported() {
    for (from, to, named) in [
        ("maxLength: 100", "maxLength: 101", "maxLength"),
        ("default: 50", "default: 20", "default"),
        ("'204':", "'205':", "204"),
        ("application/merge-patch+json:", "application/json-patch+json:", "merge-patch"),
        ("format: date-time", "format: date", "created_after"),
        ("        next_cursor:", "        cursor:", "next_cursor"),
        ("required: [name, email]", "required: [name]", "email"),
        ("operationId: getUser\n", "operationId: readUser\n", "readUser"),
        ("/health/live:", "/health/alive:", "/health/live"),
        ("additionalProperties: false\n      required", "required", "additionalProperties"),
    ] {
        // Links name operations too; they are changed with them, so that only the drift remains.
        let yaml = YAML
            .replacen(from, to, 1)
            .replace("operationId: getUser\n", if named == "readUser" { to } else { "operationId: getUser\n" });
        assert_ne!(yaml, YAML, "{from}");
        let reported = drifts(&yaml, &generated());
        assert!(reported.iter().any(|line| line.contains(named)), "{from} → {to}: {reported:#?}");
        assert!(reported.iter().all(|line| line.starts_with("openapi.yaml:")), "{reported:#?}");
    }
}

/// Each change of the code is reported.
#[test]
fn a_change_of_the_code_is_reported() {
    for (pointer, value) in [
        ("/components/schemas/UserName/maxLength", Value::from(99)),
        ("/components/schemas/User/properties/id/format", Value::from("ulid")),
        ("/paths/~1users/get/parameters/0/schema/maximum", Value::from(1_000)),
        ("/paths/~1users/post/requestBody/required", Value::from(false)),
        ("/paths/~1users/post/responses/201/headers/Location", Value::Null),
        ("/paths/~1users/post/operationId", Value::from("addUser")),
    ] {
        let mut generated = generated();
        *generated.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is there")) = value;
        assert!(!drifts(YAML, &generated).is_empty(), "{pointer}");
    }
    let mut generated = generated();
    generated["paths"]["/users/{id}"]["delete"]["responses"].as_object_mut().unwrap().remove("404");
    assert!(drifts(YAML, &generated).iter().any(|line| line.contains("404")));
}
