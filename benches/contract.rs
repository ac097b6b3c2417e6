//! The time of the checks and documents in the build, and of the operation table at start.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use openapi_contract::{Artifacts, Contract};
use openapi_drift::CodeSide;
use web_server::{app, contract::operations::Operations};

/// The text of the contract.
const CONTRACT: &str = include_str!("../openapi.yaml");

fn benches(criterion: &mut Criterion) {
    let contract = Contract::load("openapi.yaml", CONTRACT).expect("the contract loads");
    let generated = serde_json::to_value(api::openapi()).expect("the spec is JSON");
    let code = CodeSide { by_rule: &api::with_common_responses, ..CodeSide::UNKNOWN };
    let generated = code.under_security(&contract, &generated);
    criterion.bench_function("contract/load", |bench| {
        bench.iter(|| Contract::load("openapi.yaml", black_box(CONTRACT)).expect("it loads"));
    });
    criterion.bench_function("contract/generate", |bench| bench.iter(api::openapi));
    criterion.bench_function("contract/compare", |bench| {
        bench.iter(|| assert!(openapi_drift::compare(black_box(&contract), black_box(&generated)).is_empty()));
    });
    criterion.bench_function("contract/3.0", |bench| {
        bench.iter(|| black_box(&contract).to_json_3_0().expect("it has a 3.0 form"));
    });
    // The documents, including the 3.0 form, and the operation table.
    criterion.bench_function("contract/artifacts", |bench| {
        bench.iter(|| {
            let artifacts = Artifacts::of(black_box(&contract)).expect("it has artifacts");
            artifacts.files().map(|(_, text)| text.len())
        });
    });
    criterion.bench_function("start/read", |bench| bench.iter(|| app::artifacts().expect("the table reads")));
    let table = app::artifacts().expect("the table reads").table;
    criterion.bench_function("start/compile", |bench| {
        bench.iter(|| Operations::compile(black_box(&table)).expect("it compiles"));
    });
}

criterion_group!(group, benches);
criterion_main!(group);
