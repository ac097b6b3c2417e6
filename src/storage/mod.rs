//! Storage: SQL on SQLite and PostgreSQL, behind the ports of `crates/api`.
//!
//! One file per resource has its statements for both databases; they are the same text wherever SQL allows. Every statement
//! of a request runs through a coalescer and `Store::read` or `Store::write`. SQLite has a pool of readers and a single writing
//! connection; PostgreSQL has one pool, and one for each replica. Only this module has SQL.

#![expect(clippy::disallowed_methods, reason = "only this module has SQL")]

mod abilities;
mod cache;
mod coalescer;
mod coalescer_errors;
mod coalescer_limits;
mod coherence;
mod connect;
mod credentials;
mod error;
mod error_kind;
mod fault_injection;
mod idempotency;
mod keys_in_flight;
mod pool_options;
mod pooler;
mod pools;
mod postgres_pool;
mod probes;
mod replica_position;
mod replicas;
mod resources;
mod retry;
mod schema;
pub mod sqlite_backup;
mod sqlite_database;
mod sqlite_files;
mod sqlite_recovery;
mod stale_connections;
mod store;
mod types;
mod upkeep;
mod users;
mod write;
mod writer;

pub use connect::{ConnectError, connect};
pub use fault_injection::FaultInjector;
pub use pools::PoolState;
pub(crate) use schema::schema_version;
pub use schema::{MigrationError, SchemaError};
pub use store::Store;
pub use users::{ImportedUser, LIST, UserImporter};
