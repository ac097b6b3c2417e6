//! Writes the log in a thread of its own, many lines at a time.
//!
//! A caller appends its line to a buffer; the thread takes the whole buffer at once. A channel of lines would cost an
//! allocation per line, freed on another thread, which is more than formatting the line costs.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// The maximum size of the buffer in bytes. When it is reached, callers wait, so that no line is lost.
const MAX_BUFFERED: usize = 4 << 20;

/// The pause of the thread after each write, so that more lines are written with one system call.
const PAUSE: Duration = Duration::from_millis(10);

/// How long the end of the process waits for the reader of the log.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The writer of the log.
#[derive(Clone)]
pub(crate) struct LogWriter(Arc<Shared>);

struct Shared {
    buffer: Mutex<Buffer>,
    /// Notifies the thread that the buffer is not empty, or closed.
    filled: Condvar,
    /// Notifies callers that the thread took the buffer, or ended.
    emptied: Condvar,
}

#[derive(Default)]
struct Buffer {
    lines: Vec<u8>,
    /// No more lines are accepted: the process ends.
    closed: bool,
    /// The thread wrote its last line.
    ended: bool,
}

impl LogWriter {
    /// Starts the thread.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn start(output: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared { buffer: Mutex::default(), filled: Condvar::new(), emptied: Condvar::new() });
        let writer = Self(shared.clone());
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_all_lines(output))?;
        Ok(writer)
    }

    /// Appends one or more lines. Waits if the buffer is full.
    pub(crate) fn line(&self, line: &[u8]) {
        let mut buffer = self.0.lock();
        while buffer.lines.len() >= MAX_BUFFERED && !buffer.closed {
            buffer = self.0.emptied.wait(buffer).unwrap_or_else(PoisonError::into_inner);
        }
        if buffer.closed {
            return;
        }
        let was_empty = buffer.lines.is_empty();
        buffer.lines.extend_from_slice(line);
        drop(buffer);
        if was_empty {
            self.0.filled.notify_one();
        }
    }

    /// Waits until the buffer is written. Later lines are lost.
    pub(crate) fn close(&self) {
        let mut buffer = self.0.lock();
        buffer.closed = true;
        self.0.filled.notify_one();
        self.0.emptied.notify_all();
        // If the reader of the log does not read, the process ends anyway.
        let _ = self.0.emptied.wait_timeout_while(buffer, CLOSE_TIMEOUT, |buffer| !buffer.ended);
    }
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        // A panic cannot leave an incomplete line, so a poisoned lock is usable.
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all_lines(&self, mut output: impl Write) {
        let mut lines = Vec::new();
        loop {
            let mut buffer = self.lock();
            while buffer.lines.is_empty() && !buffer.closed {
                buffer = self.filled.wait(buffer).unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut buffer.lines, &mut lines);
            let closed = buffer.closed;
            drop(buffer);
            self.emptied.notify_all();
            // An error of the log cannot be logged.
            let _ = output.write_all(&lines).and_then(|()| output.flush());
            lines.clear();
            if closed {
                break;
            }
            thread::sleep(PAUSE);
        }
        self.lock().ended = true;
        self.emptied.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Blocks until the channel is closed.
    struct Slow(mpsc::Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_line_is_lost_if_the_buffer_is_full() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let (unblock, blocked) = mpsc::channel();
        let log = LogWriter::start(Slow(blocked, written.clone())).unwrap();
        let line = [b'x'; 1023].into_iter().chain([b'\n']).collect::<Vec<_>>();
        let count = 2 * MAX_BUFFERED / line.len() + 100;
        let (writer, text) = (log.clone(), line.clone());
        let client = thread::spawn(move || (0..count).for_each(|_| writer.line(&text)));
        thread::sleep(Duration::from_millis(50));
        assert!(!client.is_finished(), "callers wait for a full buffer");
        drop(unblock);
        client.join().unwrap();
        log.close();
        assert_eq!(*written.lock().unwrap(), line.repeat(count));
        log.line(b"later\n");
        assert_eq!(written.lock().unwrap().len(), line.len() * count, "nothing is written after close");
    }
}
