//! Repeats an operation of a command. A request is not repeated: its client decides.

use std::time::Duration;

use tokio::time::sleep;

/// The pauses are twice as long each time: 6 s altogether.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const RETRIES: u32 = 7;

/// Repeats an operation while it fails with such an error.
pub(super) async fn retry<T>(
    is_transient: impl Fn(&sqlx::Error) -> bool,
    mut operation: impl AsyncFnMut() -> Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    for number in 0..RETRIES {
        match operation().await {
            Err(error) if is_transient(&error) => sleep(FIRST_PAUSE * 2_u32.pow(number)).await,
            result => return result,
        }
    }
    operation().await
}
