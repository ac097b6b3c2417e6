//! Waiting for what happens soon, without a time that a busy machine could exceed.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::App;

/// Waits until the condition holds. Fails with what was expected if that takes a minute.
pub async fn until(expected: &str, mut condition: impl AsyncFnMut() -> bool) {
    let holds = async {
        while !condition().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(60), holds).await.unwrap_or_else(|_| panic!("{expected}"));
}

impl App {
    /// Waits until a GET of the path has this status.
    pub async fn until_status(&self, path: &str, status: u16) {
        until(&format!("GET {path} is {status}"), async || self.get(path).await.status == status).await;
    }

    /// Waits until it reads users and is ready.
    pub async fn until_healthy(&self) {
        self.until_status("/users", 200).await;
        self.until_status("/health/ready", 200).await;
    }
}
