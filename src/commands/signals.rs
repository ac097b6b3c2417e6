//! The signals that the server handles.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM, which orchestrators send, and SIGINT (Ctrl-C), which stop the server.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self, String> {
        let install = |kind| signal(kind).map_err(|error| format!("cannot install a signal handler: {error}"));
        // The default is to end the process. Those who read files again at this signal (`watched_files.rs`) have handlers of
        // their own; it has no other effect.
        let _ = install(SignalKind::hangup())?;
        Ok(Self { terminate: install(SignalKind::terminate())?, interrupt: install(SignalKind::interrupt())? })
    }

    /// Waits for the next signal of either kind.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
