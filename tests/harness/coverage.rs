//! Which of the contract's answers this run of the suite has seen: every (operation, status) that it documents is to be
//! exercised on each database.
//!
//! libtest has no "at the end". It can list the tests that it would run, though, and it begins them in the order of their
//! names. So a test whose name comes last asks for the list, waits until every other test on it has ended, and then looks.
//! Where a filter leaves tests out it has nothing to demand.

use std::{
    collections::BTreeSet,
    io::Write,
    process::Command,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use super::{
    Database,
    operations::{Operation, operations},
};

/// What a test that is still at work when the last begins may take.
const PATIENCE: Duration = Duration::from_secs(300);

static SEEN: Mutex<BTreeSet<(Database, String, u16)>> = Mutex::new(BTreeSet::new());

static ENDED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Notes an answer that the contract documents.
pub fn record(database: Database, operation: &str, status: u16) {
    SEEN.lock().expect("no test panics in here").insert((database, operation.to_owned(), status));
}

/// A test at work. It has ended when this is dropped, however it ends.
pub struct AtWork(String);

impl AtWork {
    pub fn new(test: String) -> Self {
        Self(test)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Ok(mut ended) = ENDED.lock() {
            ended.insert(std::mem::take(&mut self.0));
        }
    }
}

/// Waits for the other tests on this database and panics, naming every pair, if some were not exercised. `last` is the name
/// of the test that asks.
pub fn demand_all(database: Database, last: &str) {
    let of_database = |mut tests: Vec<String>| {
        tests.retain(|test| test.ends_with(database.suffix()));
        tests
    };
    let all = of_database(list(&[]));
    assert_eq!(all.last().map(String::as_str), Some(last), "the test that waits for the others must sort last");
    let chosen = of_database(list(&std::env::args().skip(1).collect::<Vec<_>>()));
    if chosen.len() < all.len() {
        let (left_out, all) = (all.len() - chosen.len(), all.len());
        return tell(&format!(
            "what was exercised on {database:?} is not counted: {left_out} of {all} tests are left out"
        ));
    }
    wait_for(chosen.iter().filter(|test| *test != last).cloned().collect());

    let seen = SEEN.lock().expect("no test panics in here").clone();
    let statuses = |operation: &'static Operation| operation.statuses.iter().map(move |status| (operation, *status));
    let (exercised, missing): (Vec<_>, Vec<_>) = operations()
        .iter()
        .flat_map(statuses)
        .partition(|(operation, status)| seen.contains(&(database, operation.id.clone(), *status)));
    let told = format!("{} of {} documented answers", exercised.len(), exercised.len() + missing.len());
    tell(&format!("{told} were exercised on {database:?}"));
    let missing: Vec<_> =
        missing.iter().map(|(operation, status)| format!("\n  {} → {status}", operation.id)).collect();
    assert!(missing.is_empty(), "only {told} were exercised on {database:?}, not these:{}", missing.concat());
}

/// The names of the tests that this binary would run with these arguments, in order.
fn list(arguments: &[String]) -> Vec<String> {
    let binary = std::env::current_exe().expect("this binary has a path");
    let output = Command::new(binary).args(arguments).arg("--list").output().expect("this binary runs");
    assert!(output.status.success(), "it cannot list its tests: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names in UTF-8");
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// Says it, though libtest hides what the print macros write in tests that pass.
fn tell(line: &str) {
    // Nobody may be listening.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

fn wait_for(mut tests: Vec<String>) {
    let start = Instant::now();
    loop {
        {
            let ended = ENDED.lock().expect("no test panics in here");
            tests.retain(|test| !ended.contains(test));
        }
        if tests.is_empty() {
            return;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "these tests did not end, or do not run on an app of the harness: {tests:?}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}
