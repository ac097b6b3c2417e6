//! What the server answers when it is the one at fault, or short of time. The faults happen around the real store, on both
//! databases, and in place of the handlers that touch no store.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use crate::harness::{
    App,
    faults::Fault,
    matrix,
    operations::{Operation, operations},
};

/// Asks these operations and demands one status of all; the harness checks the rest.
async fn all_answer(app: &App, status: u16, which: impl Fn(&&Operation) -> bool) {
    let asked: Vec<_> = operations().iter().filter(which).collect();
    assert!(!asked.is_empty(), "there is no such operation");
    for operation in asked {
        let answer = operation.request(app).send().await;
        assert_eq!(answer.status, status, "{}: {}", operation.id, answer.text());
        assert_eq!(answer.header("retry-after").is_some(), status == 503, "{}", operation.id);
        // What went wrong inside stays inside.
        assert!(!answer.text().contains("a test"), "{}", answer.text());
    }
}

/// Readiness and the resources: what cannot do its work without the store documents 503.
fn needs_the_store(operation: &&Operation) -> bool {
    operation.documents(503)
}

/// The resources alone: readiness says of any fault that the server is not ready, and is not limited either.
fn is_of_a_resource(operation: &&Operation) -> bool {
    operation.documents(503) && operation.documents(429)
}

matrix! {
    async fn a_handler_that_panics_is_answered_with_500(app: App) {
        app.faults.handlers_panic();
        all_answer(&app, 500, |_| true).await;
    }

    async fn a_store_that_panics_is_answered_with_500(app: App) {
        app.faults.store(Fault::Panic);
        all_answer(&app, 500, needs_the_store).await;
        app.faults.store(None);
        assert_eq!(app.get("/users").await.status, 200);
    }

    async fn a_bug_in_the_store_is_answered_with_500(app: App) {
        app.faults.store(Fault::Internal);
        all_answer(&app, 500, is_of_a_resource).await;
    }

    async fn a_store_that_is_away_is_answered_with_503(app: App) {
        app.faults.store(Fault::Unavailable);
        all_answer(&app, 503, needs_the_store).await;
        // The process is alive all the same.
        assert_eq!(app.get("/health").await.status, 200);
    }

    async fn a_deadline_that_passes_is_answered_with_503(app: App) using ["--request-timeout", "100ms"] {
        app.faults.store(Fault::Hang);
        all_answer(&app, 503, needs_the_store).await;
    }

    /// A client that hangs up, or a deadline that passes, has no say in whether a write is done wholly.
    async fn a_write_goes_on_when_the_client_hangs_up_and_past_the_deadline(app: App) using ["--request-timeout", "2s"] {
        let user = app.create_user("ada").await;
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        app.faults.store(Fault::Hold);

        let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
        stream.write_all(format!("DELETE {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        app.faults.held().await;
        drop(stream);
        // The server has noticed once the deadline of a later request has passed.
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
