//! The responses and headers that middleware and extractors add to operations.
//!
//! A handler's annotation lists the responses of the handler. The responses of the middleware are the same for every
//! operation of a kind, so these rules add them to the generated spec.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, HeaderBuilder, OpenApi, PathItem, Ref, RefOr, Response, path::Operation, response::ResponseBuilder,
    },
};

/// Requests of orchestrators and monitoring systems have no rate limit: a refusal would look like a failure. Only those that try
/// tokens have one.
const UNLIMITED_TAGS: [&str; 2] = ["health", "monitoring"];

/// Adds the common responses to every operation.
pub(crate) fn add(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            complete(operation);
        }
    }
}

/// [`add`] for one operation in JSON. A fix for a handler leaves out the responses that this adds.
pub(crate) fn add_to(operation: serde_json::Value) -> serde_json::Value {
    let Ok(mut completed) = serde_json::from_value(operation.clone()) else { return operation };
    complete(&mut completed);
    serde_json::to_value(completed).unwrap_or(operation)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn complete(operation: &mut Operation) {
    let tags = operation.tags.as_deref().unwrap_or_default();
    let limited = !tags.iter().any(|tag| UNLIMITED_TAGS.contains(&tag.as_str()));

    let mut statuses = vec!["400", "500"];
    // The drift check takes `security` from the contract.
    if operation.security.as_ref().is_some_and(|alternatives| !alternatives.is_empty()) {
        // 429: tokens were tried. 503: the issuer of tokens cannot be reached.
        statuses.extend(["401", "403", "429", "503"]);
    }
    if has_representation(operation) {
        statuses.push("406");
    }
    if operation.request_body.is_some() {
        statuses.extend(["408", "413", "415", "422"]);
    }
    if limited {
        statuses.extend(["429", "503"]);
    }
    for status in statuses {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem_response()));
    }

    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            add_headers(status, response, limited);
        }
    }
}

/// Whether a successful response has a body, so that `Accept` applies.
fn has_representation(operation: &Operation) -> bool {
    operation.responses.responses.iter().any(|(status, response)| {
        status.starts_with('2') && matches!(response, RefOr::T(response) if !response.content.is_empty())
    })
}

fn problem_response() -> Response {
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    ResponseBuilder::new().content("application/problem+json", Content::new(Some(schema))).build()
}

fn add_headers(status: &str, response: &mut Response, limited: bool) {
    let mut add = |name: &str, schema| {
        response.headers.insert(name.to_owned(), RefOr::T(HeaderBuilder::new().schema(Some(schema)).build()));
    };
    add("X-Request-Id", RequestId::schema());
    if status == "429" || (limited && (status.starts_with('2') || status == "304")) {
        add("RateLimit", String::schema());
        add("RateLimit-Policy", String::schema());
    }
    if matches!(status, "401" | "403") {
        add("WWW-Authenticate", String::schema());
    }
    // 415: which of them depends on what is not supported.
    if status == "415" {
        add("Accept", String::schema());
        add("Accept-Patch", String::schema());
        add("Accept-Encoding", String::schema());
    }
    // In a 409 it is optional: if the idempotency key is in use.
    if matches!(status, "409" | "429" | "503") {
        add("Retry-After", RetryAfter::schema());
    }
}

/// The id of a request.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$")]
#[expect(dead_code, reason = "only its schema is used")]
struct RequestId(String);

/// Whole seconds.
#[derive(ToSchema)]
#[schema(minimum = 1)]
#[expect(dead_code, reason = "only its schema is used")]
struct RetryAfter(i32);
