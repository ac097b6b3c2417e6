//! Requests that are refused before their body is received: their clients get the answer, and others their place.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use crate::wire::{Wire, post};

/// Nothing but the head is needed to refuse a request: the client gets the answer before it sends the body, and no
/// `100 Continue` (RFC 9110, section 10.1.1).
#[tokio::test]
async fn a_request_that_is_refused_by_its_head_is_answered_at_once() {
    let wire = Wire::start(&[]).await;
    let token = wire.app.authorization();
    for (head, status) in [
        ("POST /users HTTP/1.1\r\ncontent-type: application/json\r\n".to_owned(), 401),
        (format!("POST /nothing HTTP/1.1\r\ncontent-type: application/json\r\n{token}"), 404),
        (format!("POST /users/x HTTP/1.1\r\ncontent-type: application/json\r\n{token}"), 405),
        (format!("POST /users HTTP/1.1\r\ncontent-type: text/plain\r\n{token}"), 415),
        (format!("POST /users?a=b HTTP/1.1\r\ncontent-type: application/json\r\n{token}"), 400),
    ] {
        let request = format!("{head}host: x\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n");
        let mut stream = wire.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut start = [0; 12];
        timeout(Duration::from_secs(5), stream.read_exact(&mut start)).await.expect("an answer").unwrap();
        assert_eq!(String::from_utf8_lossy(&start), format!("HTTP/1.1 {status}"), "{head}");
    }
    let long = format!("{}content-length: 99999999\r\nexpect: 100-continue\r\n\r\n", post(&wire.app));
    assert!(wire.exchange(long.as_bytes()).await.starts_with("HTTP/1.1 413 "));
    let accepted = format!("{}content-length: 2\r\nexpect: 100-continue\r\n\r\n", post(&wire.app));
    let mut stream = wire.connect().await;
    stream.write_all(accepted.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 100");
    drop(stream);
    wire.server.stop().await;
}

/// A client that sends its whole body before it reads receives the refusal and not a reset.
#[tokio::test]
async fn a_refused_upload_receives_the_reason() {
    let wire = Wire::start(&["--max-body-bytes", "1000"]).await;
    let post = post(&wire.app);
    let start = "POST /users HTTP/1.1\r\n";
    for (length, count) in [(300_000, 10), (3_000_000, 10), (20_000_000, 2)] {
        for (head, status) in [
            (post.clone(), 413),
            (post.replace("Bearer", "Basic"), 401),
            (post.replace("/users", "/nothing"), 404),
            (post.replace("application/json", "text/plain"), 415),
            // Which hyper leaves open for another protocol.
            (format!("{post}connection: upgrade\r\nupgrade: h2c\r\n"), 413),
            ("CONNECT x:80 HTTP/1.1\r\nhost: x\r\n".to_owned(), 404),
            // Which hyper answers itself.
            (post.replace(start, &format!("{start}{}", "x: y\r\n".repeat(101))), 431),
            (post.replace(start, "POST /users HTTP/1.2\r\n"), 400),
        ] {
            for _ in 0..count {
                let head = format!("{head}content-length: {length}\r\n\r\n");
                let response = wire.exchange(&[head.as_bytes(), &vec![b' '; length]].concat()).await;
                assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{length}, {head:.60}: {response}");
            }
        }
    }
    wire.server.stop().await;
}

/// Clients that go on sending after their last response make room for others.
#[tokio::test]
async fn a_refused_upload_that_continues_keeps_no_place() {
    let wire = Wire::start(&["--max-connections", "8"]).await;
    for _ in 0..40 {
        let mut refused = wire.connect().await;
        refused.write_all(b"POST /users HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n").await.unwrap();
        refused.read_exact(&mut [0; 12]).await.unwrap();
        tokio::spawn(async move {
            while refused.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    }
    let request = async { wire.app.get("/health").await.status };
    let status = timeout(Duration::from_secs(4), request).await;
    assert_eq!(status.expect("sooner than the rest of a body is read"), 200);
    wire.server.stop().await;
}
