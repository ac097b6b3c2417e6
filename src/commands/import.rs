//! `web_server import`: creates users from a JSON file, with the validation of `POST /users`.

use std::path::Path;

use api::{
    store_error::StoreError,
    users::{NewUser, Users},
};
use openapi_contract::OperationTable;
use serde_json::Value;

use crate::contract::{strict_json, violations};

/// The result of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Imported {
    /// The number of created users.
    pub(super) created: usize,
    /// The number of users that were skipped, since another user has the address.
    pub(super) skipped: usize,
}

/// Creates the users of `{"users": [{"name": …, "email": …}]}`. Users whose address exists are skipped, so an import can
/// be repeated.
///
/// # Errors
/// The file cannot be read, or it has violations of the contract: then no user is created. Or the store fails.
pub(super) async fn import(table: &OperationTable, file: &Path, users: &dyn Users) -> Result<Imported, String> {
    let in_file = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| in_file(&error))?;
    let document = strict_json::parse(&bytes).map_err(|error| in_file(&error))?;
    let schema = serde_json::json!({
        "type": "object",
        "required": ["users"],
        "additionalProperties": false,
        "properties": { "users": { "type": "array", "items": { "$ref": "#/components/schemas/NewUser" } } },
    });
    let violations = violations::of_schema(table, &schema, &document)?;
    if !violations.is_empty() {
        return Err(violations.iter().map(|violation| in_file(violation)).collect::<Vec<_>>().join("\n"));
    }

    let mut imported = Imported::default();
    for user in document["users"].as_array().into_iter().flatten() {
        let new: NewUser = serde_json::from_value(Value::clone(user)).map_err(|error| in_file(&error))?;
        match users.create(new, None).await {
            Ok(_) => imported.created += 1,
            Err(StoreError::Conflict(_)) => imported.skipped += 1,
            Err(error) => return Err(in_file(&format!("{error}, after {} users were created", imported.created))),
        }
    }
    Ok(imported)
}
