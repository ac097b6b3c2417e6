//! The whole process: start, stop, faults on the wire, command line, contract.
#![allow(missing_docs, unreachable_pub, reason = "a test crate has no users; the names of the tests describe them")]

#[path = "../harness/mod.rs"]
#[allow(dead_code, reason = "the other test binary uses the rest")]
mod harness;

mod acknowledged_reads;
mod audit;
mod backup;
mod cache;
mod command_line;
mod configuration;
mod contract;
mod credentials;
mod database_faults;
mod durability;
mod environment;
mod example_data;
mod failover;
mod http2_attacks;
mod idle_connections;
mod import_export;
mod kill;
mod list_plans;
mod lost_connections;
mod migrations;
mod process;
mod proxy_protocol;
mod raw_requests;
mod readiness;
mod refused_uploads;
mod replicas;
mod retries;
mod rotation;
mod sqlite_files;
mod stop;
mod tls;
mod trace_export;
mod traces;
mod wal_size;
mod wire;
mod write_outcomes;
