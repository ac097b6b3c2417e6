//! Bodies: serialization of responses and decoding of a request. benches/router.rs includes the validation.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use api::{
    timestamp::Timestamp,
    users::{EmailAddress, User, UserInput, UserList, UserName},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;
use uuid::Uuid;

fn user(number: u128) -> User {
    let time = Timestamp::new("2026-11-22T09:30:00.123456Z".parse().expect("a time"));
    User {
        id: Uuid::from_u128(number),
        name: UserName("Ada Lovelace".into()),
        email: EmailAddress(format!("ada{number}@example.com")),
        created_at: time,
        updated_at: time,
        version: 1,
    }
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json");
    for count in [1, 20, 100] {
        let page = UserList { users: (0..count).map(user).collect(), next_cursor: Some(Uuid::max()) };
        let bytes = serde_json::to_vec(&page).expect("JSON").len();
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("serialize a page of {count}"), |bench| {
            bench.iter(|| serde_json::to_vec(black_box(&page)).expect("JSON"));
        });
    }
    let body = br#"{"name":"Ada Lovelace","email":"ada@example.com"}"#;
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("decode a new user", |bench| {
        bench.iter(|| serde_json::from_slice::<UserInput>(black_box(body)).expect("a user"));
    });
    // As a request is decoded: its schema is validated in between.
    group.bench_function("decode a new user by way of a value", |bench| {
        bench.iter(|| {
            let value: Value = serde_json::from_slice(black_box(body)).expect("JSON");
            serde_json::from_value::<UserInput>(value).expect("a user")
        });
    });
    group.finish();
}

criterion_group!(group, benches);
criterion_main!(group);
