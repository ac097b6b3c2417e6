//! The examples of responses, compared with what the server returned in the suite.
//!
//! The examples are those of the page of Swagger UI: each operation has its own. Ids and times vary, and so do the numbers in
//! some problems. Everything else must be as in a response that occurred.

use std::{collections::BTreeSet, sync::Mutex};

use chrono::DateTime;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{database::Database, document::Document, response::Response};

/// Larger bodies are not like an example.
const MAX_BODY: usize = 8_192;

/// Problems whose `detail` has a duration, a version or a size.
const WITH_NUMBERS: [u16; 4] = [408, 412, 413, 429];

/// Problems whose `detail` and `errors` name the resource and its members. Their examples may be those of another resource.
const WITH_NAMES: [u16; 3] = [404, 409, 412];

/// A body without what varies, as JSON, by database, operation and status.
type Seen = BTreeSet<(Database, String, u16, String)>;

static SEEN: Mutex<Seen> = Mutex::new(Seen::new());

/// Records a response to an operation.
pub fn record(database: Database, operation: &str, response: &Response) {
    let is_text = response.header("content-type").is_some_and(|media| !media.contains("json"));
    if response.body.is_empty() || (response.body.len() > MAX_BODY && !is_text) {
        return;
    }
    let body = if is_text { response.text().into() } else { response.json() };
    let bodies = comparable(response.status, body);
    let mut seen = SEEN.lock().expect("no test panics in here");
    seen.extend(bodies.into_iter().map(|body| (database, operation.to_owned(), response.status, body)));
}

/// Panics unless every response with content has an example, and each is true. `page` is the document of Swagger UI, `path_of`
/// the path of the request that the examples of an operation make.
pub fn assert_true(database: Database, page: &Document, path_of: impl Fn(&str) -> &'static str) {
    let seen = SEEN.lock().expect("no test panics in here").clone();
    let (mut faults, mut count) = (Vec::new(), 0);
    let endpoints = page.paths().flat_map(|(_, item)| item.as_object().into_iter().flatten());
    let operations = endpoints.filter_map(|(_, node)| Some((node.get("operationId")?.as_str()?, node)));
    for (operation, node) in operations {
        for (status, response) in node["responses"].as_object().into_iter().flatten() {
            let status: u16 = status.parse().expect("a status");
            let of_status = || seen.iter().filter(|(on, _, with, _)| (*on, *with) == (database, status));
            let bodies = |is_wanted: &dyn Fn(&str) -> bool| -> BTreeSet<&str> {
                of_status().filter(|(_, of, ..)| is_wanted(of)).map(|(.., body)| &**body).collect()
            };
            let here = bodies(&|of| of == operation);
            let elsewhere = bodies(&|of| resource(path_of(of)) != resource(path_of(operation)));
            for content in response["content"].as_object().into_iter().flat_map(|content| content.values()) {
                let examples = examples(page, content);
                if examples.is_empty() {
                    faults.push(format!("{operation} → {status}: there is no example"));
                }
                for example in examples {
                    count += 1;
                    if !is_true(path_of(operation), status, &example, &here, &elsewhere) {
                        let here: String = here.iter().map(|body| format!("\n    {body}")).collect();
                        faults.push(format!("{operation} → {status}: expected\n    {example}\n  found{here}"));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "examples that are not true on {database:?}:\n{}", faults.join("\n"));
    assert!(count > 100, "only {count} examples");
}

/// The first segment of a path.
fn resource(path: &str) -> Option<&str> {
    path.split('/').nth(1)
}

/// Whether an example is as one of the responses `here`, of the operation. With names, it may be as one of `elsewhere`, of
/// operations on other resources, if one of the operation has the same kind.
fn is_true(path: &str, status: u16, example: &Value, here: &BTreeSet<&str>, elsewhere: &BTreeSet<&str>) -> bool {
    let bodies = comparable(status, example.clone());
    let occurred = |among: &BTreeSet<&str>| bodies.iter().all(|body| among.contains(&**body));
    if example.get("request_id").is_none() {
        return occurred(here);
    }
    let kind = |problem: &Value| json!([problem["type"], problem["title"], problem["status"]]);
    let has_kind = |body: &&str| kind(&serde_json::from_str(body).expect("JSON")) == kind(example);
    let is_of_another = || WITH_NAMES.contains(&status) && occurred(elsewhere) && here.iter().any(has_kind);
    example["instance"] == path && (occurred(here) || is_of_another())
}

/// The values of the examples of a media type.
fn examples(page: &Document, content: &Value) -> Vec<Value> {
    let named = content["examples"].as_object().into_iter().flat_map(|examples| examples.values());
    let named = named.map(|example| page.resolve(example)["value"].clone());
    named.chain(content.get("example").cloned()).collect()
}

/// A body without what differs between two responses to the same request: a value, or the lines of a text.
fn comparable(status: u16, mut body: Value) -> Vec<String> {
    match &mut body {
        // In the format of Prometheus, the value is last.
        Value::String(text) => {
            return text.lines().map(|line| line.rsplit_once(' ').map_or(line, |(name, _)| name).to_owned()).collect();
        }
        Value::Object(problem) if problem.contains_key("request_id") => {
            problem.remove("request_id");
            problem.remove("instance"); // conformance.rs compares it with the path of the request
            if let Some(detail) = problem.get_mut("detail").filter(|_| WITH_NUMBERS.contains(&status)) {
                *detail = without_numbers(detail.as_str().expect("a text")).into();
            }
        }
        body => without_ids_and_times(body),
    }
    vec![body.to_string()]
}

fn without_ids_and_times(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(without_ids_and_times),
        Value::Array(items) => items.iter_mut().for_each(without_ids_and_times),
        Value::String(text) if Uuid::parse_str(text).is_ok() => *value = "an id".into(),
        Value::String(text) if DateTime::parse_from_rfc3339(text).is_ok() => *value = "a time".into(),
        _ => {}
    }
}

/// A text in which each word with a digit is `#`.
fn without_numbers(text: &str) -> String {
    let words = text
        .split(' ')
        .map(|word| if word.contains(|character: char| character.is_ascii_digit()) { "#" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
