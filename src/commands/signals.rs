//! The signals that the server handles.

use std::time::Duration;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};

/// The time after a signal within which further ones are the same.
const MOMENT: Duration = Duration::from_millis(500);

/// SIGTERM, which orchestrators send, and SIGINT (Ctrl-C), which stop the server.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    last: Option<Instant>,
}

impl Signals {
    pub(super) fn new() -> Result<Self, String> {
        let install = |kind| signal(kind).map_err(|error| format!("cannot install a signal handler: {error}"));
        // The default is to end the process. Those who read files again at this signal (`watched_files.rs`) have handlers of
        // their own; it has no other effect.
        let _ = install(SignalKind::hangup())?;
        Ok(Self {
            terminate: install(SignalKind::terminate())?,
            interrupt: install(SignalKind::interrupt())?,
            last: None,
        })
    }

    /// Waits for the next signal of either kind. Those within a moment of it are the same: a shell or `timeout` sends one to the
    /// process and to its group.
    pub(super) async fn next(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            let now = Instant::now();
            // An ignored signal does not extend the moment, so that many in a row are a second one.
            if self.last.is_none_or(|last| now - last >= MOMENT) {
                self.last = Some(now);
                return;
            }
        }
    }
}
