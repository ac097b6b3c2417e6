//! The proof that every difference between the contract and the code is reported: `openapi.yaml` is altered in every
//! place and every way, one at a time, and so is the spec generated from the handlers.
//!
//! Each mutant must be reported *at the altered place*: by the loader, as a contradiction, as unenforceable, as
//! unusable or as a drift.
//! A mutant that is not reported must be under an entry of [`openapi_drift::NOT_COMPARED`], and each entry must be needed.
//! `raw` parses and alters the text, `mutate` and `vocabulary` define the mutations, `place` and `counterparts` the places
//! where they must be reported.
//!
//! `scripts/mutation-test` runs the whole proof and prints the counts. `cargo test` runs one mutant in [`SAMPLE`], which
//! takes seconds; with the variable `ALL_MUTATIONS` it runs all.

mod counterparts;
mod mutate;
mod place;
mod raw;
mod vocabulary;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use openapi_contract::{Contract, Position};
use openapi_drift::{CodeSide, NOT_COMPARED, compare};
use serde_json::Value;

use crate::counterparts::Counterparts;
use crate::mutate::{Edit, Mutation, mutations};
use crate::raw::Raw;

/// The allocator of the C library would take a quarter of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The real contract.
const CONTRACT: &str = include_str!("../../../../openapi.yaml");

/// A quick run tries one mutant in this many: a prime number, so that the sample has every kind.
const SAMPLE: usize = 101;

/// Whether every mutant is tried.
#[expect(clippy::disallowed_methods, reason = "how thorough a test is; not a setting of the server")]
fn is_thorough() -> bool {
    std::env::var_os("ALL_MUTATIONS").is_some()
}

/// All mutants, or a sample of them.
fn chosen(mutations: Vec<Mutation>) -> Vec<Mutation> {
    let step = if is_thorough() { 1 } else { SAMPLE };
    mutations.into_iter().step_by(step).collect()
}

/// The check that reported a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Loader,
    Contradiction,
    Enforcement,
    Usability,
    Diff,
}

struct Report {
    by: By,
    pointer: String,
    position: Position,
    finding: Finding,
}

/// A finding, formatted only if the test fails.
enum Finding {
    Fault(openapi_contract::LoadError),
    Drift(Box<openapi_drift::Drift>),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Fault(error) => error.fmt(f),
            Finding::Drift(drift) => drift.fmt(f),
        }
    }
}

/// What the build reports for the text of a contract, which must be this document.
fn build(text: &str, expected: &Value, generated: &Value) -> Vec<Report> {
    let fault = |by: By| {
        move |error: openapi_contract::LoadError| Report {
            by,
            pointer: error.pointer.clone(),
            position: error.position,
            finding: Finding::Fault(error),
        }
    };
    match Contract::load("openapi.yaml", text) {
        Err(errors) => errors.into_iter().map(fault(By::Loader)).collect(),
        Ok(contract) => {
            assert!(contract.document() == expected, "the loaded document is not the mutant");
            let mut reports: Vec<_> =
                openapi_lint::contradictions(&contract).into_iter().map(fault(By::Contradiction)).collect();
            reports.extend(openapi_lint::unenforceable(&contract).into_iter().map(fault(By::Enforcement)));
            reports.extend(openapi_lint::unusable(&contract).into_iter().map(fault(By::Usability)));
            reports.extend(drifts(&contract, generated));
            reports
        }
    }
}

fn drifts(contract: &Contract, generated: &Value) -> Vec<Report> {
    let report = |drift: openapi_drift::Drift| Report {
        by: By::Diff,
        pointer: drift.pointer.clone(),
        position: drift.position,
        finding: Finding::Drift(Box::new(drift)),
    };
    compare(contract, generated).into_iter().map(report).collect()
}

/// The result for a mutant.
enum Outcome {
    Killed(By),
    NotCompared(usize),
    /// Not reported, or reported at another place.
    Survived(String),
}

/// The number of mutants by outcome.
#[derive(Default)]
struct Tally {
    killed: BTreeMap<By, usize>,
    operators: BTreeMap<mutate::Operator, usize>,
    not_compared: BTreeMap<usize, usize>,
    survivors: Vec<String>,
}

impl Tally {
    /// Calls `check` for each mutant of the document, with its number.
    fn of(
        original: &Value,
        mutations: &[Mutation],
        check: impl Fn(usize, &Mutation, &Value) -> Outcome + Sync,
    ) -> Tally {
        let next = AtomicUsize::new(0);
        let work = || {
            let (mut outcomes, mut document) = (Vec::new(), original.clone());
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(mutation) = mutations.get(number) else { break };
                let outcome = mutation.with_mutant(&mut document, |mutant| check(number, mutation, mutant));
                outcomes.push((mutation.operator, outcome));
            }
            assert!(document == *original, "every mutation was undone");
            outcomes
        };
        let threads = thread::available_parallelism().map_or(2, usize::from);
        let outcomes = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("no mutant causes a panic")).collect::<Vec<_>>()
        });
        let mut tally = Tally::default();
        for (operator, outcome) in outcomes {
            match outcome {
                Outcome::Killed(by) => {
                    *tally.killed.entry(by).or_default() += 1;
                    *tally.operators.entry(operator).or_default() += 1;
                }
                Outcome::NotCompared(entry) => *tally.not_compared.entry(entry).or_default() += 1,
                Outcome::Survived(description) => tally.survivors.push(description),
            }
        }
        tally.survivors.sort();
        tally
    }

    /// Asserts that every mutant was reported, except those under these entries of `NOT_COMPARED`, each of which was needed.
    fn prove(&self, entries: impl Iterator<Item = usize>) {
        assert!(self.survivors.is_empty(), "{} survivors:\n{}", self.survivors.len(), self.survivors.join("\n"));
        if !is_thorough() {
            return;
        }
        let used: Vec<_> = self.not_compared.keys().map(|entry| entry_name(*entry)).collect();
        let listed: Vec<_> = entries.map(entry_name).collect();
        assert_eq!(used, listed, "the entries needed differ from `NOT_COMPARED`");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let killed: usize = self.killed.values().sum();
        let listed = |counts: Vec<(String, usize)>| {
            let counts: Vec<_> = counts.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
            counts.join(", ")
        };
        let by = listed(self.killed.iter().map(|(by, count)| (format!("{by:?}").to_lowercase(), *count)).collect());
        let how =
            listed(self.operators.iter().map(|(how, count)| (format!("{how:?}").to_lowercase(), *count)).collect());
        let entries = self.not_compared.iter().map(|(entry, count)| (entry_name(*entry), *count)).collect();
        write!(f, "{killed}/{} killed at the place (by {by}; {how})", killed + self.survivors.len())?;
        write!(f, "; not compared {}: {}", self.not_compared.values().sum::<usize>(), listed(entries))
    }
}

fn entry_name(entry: usize) -> String {
    let entry = &NOT_COMPARED[entry];
    entry.on.map_or_else(|| entry.key.to_owned(), |on| format!("{on:?}.{}", entry.key))
}

/// For one mutant in this many, the whole text is parsed again, not only the part around the edit.
const READ_WHOLE: usize = 50;

/// The outcome of one mutant of the contract.
fn check_contract(raw: &Raw<'_>, generated: &Value, number: usize, mutation: &Mutation, value: &Value) -> Outcome {
    let (text, mutant) = raw.apply(mutation);
    let (part, found) = mutant.part();
    if value.pointer(&part) != Some(&found) {
        panic!("the edited text is not the mutant: {mutation:?}");
    }
    if number.is_multiple_of(READ_WHOLE) {
        let whole = Raw::read(&text);
        assert!(whole.value() == *value, "the edited text is not the mutant: {mutation:?}");
        for (pointer, ..) in place::nodes(value) {
            assert_eq!(mutant.nearest(&pointer), whole.nearest(&pointer), "{pointer} after {mutation:?}");
        }
    }
    let reports = build(&text, value, generated);
    let survived = |what: &str| {
        let line = mutant.nearest(&mutation.pointer());
        let found: String = reports.iter().take(4).map(|one| format!("\n      {}", one.finding)).collect();
        Outcome::Survived(format!("openapi.yaml:{:04}:{} {}: {what}{found}", line.0, line.1, mutation.brief()))
    };
    if reports.is_empty() {
        return mutation.not_compared.map_or_else(|| survived("not reported"), Outcome::NotCompared);
    }
    let is_there = |one: &&Report| (one.position.line, one.position.column) == mutant.nearest(&one.pointer);
    let places = place::places(mutation, value);
    let is_place = |one: &&Report| places.contains(&one.pointer) || place::is_inside(mutation, &one.pointer);
    // For a reader, a place is a line and a column.
    let altered = mutant.nearest(&mutation.pointer());
    let is_seen =
        |one: &&Report| !matches!(mutation.edit, Edit::Remove) && (one.position.line, one.position.column) == altered;
    if let Some(one) = reports.iter().find(|one| is_seen(one) || is_there(one) && is_place(one)) {
        return Outcome::Killed(one.by);
    }
    let mut named = place::dangling(value);
    if !named.is_empty() && matches!(mutation.edit, Edit::Remove | Edit::Set(_) | Edit::Rename(_)) {
        named.retain(|pointer| !reports.iter().filter(is_there).any(|one| one.pointer == *pointer));
        if named.is_empty() {
            return Outcome::Killed(reports[0].by);
        }
    }
    survived("reported elsewhere")
}

fn generated() -> Value {
    let code = CodeSide { by_rule: &api::with_common_responses, ..CodeSide::UNKNOWN };
    let contract = Contract::load("openapi.yaml", CONTRACT).expect("the contract is valid");
    code.under_security(&contract, &serde_json::to_value(api::openapi()).expect("the spec can be written"))
}

#[test]
fn every_mutation_of_the_contract_is_reported_at_its_place() {
    let generated = generated();
    let raw = Raw::read(CONTRACT);
    let document = raw.value();
    assert!(build(CONTRACT, &document, &generated).is_empty(), "the contract and the code differ without a mutation");
    let mutations = chosen(mutations(&document));
    let tally = Tally::of(&document, &mutations, |number, mutation, mutant| {
        check_contract(&raw, &generated, number, mutation, mutant)
    });
    println!("contract: {tally}");
    // A new link refers to no operation, which is a contradiction, so it is always reported.
    tally.prove((0..NOT_COMPARED.len()).filter(|entry| entry_name(*entry) != "Components.links"));
}

/// The outcome of one mutant of the generated spec.
fn check_code(contract: &Contract, counterparts: &Counterparts<'_>, mutation: &Mutation, mutant: &Value) -> Outcome {
    let reports = drifts(contract, mutant);
    if reports.is_empty() {
        let survived = || Outcome::Survived(format!("{}: not reported", mutation.brief()));
        return mutation.not_compared.map_or_else(survived, Outcome::NotCompared);
    }
    let places = counterparts.places(mutation);
    let put = counterparts.put(mutation);
    let is_inside = |one: &Report| put.iter().any(|place| one.pointer.starts_with(&format!("{place}/")));
    let is_place = |one: &&Report| places.contains(&one.pointer) || is_inside(one);
    if let Some(one) = reports.iter().find(is_place) {
        return Outcome::Killed(one.by);
    }
    let mut named: Vec<_> = place::dangling(mutant).iter().filter_map(|pointer| counterparts.site(pointer)).collect();
    if !named.is_empty() {
        named.retain(|sites| !reports.iter().any(|one| sites.contains(&one.pointer)));
        if named.is_empty() {
            return Outcome::Killed(reports[0].by);
        }
    }
    let found: String = reports.iter().take(4).map(|one| format!("\n      {}", one.finding)).collect();
    Outcome::Survived(format!("{}: reported elsewhere, not at {places:?}{found}", mutation.brief()))
}

#[test]
fn every_mutation_of_the_generated_spec_is_reported_at_its_place() {
    let code = generated();
    let document = Raw::read(CONTRACT).value();
    let contract = Contract::load("openapi.yaml", CONTRACT).expect("the contract loads");
    let counterparts = Counterparts::new(&document, &code);
    let mut mutations = mutations(&code);
    mutations.retain(|mutation| !counterparts::is_equivalent(&code, mutation));
    let mutations = chosen(mutations);
    let tally =
        Tally::of(&code, &mutations, |_, mutation, mutant| check_code(&contract, &counterparts, mutation, mutant));
    println!("generated: {tally}");
    tally.prove(0..NOT_COMPARED.len());
}
