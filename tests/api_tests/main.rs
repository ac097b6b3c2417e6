//! The API over HTTP, on both databases.
#![allow(missing_docs, unreachable_pub, reason = "a test crate has no users; the names of the tests describe them")]

#[path = "../harness/mod.rs"]
mod harness;

mod access_tokens;
mod another_contract;
mod authentication;
mod changes;
mod common_responses;
mod documents;
mod examples;
mod health;
mod idempotency;
mod list_filters;
mod methods_and_headers;
mod open_metrics;
mod pages;
mod preconditions;
mod problems;
mod proxies;
mod rate_limit;
mod round_trip;
mod several_users;
mod users;
mod valid_requests;
mod validation;
mod whole_contract;
