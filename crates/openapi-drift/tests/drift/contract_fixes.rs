//! Fixes of the contract: the edited text is a contract, and the drift is gone.

use openapi_contract::Contract;
use openapi_drift::{CodeSide, Edit, Finding, Side, apply, compare};
use serde_json::{Value, json};

use crate::support::{LIBRARY, is_thorough, library, load};
use crate::{generated, listed};

/// Every drift of a spec, explained.
fn findings(contract: &Contract, code: &Value) -> Vec<Finding> {
    openapi_drift::findings(contract, code, CodeSide::UNKNOWN)
}

fn edits(finding: &Finding) -> &[Edit] {
    finding.fixes.iter().find(|fix| fix.side == Side::Contract).map_or(&[], |fix| &fix.edits)
}

/// Applies fixes of the contract one after the other, whatever their applicability, until there is none: why that fails.
fn followed(code: &Value) -> Result<(), String> {
    let mut text = LIBRARY.to_owned();
    for _ in 0..12 {
        let contract = Contract::load("openapi.yaml", &text).map_err(|errors| {
            format!("the text is no contract: {}", errors.iter().map(|one| format!("{one}\n")).collect::<String>())
        })?;
        let findings = findings(&contract, code);
        let Some(finding) = findings.iter().find(|finding| !edits(finding).is_empty()) else {
            let silent = findings.iter().find(|one| one.fixes.iter().all(|fix| fix.note.is_empty()));
            return silent.map_or(Ok(()), |one| Err(format!("no fix and no words: {}", one.drift)));
        };
        text = apply(&text, edits(finding));
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

#[test]
fn fixes_of_the_contract_end_without_a_drift_that_has_edits() {
    let mut all = Vec::new();
    nodes(&generated(), String::new(), &mut all);
    let (mut tried, mut failed) = (0, Vec::new());
    for at in all.iter().filter(|at| at.matches('/').count() > 2).step_by(if is_thorough() { 3 } else { 19 }) {
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

/// The text after the fix of the only drift.
#[track_caller]
fn fixed(code: &Value) -> String {
    let found = findings(&library(), code);
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    let text = apply(LIBRARY, edits(finding));
    let left = compare(&load(&text), code);
    assert!(left.is_empty(), "{}{text}", listed(&left));
    text
}

#[test]
fn a_new_operation_is_written_in_the_style_of_the_contract() {
    let mut code = generated();
    let response =
        json!({"description": "", "content": {"text/plain": {"schema": {"$ref": "#/components/schemas/Ash"}}}});
    code["paths"]["/ashes/{id}"] = json!({"delete": {
        "operationId": "burnBooks",
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "boolean"}}],
        "responses": {
            "202": response, "401": {"description": ""}, "403": {"description": ""}, "429": {"description": ""},
        },
    }});
    code["components"]["schemas"]["Ash"] =
        json!({"type": "object", "properties": {"grams": {"type": "integer", "minimum": 0}}});
    let text = fixed(&code);
    for part in [
        "\n  /ashes/{id}:\n    delete:\n      operationId: burnBooks\n      parameters:\n        - name: id\n",
        "        '202':\n          description: Response 202.\n",
        "schema: { $ref: '#/components/schemas/Ash' }\n",
        "\n\n    Ash:\n      type: object\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// A property and its place in `required` are one drift, and one fix.
#[test]
fn a_new_property_is_listed_as_required() {
    let mut code = generated();
    code["components"]["schemas"]["Problem"]["properties"]["trace"] = json!({"type": "string"});
    code["components"]["schemas"]["Problem"]["required"].as_array_mut().unwrap().push("trace".into());
    assert_eq!(compare(&library(), &code).len(), 2);
    let text = fixed(&code);
    assert!(text.contains("      required: [title, status, trace]\n"), "{text}");
    assert!(text.contains("        trace:\n          type: string\n"), "{text}");
}

/// Inside braces, the node that has lines of its own is written again; the comment beside a scalar stays.
#[test]
fn flow_style_and_comments_stay() {
    let mut code = generated();
    code["components"]["schemas"]["BookInput"]["properties"]["title"]["maxLength"] = json!(90);
    let text = fixed(&code);
    assert!(
        text.lines().any(|line| line.starts_with("        title: { type: string,") && line.contains("maxLength: 90")),
        "{text}"
    );
    let commented = LIBRARY.replacen("      required: false\n", "      required: false # for now\n", 1);
    code = generated();
    code["paths"]["/books"]["get"]["parameters"][1]["required"] = json!(true);
    let contract = load(&commented);
    let found = findings(&contract, &code);
    let text = apply(&commented, edits(&found[0]));
    assert!(text.contains("      required: true # for now\n"), "{text}");
}

/// A list in block style keeps the lines of the items that stay.
#[test]
fn a_list_in_block_style_stays_one() {
    let block = "    Kind:\n      type: string\n      enum:\n        # the usual ones\n        - new # recent\n        - old\n        - gone\n";
    let head = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\nsecurity: []\npaths: {}\ncomponents:\n  schemas:\n";
    let text = [head, block].concat();
    let mut code = load(&text).document().clone();
    code["components"]["schemas"]["Kind"]["enum"] = json!(["new", "old", "rare", "lost"]);
    let found = findings(&load(&text), &code);
    assert_eq!(found.len(), 1, "{found:#?}");
    let expected = block.replace("        - gone\n", "        - rare\n        - lost\n");
    assert_eq!(apply(&text, edits(&found[0])), [head, &expected].concat());
}

/// An edit after which the check would refuse the contract is not offered.
#[test]
fn a_fix_does_not_contradict_the_contract() {
    let mut code = generated();
    code["components"]["schemas"]["BookInput"]["properties"]["title"]["maxLength"] = json!(0);
    let found = findings(&library(), &code);
    let fix = found[0].fixes.iter().find(|fix| fix.side == Side::Contract).expect("a fix");
    assert!(fix.edits.is_empty() && fix.note.starts_with("the contract would be invalid: "), "{fix:#?}");
}
