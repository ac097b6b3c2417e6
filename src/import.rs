//! `web_server import`: creates the users of a JSON file, held against the contract as those of a request are.

use std::path::Path;

use api::{
    store_error::StoreError,
    users::{NewUser, Users},
};
use openapi_contract::OperationTable;
use serde_json::Value;

use crate::validation;

/// How an import went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Users that were created.
    pub created: usize,
    /// Users that were left out, since somebody has their address.
    pub present: usize,
}

/// Creates the users of `{"users": [{"name": …, "email": …}]}`. Those whose address is there already are left as they
/// are, so an import may be repeated.
///
/// # Errors
/// The file cannot be read or breaks the contract (every violation is told, and nothing is created), or the store fails.
pub async fn import(table: &OperationTable, file: &Path, users: &dyn Users) -> Result<Imported, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| told(&error))?;
    let document = validation::parse_json(&bytes).map_err(|error| told(&error))?;
    let schema = serde_json::json!({
        "type": "object",
        "required": ["users"],
        "additionalProperties": false,
        "properties": { "users": { "type": "array", "items": { "$ref": "#/components/schemas/NewUser" } } },
    });
    let violations = validation::violations(table, &schema, &document)?;
    if !violations.is_empty() {
        return Err(violations.iter().map(|violation| told(violation)).collect::<Vec<_>>().join("\n"));
    }

    let mut imported = Imported::default();
    for user in document["users"].as_array().into_iter().flatten() {
        let new: NewUser = serde_json::from_value(Value::clone(user)).map_err(|error| told(&error))?;
        match users.create(new).await {
            Ok(_) => imported.created += 1,
            Err(StoreError::Conflict(_)) => imported.present += 1,
            Err(error) => return Err(told(&format!("after {} users: {error}", imported.created))),
        }
    }
    Ok(imported)
}
