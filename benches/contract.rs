//! What the build pays for the check, and the start for the contract: loading, comparing and compiling it.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use contract::Contract;
use criterion::{Criterion, criterion_group, criterion_main};
use web_server::{CONTRACT, operations::Operations};

fn benches(criterion: &mut Criterion) {
    let contract = Contract::load("openapi.yaml", CONTRACT).expect("the contract loads");
    let generated = serde_json::to_value(api::openapi()).expect("the spec is JSON");
    criterion.bench_function("contract/load", |bench| {
        bench.iter(|| Contract::load("openapi.yaml", black_box(CONTRACT)).expect("it loads"));
    });
    criterion.bench_function("contract/generate", |bench| bench.iter(api::openapi));
    criterion.bench_function("contract/diff", |bench| {
        bench.iter(|| assert!(contract::diff(black_box(&contract), black_box(&generated)).is_empty()));
    });
    criterion.bench_function("contract/compile", |bench| {
        bench.iter(|| Operations::compile(black_box(&contract)).expect("it compiles"));
    });
}

criterion_group!(group, benches);
criterion_main!(group);
