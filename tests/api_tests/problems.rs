//! What the server answers when it is the one at fault, or short of time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use api::{
    AppState, Surface,
    health::{NotReady, Readiness},
    metrics::Exposition,
    store_error::StoreError,
    users::{NewUser, Page, User, UserList, UserPatch, Users},
};
use async_trait::async_trait;
use clap::Parser;
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Notify, time::timeout};
use uuid::Uuid;
use web_server::{
    app,
    config::{Cli, Config},
    docs::Documents,
    operations::Operations,
    readiness::Drain,
    server,
    source::SystemSource,
    stack::{self, Stack},
};

use crate::harness::{App, client};

/// Ports that fail as they are told. What the stack makes of a fault does not depend on the database.
#[derive(Clone, Copy)]
enum Fault {
    Panic,
    Internal,
    Unavailable,
    Hang,
}

impl Fault {
    async fn strike<T>(self) -> Result<T, StoreError> {
        match self {
            Self::Panic => panic!("a handler panics"),
            Self::Internal => Err(StoreError::Internal),
            Self::Unavailable => Err(StoreError::Unavailable),
            Self::Hang => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Users for Fault {
    async fn create(&self, _: NewUser) -> Result<User, StoreError> {
        self.strike().await
    }
    async fn get(&self, _: Uuid) -> Result<User, StoreError> {
        self.strike().await
    }
    async fn list(&self, _: Page) -> Result<UserList, StoreError> {
        self.strike().await
    }
    async fn update(&self, _: Uuid, _: UserPatch) -> Result<User, StoreError> {
        self.strike().await
    }
    async fn delete(&self, _: Uuid) -> Result<(), StoreError> {
        self.strike().await
    }
}

#[async_trait]
impl Readiness for Fault {
    async fn check(&self) -> Result<(), NotReady> {
        self.strike().await.map_err(|_| NotReady::DatabaseAway)
    }
}

impl Exposition for Fault {
    fn render(&self) -> String {
        String::new()
    }
}

async fn app_with(fault: Fault) -> App {
    app_on(Arc::new(fault)).await
}

async fn app_on(users: Arc<dyn Users>) -> App {
    let fault = Fault::Unavailable;
    let cli = Cli::try_parse_from(["web_server", "--request-timeout", "100ms"]).unwrap();
    let config = Config::validate(&cli.settings, false).unwrap();
    let contract = app::contract().unwrap();
    let router = stack::build(Stack {
        surface: Surface::All,
        state: AppState { users, readiness: Arc::new(fault), metrics: Arc::new(fault) },
        operations: Arc::new(Operations::compile(&contract).unwrap()),
        documents: Some(Documents::new(&contract, web_server::CONTRACT)),
        source: Arc::new(SystemSource::new()),
        drain: Drain::default(),
        config: config.http,
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { server::serve(listener, router, &config.server, std::future::pending()).await });
    App::at(base, client())
}

/// Asks every operation of users and demands one status of all; the harness checks the rest.
async fn every_operation_answers(fault: Fault, status: u16) {
    let app = app_with(fault).await;
    let (user, path) =
        (json!({ "name": "a", "email": "a@example.com" }), "/users/00000000-0000-0000-0000-000000000000");
    for answer in [
        app.post("/users", user.clone()).await,
        app.get("/users").await,
        app.get(path).await,
        app.put(path, user.clone()).await,
        app.patch(path, user).await,
        app.delete(path).await,
    ] {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
        // What went wrong inside stays inside.
        assert!(!answer.text().contains("panics"));
    }
}

#[tokio::test]
async fn a_panic_is_answered_with_500() {
    every_operation_answers(Fault::Panic, 500).await;
}

#[tokio::test]
async fn a_bug_in_the_store_is_answered_with_500() {
    every_operation_answers(Fault::Internal, 500).await;
}

#[tokio::test]
async fn a_store_that_is_away_is_answered_with_503() {
    every_operation_answers(Fault::Unavailable, 503).await;
    let app = app_with(Fault::Unavailable).await;
    assert_eq!(app.get("/health/ready").await.status, 503);
    // The process is alive all the same.
    assert_eq!(app.get("/health").await.status, 200);
}

#[tokio::test]
async fn a_deadline_that_passes_is_answered_with_503() {
    every_operation_answers(Fault::Hang, 503).await;
}

/// A store whose delete waits until it is let go, and says when it has ended.
#[derive(Default)]
struct Slow {
    begun: Notify,
    go_on: Notify,
    ended: AtomicBool,
}

#[async_trait]
impl Users for Slow {
    async fn create(&self, _: NewUser) -> Result<User, StoreError> {
        Err(StoreError::Internal)
    }
    async fn get(&self, _: Uuid) -> Result<User, StoreError> {
        Err(StoreError::Internal)
    }
    async fn list(&self, _: Page) -> Result<UserList, StoreError> {
        Err(StoreError::Internal)
    }
    async fn update(&self, _: Uuid, _: UserPatch) -> Result<User, StoreError> {
        Err(StoreError::Internal)
    }
    async fn delete(&self, _: Uuid) -> Result<(), StoreError> {
        self.begun.notify_one();
        self.go_on.notified().await;
        self.ended.store(true, Ordering::SeqCst);
        self.begun.notify_one();
        Ok(())
    }
}

/// A client that hangs up, or a deadline that passes, has no say in whether a write is done wholly.
#[tokio::test]
async fn a_write_goes_on_when_the_client_hangs_up_and_past_the_deadline() {
    let slow = Arc::new(Slow::default());
    let app = app_on(slow.clone()).await;
    let path = "/users/00000000-0000-0000-0000-000000000000";

    let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(format!("DELETE {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    slow.begun.notified().await;
    drop(stream);
    // The server has noticed once nothing is in flight for it: the next request is answered after that.
    assert_eq!(app.delete(path).await.status, 503);
    slow.begun.notified().await;
    assert!(!slow.ended.load(Ordering::SeqCst));

    slow.go_on.notify_waiters();
    timeout(Duration::from_secs(10), slow.begun.notified()).await.expect("a write that was begun is ended");
    assert!(slow.ended.load(Ordering::SeqCst));
}
