//! `web_server import`: creates the users of a file.
//!
//! A thread reads and validates the input and sends chunks; the database writes each in one or more transactions. So memory does not
//! depend on the size of the input, and an interrupted import can be repeated: what exists is rejected.

mod items;
mod rejects;
mod users;

use std::{
    fmt,
    fs::File,
    io::{self, BufReader, Read},
    mem,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use api::problem::{Violation, ViolationCode};
use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use openapi_contract::OperationTable;
use tokio::sync::mpsc;

use self::{
    items::{Position, TOO_LARGE, Text},
    rejects::Rejects,
    users::Schemas,
};
use super::signals::Signals;
use crate::{
    clock::{Clock, SystemClock},
    storage::{ImportedUser, Store, UserImporter},
};

/// The maximum number of items of a chunk.
const CHUNK_ITEMS: usize = 2_000;

/// The maximum size of the items of a chunk in bytes.
const CHUNK_BYTES: usize = 4 << 20;

/// An item, and its user or why it is rejected.
type Item = (Position, Text, Result<ImportedUser, Vec<Violation>>);

/// Items in the order of the input.
#[derive(Default)]
struct Chunk {
    items: Vec<Item>,
    bytes: usize,
    /// How much of the input was read.
    read: u64,
}

/// How far an import is.
struct Import {
    importer: UserImporter,
    imported: u64,
    rejects: Rejects,
    /// The last item that was processed.
    last: Option<Position>,
}

/// Imports the users of a file; `-` is standard input. Returns whether all were imported.
///
/// # Errors
/// The input cannot be read to its end, the database or the file of the rejects fails, or a signal stopped the import. The
/// message has the last item that was processed.
pub(super) async fn import(
    table: &OperationTable,
    store: &Store,
    path: &Path,
    rejects: Option<PathBuf>,
) -> Result<bool, String> {
    let mut signals = Signals::new()?;
    let in_file = |error: &dyn fmt::Display| match path.to_str() {
        Some("-") => format!("standard input: {error}"),
        _ => format!("{}: {error}", path.display()),
    };
    let (input, progress) = open(path).map_err(|error| in_file(&error))?;
    let rejects = Rejects::new(path, rejects)?;
    let schemas = Schemas::compile(table)?;
    let mut importer = store.user_importer().await.map_err(database)?;
    let clock_difference = importer.clock_difference().await.map_err(database)?;
    let mut import = Import { importer, imported: 0, rejects, last: None };
    let (chunks, mut received) = mpsc::channel(1);
    // Not a task: nothing can cancel a read of standard input.
    let now = move || SystemClock.now().datetime() + clock_difference;
    let reader = thread::spawn(move || read(input, &schemas, now, &chunks));
    let result = loop {
        let chunk = tokio::select! {
            biased;
            () = signals.next() => break Err("stopped by a signal".to_owned()),
            chunk = received.recv() => chunk,
        };
        let Some(chunk) = chunk else {
            // The thread has ended.
            let read = reader.join().unwrap_or_else(|_| Err("the reader panicked".to_owned()));
            break read.map_err(|error| in_file(&error));
        };
        let read = chunk.read;
        if let Err(error) = import.process(chunk).await {
            break Err(error);
        }
        progress.set_position(read);
        progress.set_message(import.to_string());
    };
    progress.finish_and_clear();
    match result {
        Ok(()) => println!("{import}"),
        Err(cause) => {
            let after = import.last.map(|last| format!(" after {last}")).unwrap_or_default();
            return Err(format!("{cause}{after}: {import}"));
        }
    }
    Ok(import.rejects.count == 0)
}

impl Import {
    async fn process(&mut self, chunk: Chunk) -> Result<(), String> {
        let mut items = chunk.items;
        while !items.is_empty() {
            let rest = items.split_off(items.len().min(self.importer.transaction_size()));
            self.process_items(items).await?;
            items = rest;
        }
        Ok(())
    }

    /// Processes items in one transaction.
    async fn process_items(&mut self, parsed: Vec<Item>) -> Result<(), String> {
        let mut users = Vec::new();
        let mut items = Vec::with_capacity(parsed.len());
        for (position, text, user) in parsed {
            items.push((position, text, user.map(|user| users.push(user))));
        }
        let conflicts = self.importer.insert(&users).await;
        let mut conflicts = conflicts.map_err(database)?.into_iter();
        let mut rejects = Vec::new();
        for (position, text, user) in items {
            let violations: Vec<_> = match user {
                Err(violations) => violations,
                Ok(()) => conflicts.next().unwrap_or_default().into_iter().map(not_unique).collect(),
            };
            self.last = Some(position);
            if violations.is_empty() {
                self.imported += 1;
            } else {
                rejects.push((position, text, violations));
            }
        }
        // Everything that is committed is counted, also if a reject cannot be written.
        for (position, text, violations) in rejects {
            let written = self.rejects.write(position, &violations, text.as_deref());
            written.map_err(|error| format!("cannot write the rejects: {error}"))?;
        }
        self.rejects.flush().map_err(|error| format!("cannot write the rejects: {error}"))
    }
}

/// `imported 5 users, rejected 2 (reasons in users.ndjson.rejects.ndjson)`
impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "imported {} users, {}", self.imported, self.rejects)
    }
}

fn database(error: impl fmt::Display) -> String {
    format!("the database failed: {error}")
}

fn not_unique(member: &'static str) -> Violation {
    let detail = format!("must be unique: another user has this {member}");
    Violation::at_pointer(format!("/{member}"), ViolationCode::NotUnique, detail)
}

/// Counts what is read.
struct Counted {
    input: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Opens the input, and the progress that is shown on a terminal: of a file with a bar.
fn open(path: &Path) -> io::Result<(Counted, ProgressBar)> {
    let style = |template| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let (input, progress): (Box<dyn Read + Send>, _) = if path == Path::new("-") {
        (Box::new(io::stdin()), ProgressBar::new_spinner().with_style(style("{elapsed} {msg}")))
    } else {
        let file = File::open(path)?;
        let progress = ProgressBar::new(file.metadata()?.len());
        (Box::new(file), progress.with_style(style("[{bar:30}] {percent}% {msg}, {eta} left")))
    };
    Ok((Counted { input, count: Arc::default() }, progress))
}

/// Reads and validates the input until its end, or until nothing receives the chunks.
fn read(
    input: Counted,
    schemas: &Schemas,
    now: impl Fn() -> DateTime<Utc>,
    chunks: &mpsc::Sender<Chunk>,
) -> Result<(), String> {
    let count = input.count.clone();
    let mut chunk = Chunk::default();
    let send = |chunk: &mut Chunk| {
        chunk.read = count.load(Ordering::Relaxed);
        match chunks.blocking_send(mem::take(chunk)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    };
    let result = items::read(BufReader::with_capacity(1 << 16, input), |position, text| {
        let user = match &text {
            Some(text) => schemas.parse(text, now()),
            None => Err(vec![Violation::at_pointer("", ViolationCode::Invalid, TOO_LARGE)]),
        };
        chunk.bytes += text.as_ref().map_or(0, Vec::len);
        // A small object can have many violations.
        chunk.bytes += user.as_ref().map_or_else(|violations| violations.len() * 100, |_| 0);
        chunk.items.push((position, text, user));
        if chunk.items.len() < CHUNK_ITEMS && chunk.bytes < CHUNK_BYTES {
            return ControlFlow::Continue(());
        }
        send(&mut chunk)
    });
    let _ = send(&mut chunk);
    result
}
