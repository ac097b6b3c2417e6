//! The users of the contract's examples, so that the requests that Swagger UI suggests succeed.

use std::error::Error;

use api::users::User;
use openapi_contract::Artifacts;
use serde_json::Value;

use crate::{
    config::Config,
    storage::{ImportedUser, Store},
};

/// The example in the contract that has them.
const USERS: &str = "/components/examples/UsersFound/value/users";

/// Whether to create them: on a first start without settings, where they cannot be among real users or seen by other machines.
pub(crate) fn is_wanted(config: &Config, store: &Store) -> bool {
    let database = &config.database;
    database.example_data && store.is_new() && database.database_url.is_default() && !config.auth.is_configured()
}

/// Creates the users. Returns their number.
///
/// # Errors
/// The contract has no such users, or the database fails.
pub async fn create(store: &Store, contract: &Artifacts) -> Result<usize, Box<dyn Error>> {
    let contract: Value = serde_json::from_str(&contract.json)?;
    let users = contract.pointer(USERS).ok_or(USERS)?;
    let users: Vec<User> = serde_json::from_value(users.clone())?;
    let users: Vec<_> = users.into_iter().map(|user| ImportedUser::Exported(User { version: 1, ..user })).collect();
    store.insert_users(&users).await?;
    Ok(users.len())
}
