//! The storage, one operation at a time and many at a time, on both databases with durable commits.
//!
//! PostgreSQL is the server at `BENCH_POSTGRES_URL`, or a throwaway cluster with fsync on.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use api::{
    idempotency::Origin,
    preconditions::Versions,
    users::{EmailAddress, UserInput, UserName, UserPatch, UserQuery, UserSort, Users},
};
use clap::Parser;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::try_join_all;
use tokio::runtime::Runtime;
use web_server::{app::App, cli::Cli, clock::SystemClock, config::Config, ids::UuidV7Generator};

/// The number of concurrent requests of the benches that share statements.
const CONCURRENT: usize = 64;

static NUMBER: AtomicU64 = AtomicU64::new(0);

fn new_user() -> UserInput {
    // The database may have users of an earlier run.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let email = format!("ada{}-{number}@example.com", std::process::id());
    UserInput { name: UserName("Ada Lovelace".into()), email: EmailAddress(email) }
}

fn operations(criterion: &mut Criterion, name: &str, url: &str) {
    let cli = Cli::try_parse_from(["web_server", "--database-url", url]).expect("known flags");
    let config = Config::validate(&cli.settings).expect("a valid URL");
    let runtime = Runtime::new().expect("a runtime");
    let store = runtime.block_on(async {
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(UuidV7Generator::new(clock.clone()));
        App::open(&config, clock, ids).await.expect("it opens")
    });
    let users: &dyn Users = &*store.users();
    let id = runtime.block_on(async {
        for _ in 0..200 {
            users.create(new_user(), Origin::default()).await.expect("it creates");
        }
        users.create(new_user(), Origin::default()).await.expect("it creates").value.id
    });

    let mut group = criterion.benchmark_group(format!("storage on {name}"));
    group.measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(30);
    group.bench_function("ping", |bench| {
        bench.to_async(&runtime).iter(|| async { store.ping().await.expect("a response") })
    });
    group.bench_function("get", |bench| {
        bench
            .to_async(&runtime)
            .iter(|| async { users.get(id, api::freshness::Freshness::Current).await.expect("a user") })
    });
    group.bench_function("list 50", |bench| {
        let query = UserQuery {
            limit: 50,
            cursor: None,
            sort: UserSort::CreatedAtDesc,
            email: None,
            name_prefix: None,
            created_after: None,
            created_before: None,
        };
        bench.to_async(&runtime).iter(|| async { users.list(query.clone()).await.expect("a page") });
    });
    group.bench_function("update", |bench| {
        let patch = UserPatch { name: Some(UserName("Ada King".into())), email: None };
        bench.to_async(&runtime).iter(|| async {
            users.update(id, Versions::ANY, patch.clone(), Origin::default()).await.expect("a user")
        });
    });
    group.bench_function("create", |bench| {
        bench.to_async(&runtime).iter(|| async { users.create(new_user(), Origin::default()).await.expect("a user") });
    });
    // Requests that share statements.
    group.throughput(Throughput::Elements(CONCURRENT as u64));
    group.bench_function(format!("{CONCURRENT} gets at a time"), |bench| {
        bench.to_async(&runtime).iter(|| async {
            let gets = (0..CONCURRENT).map(|_| users.get(id, api::freshness::Freshness::Current));
            try_join_all(gets).await.expect("users")
        });
    });
    group.bench_function(format!("{CONCURRENT} creates at a time"), |bench| {
        bench.to_async(&runtime).iter(|| async {
            try_join_all((0..CONCURRENT).map(|_| users.create(new_user(), Origin::default()))).await.expect("users")
        });
    });
    group.finish();
    runtime.block_on(store.close());
}

#[expect(clippy::disallowed_methods, reason = "a setting of the bench, not of the server")]
fn postgres_from_environment() -> Option<String> {
    std::env::var("BENCH_POSTGRES_URL").ok()
}

fn benches(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    operations(criterion, "SQLite", &format!("sqlite://{}", folder.path().join("bench.db").display()));

    if let Some(url) = postgres_from_environment() {
        return operations(criterion, "PostgreSQL", &url);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/throwaway-postgres");
    let mut cluster = Command::new(script)
        .arg("--durable")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the script runs");
    let mut url = String::new();
    BufReader::new(cluster.stdout.take().expect("its output")).read_line(&mut url).expect("its URL");
    if !url.trim().is_empty() {
        operations(criterion, "PostgreSQL", url.trim());
    }
    // The cluster stops at the end of its standard input.
    drop(cluster.stdin.take());
    cluster.wait().expect("the cluster ends");
}

criterion_group!(group, benches);
criterion_main!(group);
