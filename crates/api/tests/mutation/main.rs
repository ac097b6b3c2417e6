//! The proof that no difference between the contract and the code passes: `openapi.yaml` is altered in every place, in
//! every way, one at a time, and so is the spec that the handlers yield.
//!
//! Each mutant must be told *at the very place* that was altered, by the loader, as a contradiction, by what the server
//! cannot enforce, or as a drift. What nobody tells must be under an entry of [`openapi_drift::NOT_COMPARED`], and each entry
//! must have been needed.
//! `raw` reads and alters the text, `mutate` and `vocabulary` say in which ways, `place` says where it must be told.
//!
//! `scripts/mutation-test` is the proof, and prints the counts; scripts/test demands it. `cargo test` alone tries one mutant
//! in [`SAMPLE`], so that it takes seconds; the variable `ALL_MUTATIONS` makes it try all.

mod mutate;
mod place;
mod raw;
mod twin;
mod vocabulary;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use openapi_contract::{Contract, Position};
use openapi_drift::{NOT_COMPARED, diff};
use serde_json::Value;

use crate::mutate::{Edit, Mutation, mutations};
use crate::raw::Raw;
use crate::twin::Twins;

/// A quarter of the proof's time would be spent in the C library's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The real contract.
const CONTRACT: &str = include_str!("../../../../openapi.yaml");

/// How many mutants stand for one another in a quick run. A prime, so that no kind of mutant is passed over.
const SAMPLE: usize = 101;

/// Whether every mutant is tried.
#[expect(clippy::disallowed_methods, reason = "a test is told how thorough to be; no setting of the server")]
fn is_thorough() -> bool {
    std::env::var_os("ALL_MUTATIONS").is_some()
}

/// All mutants, or a sample of them.
fn chosen(mutations: Vec<Mutation>) -> Vec<Mutation> {
    let step = if is_thorough() { 1 } else { SAMPLE };
    mutations.into_iter().step_by(step).collect()
}

/// Who noticed a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Loader,
    Contradiction,
    Enforcement,
    Diff,
}

struct Told {
    by: By,
    pointer: String,
    position: Position,
    said: Said,
}

/// What a message says, put in words only for the reader of a failed test.
enum Said {
    Fault(openapi_contract::LoadError),
    Drift(Box<openapi_drift::Drift>),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Fault(error) => error.fmt(f),
            Said::Drift(drift) => drift.fmt(f),
        }
    }
}

/// What the build would say of a contract, whose text is meant to say this.
fn build(text: &str, meant: &Value, generated: &Value) -> Vec<Told> {
    let fault = |by: By| {
        move |error: openapi_contract::LoadError| Told {
            by,
            pointer: error.pointer.clone(),
            position: error.position,
            said: Said::Fault(error),
        }
    };
    match Contract::load("openapi.yaml", text) {
        Err(errors) => errors.into_iter().map(fault(By::Loader)).collect(),
        Ok(contract) => {
            assert!(contract.document() == meant, "what was loaded is not what was meant");
            let mut told: Vec<_> =
                openapi_lint::contradictions(&contract).into_iter().map(fault(By::Contradiction)).collect();
            told.extend(openapi_lint::unenforceable(&contract).into_iter().map(fault(By::Enforcement)));
            told.extend(drifts(&contract, generated));
            told
        }
    }
}

fn drifts(contract: &Contract, generated: &Value) -> Vec<Told> {
    let told = |drift: openapi_drift::Drift| Told {
        by: By::Diff,
        pointer: drift.pointer.clone(),
        position: drift.position,
        said: Said::Drift(Box::new(drift)),
    };
    diff(contract, generated).into_iter().map(told).collect()
}

/// What became of a mutant.
enum Fate {
    Killed(By),
    NotCompared(usize),
    /// Nobody noticed it, or it was told at the wrong place.
    Survived(String),
}

/// How many mutants came to which end.
#[derive(Default)]
struct Tally {
    killed: BTreeMap<By, usize>,
    operators: BTreeMap<mutate::Operator, usize>,
    not_compared: BTreeMap<usize, usize>,
    survivors: Vec<String>,
}

impl Tally {
    /// Gives `fate` each mutant of the document, with its number.
    fn of(original: &Value, mutations: &[Mutation], fate: impl Fn(usize, &Mutation, &Value) -> Fate + Sync) -> Tally {
        let next = AtomicUsize::new(0);
        let work = || {
            let (mut fates, mut document) = (Vec::new(), original.clone());
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(mutation) = mutations.get(number) else { break };
                let fate = mutation.ask(&mut document, |mutant| fate(number, mutation, mutant));
                fates.push((mutation.operator, fate));
            }
            assert!(document == *original, "every mutation was undone");
            fates
        };
        let threads = thread::available_parallelism().map_or(2, usize::from);
        let fates = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().expect("no mutant makes anything panic"))
                .collect::<Vec<_>>()
        });
        let mut tally = Tally::default();
        for (operator, fate) in fates {
            match fate {
                Fate::Killed(by) => {
                    *tally.killed.entry(by).or_default() += 1;
                    *tally.operators.entry(operator).or_default() += 1;
                }
                Fate::NotCompared(entry) => *tally.not_compared.entry(entry).or_default() += 1,
                Fate::Survived(story) => tally.survivors.push(story),
            }
        }
        tally.survivors.sort();
        tally
    }

    /// Demands that every mutant was killed, but for those under each of these entries of `NOT_COMPARED`.
    fn prove(&self, entries: impl Iterator<Item = usize>) {
        assert!(self.survivors.is_empty(), "{} survivors:\n{}", self.survivors.len(), self.survivors.join("\n"));
        if !is_thorough() {
            return;
        }
        let used: Vec<_> = self.not_compared.keys().map(|entry| entry_name(*entry)).collect();
        let listed: Vec<_> = entries.map(entry_name).collect();
        assert_eq!(used, listed, "what was not compared is not what `NOT_COMPARED` says");
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

/// Every so many mutants the whole text is read again, not only what is around the edit.
const READ_WHOLE: usize = 50;

/// One mutant of the contract, from its text to what the build says of it.
fn fate_of_contract(raw: &Raw<'_>, generated: &Value, number: usize, mutation: &Mutation, value: &Value) -> Fate {
    let (text, mutant) = raw.apply(mutation);
    let (part, said) = mutant.part();
    if value.pointer(&part) != Some(&said) {
        panic!("the edit of the text is not the edit that was meant: {mutation:?}");
    }
    if number.is_multiple_of(READ_WHOLE) {
        let whole = Raw::read(&text);
        assert!(whole.value() == *value, "the edit of the text is not the edit that was meant: {mutation:?}");
        for (pointer, ..) in place::nodes(value) {
            assert_eq!(mutant.nearest(&pointer), whole.nearest(&pointer), "{pointer} after {mutation:?}");
        }
    }
    let told = build(&text, value, generated);
    let story = |what: &str| {
        let line = mutant.nearest(&mutation.pointer());
        let said: String = told.iter().take(4).map(|told| format!("\n      {}", told.said)).collect();
        Fate::Survived(format!("openapi.yaml:{:04}:{} {}: {what}{said}", line.0, line.1, mutation.brief()))
    };
    if told.is_empty() {
        return mutation.not_compared.map_or_else(|| story("nobody noticed"), Fate::NotCompared);
    }
    let is_there = |told: &&Told| (told.position.line, told.position.column) == mutant.nearest(&told.pointer);
    let places = place::places(mutation, value);
    let is_place = |told: &&Told| places.contains(&told.pointer) || place::is_inside(mutation, &told.pointer);
    // Read by eyes, a place is a line and a column.
    let altered = mutant.nearest(&mutation.pointer());
    let is_seen =
        |told: &&Told| !matches!(mutation.edit, Edit::Remove) && (told.position.line, told.position.column) == altered;
    if let Some(told) = told.iter().find(|told| is_seen(told) || is_there(told) && is_place(told)) {
        return Fate::Killed(told.by);
    }
    let mut named = place::dangling(value);
    if !named.is_empty() && matches!(mutation.edit, Edit::Remove | Edit::Set(_) | Edit::Rename(_)) {
        named.retain(|pointer| !told.iter().filter(is_there).any(|told| told.pointer == *pointer));
        if named.is_empty() {
            return Fate::Killed(told[0].by);
        }
    }
    story("told elsewhere")
}

fn generated() -> Value {
    serde_json::to_value(api::openapi()).expect("the spec can be written")
}

#[test]
fn every_mutation_of_the_contract_is_told_at_its_place() {
    let generated = generated();
    let raw = Raw::read(CONTRACT);
    let document = raw.value();
    assert!(build(CONTRACT, &document, &generated).is_empty(), "the contract and the code differ as they are");
    let mutations = chosen(mutations(&document));
    let tally = Tally::of(&document, &mutations, |number, mutation, mutant| {
        fate_of_contract(&raw, &generated, number, mutation, mutant)
    });
    println!("contract: {tally}");
    // Whatever becomes of `security: []` there, the loader has a say: it is never just left out. And a link that is put
    // there leads nowhere, which is a contradiction.
    let always_told = ["Document.security", "Components.links"];
    tally.prove((0..NOT_COMPARED.len()).filter(|entry| !always_told.contains(&entry_name(*entry).as_str())));
}

/// One mutant of the generated spec, as the contract's differ sees it.
fn fate_of_code(contract: &Contract, twins: &Twins<'_>, mutation: &Mutation, mutant: &Value) -> Fate {
    let told = drifts(contract, mutant);
    if told.is_empty() {
        let story = || Fate::Survived(format!("{}: nobody noticed", mutation.brief()));
        return mutation.not_compared.map_or_else(story, Fate::NotCompared);
    }
    let places = twins.places(mutation);
    let put = twins.put(mutation);
    let is_inside = |told: &Told| put.iter().any(|place| told.pointer.starts_with(&format!("{place}/")));
    let is_place = |told: &&Told| places.contains(&told.pointer) || is_inside(told);
    if let Some(told) = told.iter().find(is_place) {
        return Fate::Killed(told.by);
    }
    let mut named: Vec<_> = place::dangling(mutant).iter().filter_map(|pointer| twins.site(pointer)).collect();
    if !named.is_empty() {
        named.retain(|sites| !told.iter().any(|told| sites.contains(&told.pointer)));
        if named.is_empty() {
            return Fate::Killed(told[0].by);
        }
    }
    let said: String = told.iter().take(4).map(|told| format!("\n      {}", told.said)).collect();
    Fate::Survived(format!("{}: told elsewhere, not at {places:?}{said}", mutation.brief()))
}

#[test]
fn every_mutation_of_the_generated_spec_is_told_at_its_place() {
    let code = generated();
    let document = Raw::read(CONTRACT).value();
    let contract = Contract::load("openapi.yaml", CONTRACT).expect("the contract is sound");
    let twins = Twins::new(&document, &code);
    let mut mutations = mutations(&code);
    mutations.retain(|mutation| !twin::means_the_same(&code, mutation));
    let mutations = chosen(mutations);
    let tally = Tally::of(&code, &mutations, |_, mutation, mutant| fate_of_code(&contract, &twins, mutation, mutant));
    println!("generated: {tally}");
    tally.prove(0..NOT_COMPARED.len());
}
