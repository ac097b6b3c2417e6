//! The server that the targets send requests to, in their own process: the whole router on an SQLite file, with an issuer of
//! access tokens.
//!
//! `cargo fuzz run --fuzz-dir crates/fuzz --features libfuzzer TARGET` runs a target until it fails; CONTRIBUTING.md has the
//! command for a stable toolchain.

use std::sync::{Arc, LazyLock};

use axum::{Router, body::Body};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use clap::Parser;
use http::{Request, StatusCode};
use jsonwebtoken::Algorithm;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use web_server::{app::App, cli::Cli, clock::SystemClock, config::Config, ids::UuidV7Generator};

#[path = "../../../tests/harness/issuer.rs"]
#[expect(missing_docs, reason = "a module of the tests")]
pub mod issuer;

use issuer::{AUDIENCE, Issuer, Pair};

/// A server without sockets.
pub struct Server {
    runtime: Runtime,
    router: Router,
    /// Issues the tokens that it accepts.
    pub issuer: Issuer,
    /// The key of the issuer.
    pub pair: Pair,
    _folder: tempfile::TempDir,
}

/// The server. It starts with the first request.
pub static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

impl Server {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let pair = Pair::new("fuzz");
        let (issuer, router) = runtime.block_on(async {
            let issuer = Issuer::start(&[&pair]).await;
            let database = format!("sqlite://{}/users.db", folder.path().display());
            let flags =
                ["web_server", "--database-url", &database, "--oidc-issuer", &issuer.url, "--oidc-audience", AUDIENCE];
            let limits = ["--rate-limit", "off", "--caller-rate-limit", "off", "--request-timeout", "30s"];
            let cli = Cli::try_parse_from(flags.into_iter().chain(limits)).expect("the flags are known");
            let config = Config::validate(&cli.settings).expect("the flags are right");
            let clock = Arc::new(SystemClock);
            let app = App::build(&config, clock.clone(), Arc::new(UuidV7Generator::new(clock)))
                .await
                .expect("the app starts");
            (issuer, app.router)
        });
        Self { runtime, router, issuer, pair, _folder: folder }
    }

    /// A token that the server accepts for this scope.
    pub fn token(&self, scope: &str) -> String {
        self.pair.sign(&self.issuer.claims(scope))
    }

    /// Returns a token with any header and any claims, signed by the issuer.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.pair.private, Algorithm::ES256);
        format!("{message}.{}", signature.expect("a signature"))
    }

    /// Sends a GET request for this target with a token. Returns the status, which is no fault of the server; `None` if the target or
    /// the token cannot be sent.
    pub fn get(&self, target: &str, token: &str) -> Option<StatusCode> {
        let request =
            Request::get(target).header("host", "localhost").header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).ok()?;
        let response = self.runtime.block_on(self.router.clone().oneshot(request));
        let status = response.unwrap_or_else(|never| match never {}).status();
        assert!(status.as_u16() < 500, "{target}: {status}");
        Some(status)
    }
}
