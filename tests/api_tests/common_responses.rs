//! The responses of the middleware and of validation, for every operation that documents them. The requests are made from the
//! examples in the contract, so a new operation is tested too.

use serde_json::Value;

use crate::harness::{
    App, OPEN, Request, matrix,
    operations::{Operation, operations},
};

/// Sends a spoiled request to every operation that documents this status, and expects the status. The harness checks the rest.
async fn every_operation_returns(
    app: &App,
    status: u16,
    spoil: impl for<'a> Fn(&Operation, Request<'a>) -> Request<'a>,
) {
    // Without a body, 422 is about something else.
    let is_meant = |operation: &&Operation| status != 422 || operation.documents(415);
    let documented = operations().iter().filter(|operation| operation.documents(status));
    let documented: Vec<_> = documented.filter(is_meant).collect();
    assert!(!documented.is_empty(), "no operation documents {status}");
    for operation in documented {
        let response = spoil(operation, operation.request(app)).send().await;
        assert_eq!(response.status, status, "{}: {}", operation.id, response.text());
    }
}

const MAX_BODY_BYTES: usize = 100;

matrix! {
    async fn a_parameter_that_is_not_documented_is_refused(app: App) {
        every_operation_returns(&app, 400, |operation, request| {
            if operation.ignores_unknown_query {
                request.header("host", "not a host")
            } else {
                request.query("page=2")
            }
        })
        .await;
    }

    async fn a_host_header_that_is_no_host_is_refused(app: App) {
        every_operation_returns(&app, 400, |_, request| request.header("host", "not a host")).await;
    }

    async fn a_body_that_is_not_json_is_refused(app: App) {
        let with_body = operations().iter().filter(|operation| operation.body.is_some());
        for operation in with_body {
            let response = operation.request(&app).body("{").send().await;
            assert_eq!((response.status, &response.json()["type"]), (400, &"/problems/malformed".into()), "{}", operation.id);
        }
    }

    async fn an_accept_header_without_a_representation_is_refused(app: App) {
        every_operation_returns(&app, 406, |_, request| request.header("accept", "application/x-nothing")).await;
    }

    async fn a_body_that_does_not_arrive_times_out(app: App) using ["--body-timeout", "200ms"] {
        every_operation_returns(&app, 408, |_, request| request.never_ending()).await;
    }

    async fn a_body_over_the_limit_is_refused(app: App) using ["--max-body-bytes", "100"] {
        every_operation_returns(&app, 413, |operation, request| {
            request.body(vec![b' '; operation.max_body_bytes.unwrap_or(MAX_BODY_BYTES) + 1])
        })
        .await;
    }

    async fn a_body_of_another_media_type_is_refused(app: App) {
        every_operation_returns(&app, 415, |_, request| request.content_type("application/x-nothing")).await;
    }

    async fn an_invalid_body_is_refused(app: App) {
        every_operation_returns(&app, 422, |_, request| request.json(&Value::Null)).await;
        every_operation_returns(&app, 422, |operation, request| {
            let (_, mut body) = operation.body.clone().expect("an operation with a body");
            body["nick"] = "a".into();
            request.json(&body)
        })
        .await;
    }

    /// Without credentials, a page in the browser of this machine could send requests.
    async fn the_page_of_another_site_is_refused(app: App) using [OPEN] {
        every_operation_returns(&app, 403, |_, request| request.header("sec-fetch-site", "cross-site")).await;
    }

    async fn a_client_over_the_rate_limit_is_refused(app: App) using ["--rate-limit", "1/h", "--rate-limit-burst", "1"] {
        let limited = operations().iter().find(|operation| operation.limited).unwrap();
        assert_ne!(limited.request(&app).send().await.status, 429);
        for operation in operations().iter().filter(|operation| operation.documents(429)) {
            // Of the others, only requests that fail to authenticate count.
            let app = if operation.limited { app.clone() } else { app.with_token(None) };
            assert_eq!(operation.request(&app).send().await.status, 429, "{}", operation.id);
        }
    }
}
