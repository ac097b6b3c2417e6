//! `contract check`.

use super::contract;

const CONTRACT: &str = include_str!("../../../../openapi.yaml");

#[test]
fn the_contract_is_compared_with_the_handlers() {
    assert_eq!(contract(&[("openapi.yaml", CONTRACT)], &["check"]).0, Some(0));
    let drifted = CONTRACT.replacen("maxLength: 100", "maxLength: 90", 1);
    let (code, output) = contract(&[("openapi.yaml", &drifted)], &["check"]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.starts_with("error[drift-differs]: openapi.yaml:") && output.contains("says 90"), "{output}");
    let (code, output) = contract(&[], &["check"]);
    assert_eq!((code, output.lines().count()), (Some(2), 1), "{output}");
    // What is wrong with the contract by itself hides no drift; programs read of both without parsing prose.
    let faulty = drifted.replacen("info:\n", "info:\n  x-foo: 1\n", 1);
    let (code, output) = contract(&[("openapi.yaml", &faulty)], &["check", "--format", "json"]);
    let output: serde_json::Value = serde_json::from_str(&output).unwrap();
    let [fault, drift] = [&output[0], &output[1]];
    assert_eq!((code, &fault["code"], output.as_array().unwrap().len()), (Some(1), &"contract-unsupported".into(), 2));
    assert_eq!((&drift["contract"], &drift["code"]), (&90.into(), &"drift-differs".into()));
    let line = &drift["line"];
    let edit = serde_json::json!({"file": "openapi.yaml", "action": "replace", "first": line, "last": line,
        "text": "      maxLength: 100"});
    assert_eq!((&drift["fixes"][0]["side"], &drift["fixes"][0]["edits"][0]), (&"contract".into(), &edit));
    assert_eq!(drift["fixes"][1]["side"], "code");
}
