//! Coverage of the documented responses: every (operation, status) of the contract must occur in the suite, on each database.
//!
//! libtest has no hook at the end of a run. It can list the tests of a run, and starts them in the order of their names. So
//! the test that sorts last lists the tests, waits until all others have ended, and checks the coverage. It checks nothing
//! where a filter excludes tests.

use std::{
    collections::BTreeSet,
    io::Write,
    process::Command,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use super::database::Database;

/// The time limit for the tests that are still running when the last one starts.
const TIMEOUT: Duration = Duration::from_secs(300);

static SEEN: Mutex<BTreeSet<(Database, String, u16)>> = Mutex::new(BTreeSet::new());

static ENDED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Records a documented response.
pub fn record(database: Database, operation: &str, status: u16) {
    SEEN.lock().expect("no test panics in here").insert((database, operation.to_owned(), status));
}

/// A test that is running. It has ended when this is dropped, also by a panic.
pub struct RunningTest(String);

impl RunningTest {
    pub fn new(test: String) -> Self {
        Self(test)
    }
}

impl Drop for RunningTest {
    fn drop(&mut self) {
        if let Ok(mut ended) = ENDED.lock() {
            ended.insert(std::mem::take(&mut self.0));
        }
    }
}

/// Waits for the other tests on this database. Panics with every pair that did not occur. `last` is the name of the calling
/// test, `documented` every (operation, status) of the contract. Returns whether all tests ran.
pub fn assert_complete(database: Database, last: &str, documented: impl Iterator<Item = (&'static str, u16)>) -> bool {
    let of_database = |mut tests: Vec<String>| {
        tests.retain(|test| test.ends_with(database.suffix()));
        tests
    };
    let all = of_database(list(&[]));
    assert_eq!(all.last().map(String::as_str), Some(last), "the calling test must sort last");
    let chosen = of_database(list(&std::env::args().skip(1).collect::<Vec<_>>()));
    if chosen.len() < all.len() {
        let (left_out, all) = (all.len() - chosen.len(), all.len());
        report(&format!("coverage on {database:?} is not checked: {left_out} of {all} tests are filtered out"));
        return false;
    }
    wait_for(chosen.iter().filter(|test| *test != last).cloned().collect());

    let seen = SEEN.lock().expect("no test panics in here").clone();
    let (exercised, missing): (Vec<_>, Vec<_>) =
        documented.partition(|(operation, status)| seen.contains(&(database, (*operation).to_owned(), *status)));
    let count = format!("{} of {} documented responses", exercised.len(), exercised.len() + missing.len());
    report(&format!("{count} occurred on {database:?}"));
    let missing: Vec<_> = missing.iter().map(|(operation, status)| format!("\n  {operation} → {status}")).collect();
    assert!(missing.is_empty(), "only {count} occurred on {database:?}; missing:{}", missing.concat());
    true
}

/// The names of the tests that this binary would run with these arguments, in order.
fn list(arguments: &[String]) -> Vec<String> {
    let binary = std::env::current_exe().expect("this binary has a path");
    let output = Command::new(binary).args(arguments).arg("--list").output().expect("this binary runs");
    assert!(output.status.success(), "listing the tests failed: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names in UTF-8");
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// Writes a line to standard error. libtest captures the print macros in tests that pass.
fn report(line: &str) {
    // Standard error may be closed.
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
        assert!(start.elapsed() < TIMEOUT, "these tests did not end, or do not use the harness: {tests:?}");
        thread::sleep(Duration::from_millis(10));
    }
}
