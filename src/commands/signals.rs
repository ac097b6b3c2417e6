//! The signals that the server handles.

use std::time::Duration;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};

/// The time within which a signal is one of those before.
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

    /// Waits for the next signal of either kind. One that follows another within a moment is the same: a shell or `timeout` sends it
    /// to the process and to its group.
    pub(super) async fn next(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            let now = Instant::now();
            if self.last.replace(now).is_none_or(|last| now - last >= MOMENT) {
                return;
            }
        }
    }
}
