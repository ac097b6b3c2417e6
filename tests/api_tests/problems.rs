//! Responses to faults of the server and to timeouts. The faults are injected before the real store, on both databases, and
//! into the handlers that use no store.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use crate::harness::{
    App,
    faults::Fault,
    matrix,
    operations::{Operation, operations},
};

/// Sends a request to these operations and expects one status of all. The harness checks the rest.
async fn all_return(app: &App, status: u16, which: impl Fn(&&Operation) -> bool) {
    let asked: Vec<_> = operations().iter().filter(which).collect();
    assert!(!asked.is_empty(), "there is no such operation");
    for operation in asked {
        let response = operation.request(app).send().await;
        assert_eq!(response.status, status, "{}: {}", operation.id, response.text());
        assert_eq!(response.header("retry-after").is_some(), status == 503, "{}", operation.id);
        // The cause is not disclosed.
        assert!(!response.text().contains("a test"), "{}", response.text());
    }
}

/// Readiness and the resources. The metrics document 503 for credentials only.
fn needs_the_store(operation: &&Operation) -> bool {
    operation.documents(503) && operation.id != "getMetrics"
}

/// The resources alone: readiness reports any fault as 503, and has no rate limit.
fn is_of_a_resource(operation: &&Operation) -> bool {
    operation.documents(503) && operation.limited
}

matrix! {
    async fn a_panic_in_a_handler_is_a_500(app: App) {
        app.faults.handlers_panic();
        all_return(&app, 500, |_| true).await;
    }

    async fn a_panic_in_the_store_is_a_500(app: App) {
        app.faults.store(Fault::Panic);
        all_return(&app, 500, needs_the_store).await;
        app.faults.store(None);
        assert_eq!(app.get("/users").await.status, 200);
    }

    async fn a_bug_in_the_store_is_a_500(app: App) {
        app.faults.store(Fault::Internal);
        all_return(&app, 500, is_of_a_resource).await;
    }

    async fn an_unavailable_store_is_a_503(app: App) {
        app.faults.store(Fault::Unavailable);
        all_return(&app, 503, needs_the_store).await;
        // The process is still alive.
        assert_eq!(app.get("/health").await.status, 200);
    }

    async fn a_timeout_is_a_503(app: App) using ["--request-timeout", "100ms"] {
        app.faults.store(Fault::Hang);
        all_return(&app, 503, needs_the_store).await;
    }

    /// Neither a disconnect nor a timeout interrupts a write.
    async fn a_write_completes_after_a_disconnect_and_after_a_timeout(app: App) using ["--request-timeout", "2s"] {
        let user = app.create_user("ada").await;
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        app.faults.store(Fault::Hold);

        let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
        stream.write_all(format!("DELETE {path} HTTP/1.1\r\nhost: x\r\n{}\r\n", app.authorization()).as_bytes()).await.unwrap();
        app.faults.held().await;
        drop(stream);
        // The server has noticed the disconnect when a later request times out.
        assert_eq!(app.patch(&path, serde_json::json!({ "name": "Bob" })).await.status, 503);
        app.faults.held().await;
        app.faults.store(None);
        assert_eq!(app.get(&path).await.json(), user);

        app.faults.release();
        let gone = async {
            while app.get(&path).await.status != 404 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), gone).await.expect("a write that was begun is ended");
    }
}
