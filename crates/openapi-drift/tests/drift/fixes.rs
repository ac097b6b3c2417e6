//! Fix-its of the contract, followed: the text that they leave is a contract, and the drift is gone.

mod code;

use openapi_contract::Contract;
use openapi_drift::fixes::{Code, Edit, Side, SourceFile, apply, explain};
use openapi_drift::{Drift, diff};
use serde_json::{Value, json};

use crate::support::{LIBRARY, library, load};
use crate::{generated, told};

/// Every drift of a spec, told.
fn drifts(contract: &Contract, code: &Value) -> Vec<Drift> {
    explain(contract, code, Code::UNKNOWN, diff(contract, code))
}

fn edits(drift: &Drift, side: Side) -> &[Edit] {
    drift.fixes.iter().find(|fix| fix.side == side).map_or(&[], |fix| &fix.edits)
}

/// Follows the contract's fix-its one after the other, until there is no drift: what is left, and what went wrong.
fn followed(code: &Value) -> Result<(), String> {
    let mut text = LIBRARY.to_owned();
    for _ in 0..12 {
        let contract = Contract::load("openapi.yaml", &text).map_err(|errors| {
            format!("no contract is left: {}", errors.iter().map(|one| format!("{one}\n")).collect::<String>())
        })?;
        let drifts = drifts(&contract, code);
        let Some(drift) = drifts.iter().find(|drift| !edits(drift, Side::Contract).is_empty()) else {
            // What is left says, in words, why it cannot be written.
            let silent = drifts.iter().find(|drift| drift.fixes.iter().all(|fix| fix.note.is_empty()));
            return silent.map_or(Ok(()), |drift| Err(format!("nothing is told: {drift}")));
        };
        text = apply(&text, edits(drift, Side::Contract));
    }
    Err("there is always another drift".to_owned())
}

/// Every node of a document, by pointer, the deepest last.
fn nodes(value: &Value, at: String, out: &mut Vec<String>) {
    let below = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| nodes(member, below(name), out)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| nodes(item, below(&index.to_string()), out))
        }
        _ => {}
    }
    out.push(at);
}

fn without(mut document: Value, at: &str) -> Option<Value> {
    let (owner, name) = at.rsplit_once('/')?;
    let name = name.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(owner)? {
        Value::Object(members) => drop(members.remove(&name)),
        Value::Array(items) => drop(items.remove(name.parse().ok()?)),
        _ => return None,
    }
    Some(document)
}

/// Each spec takes as many contracts as it has drifts; a part of them says enough.
const SAMPLE: usize = 3;

#[test]
fn followed_to_the_end_the_fix_its_of_the_contract_leave_no_drift() {
    let mut all = Vec::new();
    nodes(&generated(), String::new(), &mut all);
    let (mut tried, mut failed) = (0, Vec::new());
    for at in all.iter().filter(|at| at.matches('/').count() > 2).step_by(SAMPLE) {
        let removed = without(generated(), at);
        let mut changed = generated();
        match changed.pointer_mut(at) {
            Some(node @ Value::Number(_)) => *node = json!(7),
            Some(node @ Value::Bool(_)) => *node = json!(*node == json!(false)),
            Some(Value::String(text)) if !at.ends_with("$ref") && !at.ends_with("/type") => text.push_str("-x"),
            _ => changed = Value::Null,
        }
        for code in removed.into_iter().chain([changed]).filter(Value::is_object) {
            tried += 1;
            if let Err(why) = followed(&code) {
                failed.push(format!("{at}: {why}"));
            }
        }
    }
    println!("{} of {tried} specs followed", tried - failed.len());
    assert!(failed.is_empty(), "{} of {tried}:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn what_the_code_adds_is_written_as_the_contract_is() {
    let mut code = generated();
    code["paths"]["/ashes/{id}"] = json!({"delete": {
        "operationId": "burnBooks",
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "boolean"}}],
        "responses": {"202": {"description": "", "content": {"text/plain": {"schema": {"$ref": "#/components/schemas/Ash"}}}}}
    }});
    code["components"]["schemas"]["Ash"] =
        json!({"type": "object", "properties": {"grams": {"type": "integer", "minimum": 0}}});
    let contract = library();
    let drifts = drifts(&contract, &code);
    assert_eq!(drifts.len(), 1, "{}", told(&drifts));
    let text = apply(LIBRARY, edits(&drifts[0], Side::Contract));
    assert!(diff(&load(&text), &code).is_empty(), "{text}");
    assert!(
        text.contains(
            "\n  /ashes/{id}:\n    delete:\n      operationId: burnBooks\n      parameters:\n        - name: id\n"
        ),
        "{text}"
    );
    assert!(text.contains("        '202':\n          description: It was accepted.\n"), "{text}");
    assert!(text.contains("schema: { $ref: '#/components/schemas/Ash' }\n"), "{text}");
    assert!(text.contains("\n\n    Ash:\n      type: object\n"), "{text}");
}

const RUST: &str = r#"
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewBook {
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
}

fn nothing() -> NewBook {
    NewBook { title: String::new() }
}
"#;

/// The Rust after following the code's fix-it of the one drift between a changed contract and the spec.
fn mended(from: &str, to: &str) -> String {
    assert!(LIBRARY.contains(from), "{from}");
    let contract = load(&LIBRARY.replacen(from, to, 1));
    let files = [SourceFile { path: "src/books.rs".into(), text: RUST.into() }];
    let code = Code { files: &files, ..Code::UNKNOWN };
    let drifts = explain(&contract, &generated(), code, diff(&contract, &generated()));
    assert_eq!(drifts.len(), 1, "{}", told(&drifts));
    assert!(
        drifts[0].who.as_deref().is_some_and(|who| who == "the type `NewBook` (src/books.rs:3)"),
        "{:?}",
        drifts[0].who
    );
    apply(RUST, edits(&drifts[0], Side::Code))
}

#[test]
fn attributes_and_fields_are_written_where_they_belong() {
    assert!(mended("maxLength: 200", "maxLength: 120").contains("    #[schema(min_length = 1, max_length = 120)]\n"));
    let added = mended(
        "        description: { type: string, maxLength: 2000 }\n",
        "        description: { type: string, maxLength: 2000 }\n        pages: { type: integer, format: int32, minimum: 1 }\n",
    );
    assert!(
        added.contains("    #[schema(nullable = false, minimum = 1)]\n    pub pages: Option<i32>,\n}")
            && added.contains("NewBook { title: String::new(), pages: None }"),
        "{added}"
    );
}

#[test]
fn what_follows_from_a_missing_property_is_not_told_for_itself() {
    let mut code = generated();
    code["components"]["schemas"]["Problem"]["properties"]["trace"] = json!({"type": "string"});
    let required = code["components"]["schemas"]["Problem"]["required"].as_array_mut().unwrap();
    required.push("trace".into());
    let contract = library();
    assert_eq!(diff(&contract, &code).len(), 2);
    let drifts = drifts(&contract, &code);
    assert_eq!(drifts.len(), 1, "{}", told(&drifts));
    assert!(diff(&load(&apply(LIBRARY, edits(&drifts[0], Side::Contract))), &code).is_empty());
}
