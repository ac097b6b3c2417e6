//! However large the text, the answer comes in time that grows with it: an editor runs the check on every save.
//!
//! Each case took from ten seconds to minutes before a comparison of every item with all previous ones was removed. The
//! bound is far above what any of them takes now, so that a busy machine does not fail them.

use std::fmt::Write;
use std::time::{Duration, Instant};

use openapi_contract::{Contract, LoadError};
use openapi_drift::compare;
use openapi_drift::{CodeSide, findings};
use serde_json::{Value, json};

use crate::support::load_json;

const MANY: usize = 20_000;
const BOUND: Duration = Duration::from_secs(20);

#[track_caller]
fn in_time<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let taken = start.elapsed();
    assert!(taken < BOUND, "took {taken:?}");
    result
}

/// A contract of one operation with these parts.
fn document(operation: &Value, schemas: &Value) -> Value {
    let mut operation = operation.clone();
    operation["operationId"] = "op".into();
    operation["responses"] = json!({"204": {"description": "d"}});
    json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "security": [],
        "paths": {"/p": {"post": operation}}, "components": {"schemas": schemas},
    })
}

fn with_enum(items: &[String]) -> Value {
    let schema = json!({"type": "string", "enum": items});
    document(&json!({"requestBody": {"content": {"application/json": {"schema": schema}}}}), &json!({}))
}

fn errors(document: &Value) -> Vec<LoadError> {
    in_time(|| load_json(document)).expect_err("must be refused")
}

#[test]
fn long_enums() {
    let mut items: Vec<String> = (0..MANY).map(|index| format!("v{index}")).collect();
    let contract = in_time(|| load_json(&with_enum(&items))).expect("a contract");
    items.reverse();
    assert!(in_time(|| compare(&contract, &with_enum(&items))).is_empty());
    for item in items.iter_mut().step_by(2) {
        item.push('Q');
    }
    let drifts = in_time(|| compare(&contract, &with_enum(&items)));
    assert_eq!(drifts.len(), 1);
    assert!(in_time(|| drifts[0].to_string()).contains("only the code has"));
    items.extend(items.clone());
    assert_eq!(errors(&with_enum(&items)).len(), MANY);
}

#[test]
fn many_faults() {
    let schemas = |schema: &Value| -> Value {
        let members = (0..MANY).map(|index| (format!("S{index}"), schema.clone()));
        Value::Object(members.collect())
    };
    assert_eq!(errors(&document(&json!({}), &schemas(&json!({"type": "objekt"})))).len(), MANY);
    let schemas = schemas(&json!({}));
    let unknown: serde_json::Map<_, _> = (0..MANY).map(|index| (format!("{index}"), json!(1))).collect();
    assert_eq!(errors(&document(&json!({}), &json!({"S": unknown}))).len(), MANY);
    // Drifts are as many as faults can be.
    let contract = in_time(|| load_json(&document(&json!({}), &schemas))).expect("a contract");
    assert_eq!(in_time(|| compare(&contract, &document(&json!({}), &json!({})))).len(), MANY);
}

#[test]
fn keys_that_come_again() {
    let mut yaml = String::new();
    for index in (0..MANY).chain(0..MANY) {
        let _ = writeln!(yaml, "k{index}: 1");
    }
    let errors = in_time(|| Contract::load("openapi.yaml", &yaml)).expect_err("must be refused");
    assert_eq!(errors.iter().filter(|error| error.message.starts_with("duplicate key")).count(), MANY);
}

#[test]
fn many_parameters() {
    let list = |count: usize| -> Value {
        let parameters = (0..count).map(|index| json!({"name": format!("p{index}"), "in": "query", "schema": {}}));
        document(&json!({"parameters": parameters.collect::<Vec<_>>()}), &json!({}))
    };
    let contract = in_time(|| load_json(&list(MANY))).expect("a contract");
    let mut reversed = list(MANY);
    reversed["paths"]["/p"]["post"]["parameters"].as_array_mut().expect("a list").reverse();
    assert!(in_time(|| compare(&contract, &reversed)).is_empty());
    assert!(in_time(|| openapi_lint::unenforceable(&contract)).is_empty());

    // Each message quotes the path.
    let few = MANY / 20;
    let names: String = (0..few).map(|index| format!("{{n{index}}}")).collect();
    let mut template = list(0);
    template["paths"] = json!({format!("/{names}"): template["paths"]["/p"]});
    assert_eq!(errors(&template).len(), few);
}

#[test]
fn many_drifts() {
    // Each fix is tried on the whole contract, which would take very long for two unrelated documents.
    let mut strangers = document(&json!({}), &json!({}));
    for index in 0..MANY / 10 {
        let mut item = strangers["paths"]["/p"].clone();
        item["post"]["operationId"] = format!("op{index}").into();
        strangers["paths"][format!("/p{index}")] = item;
    }
    let contract = load_json(&strangers).expect("a contract");
    let generated = json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}});
    let drifts = in_time(|| findings(&contract, &generated, CodeSide::UNKNOWN));
    assert_eq!(drifts.len(), MANY / 10 + 1);
}
