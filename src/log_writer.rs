//! Writes the log in a thread of its own, many lines at a time.
//!
//! Whoever has a line copies it behind those that wait, and goes on; the thread takes all of them at once. A channel that
//! passes one line at a time costs each of them memory of its own, which another thread gives back: more than the line.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// Bytes that wait to be written, at most. When so many wait, whoever has one more line waits too: none is lost.
const MAX_WAITING: usize = 4 << 20;

/// How long the thread rests after it has written, so that the next lines gather and neither they nor the thread cost a
/// system call each.
const REST: Duration = Duration::from_millis(10);

/// How long the end of the process waits for whoever reads the log.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Where lines of the log are left.
#[derive(Clone)]
pub(crate) struct LogWriter(Arc<Shared>);

struct Shared {
    waiting: Mutex<Waiting>,
    /// Tells the thread that there is something to write.
    arrived: Condvar,
    /// Tells those who wait that the thread has taken, or written, what there was.
    taken: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    /// No more lines are taken: the process ends.
    closed: bool,
    /// The thread has written its last line.
    ended: bool,
}

impl LogWriter {
    /// Starts the thread.
    ///
    /// # Errors
    /// There can be no more threads.
    pub(crate) fn start(output: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared { waiting: Mutex::default(), arrived: Condvar::new(), taken: Condvar::new() });
        let writer = Self(shared.clone());
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_all_lines(output))?;
        Ok(writer)
    }

    /// Leaves a line, or several, to be written.
    pub(crate) fn line(&self, line: &[u8]) {
        let mut waiting = self.0.lock();
        while waiting.lines.len() >= MAX_WAITING && !waiting.closed {
            waiting = self.0.taken.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.closed {
            return;
        }
        let first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if first {
            self.0.arrived.notify_one();
        }
    }

    /// Waits until what waits is written. Later lines are lost.
    pub(crate) fn close(&self) {
        let mut waiting = self.0.lock();
        waiting.closed = true;
        self.0.arrived.notify_one();
        self.0.taken.notify_all();
        // Whoever reads the log may have stopped reading: the process ends all the same.
        let _ = self.0.taken.wait_timeout_while(waiting, LAST_WAIT, |waiting| !waiting.ended);
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
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A panic elsewhere cannot leave half a line, so a poisoned lock is as good as any.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all_lines(&self, mut output: impl Write) {
        let mut lines = Vec::new();
        loop {
            let mut waiting = self.lock();
            while waiting.lines.is_empty() && !waiting.closed {
                waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut waiting.lines, &mut lines);
            let closed = waiting.closed;
            drop(waiting);
            self.taken.notify_all();
            // Nobody is left to be told of a log that cannot be written.
            let _ = output.write_all(&lines).and_then(|()| output.flush());
            lines.clear();
            if closed {
                break;
            }
            thread::sleep(REST);
        }
        self.lock().ended = true;
        self.taken.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Takes nothing until it is told to.
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
    fn no_line_is_lost_though_more_wait_than_there_is_room_for() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let (go, gate) = mpsc::channel();
        let log = LogWriter::start(Slow(gate, written.clone())).unwrap();
        let line = [b'x'; 1023].into_iter().chain([b'\n']).collect::<Vec<_>>();
        let count = 2 * MAX_WAITING / line.len() + 100;
        let (writer, text) = (log.clone(), line.clone());
        let client = thread::spawn(move || (0..count).for_each(|_| writer.line(&text)));
        thread::sleep(Duration::from_millis(50));
        assert!(!client.is_finished(), "a full log makes those who write to it wait");
        drop(go);
        client.join().unwrap();
        log.close();
        assert_eq!(*written.lock().unwrap(), line.repeat(count));
        log.line(b"later\n");
        assert_eq!(written.lock().unwrap().len(), line.len() * count, "nothing is written after the end");
    }
}
