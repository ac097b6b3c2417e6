//! The API through HTTP, on both databases. Each file tells one story.
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "nothing here is used from outside; tests are named after what they show"
)]

#[path = "../harness/mod.rs"]
mod harness;

mod another_contract;
mod common_responses;
mod documents;
mod health;
mod methods_and_headers;
mod pages;
mod problems;
mod rate_limit;
mod round_trip;
mod users;
mod validation;
mod whole_contract;
