//! Validates an item against the contract's schemas and decodes it.

use api::{
    problem::{Violation, ViolationCode},
    timestamp::Timestamp,
    users::{EmailAddress, User, UserInput, UserName},
};
use chrono::{DateTime, Utc};
use openapi_contract::OperationTable;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::{Uuid, Variant};

use crate::{
    contract::{schemas::BodySchema, strict_json, violations::MAX_VIOLATIONS},
    ids::micros_of,
    storage::ImportedUser,
};

/// How far the time in an id may be from `created_at`, as for the filters of `GET /users`.
const ID_DIFFERENCE: u64 = 1_000_000;

/// A number of changes that no user has, and after which there is room for more.
const MAX_VERSION: i64 = 1 << 53;

/// The form in which `export` writes a time, and its description. The contract has only the format, because generated clients
/// would compare the pattern with their own form of a time.
const TIME: [&str; 2] = [
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$",
    "must be a time in UTC with six decimals, such as 2026-11-22T09:30:00.123456Z",
];

/// The schemas of an item.
pub(super) struct Schemas {
    new: BodySchema,
    exported: BodySchema,
}

/// A user as `export` writes it.
#[derive(Deserialize)]
struct ExportedUser {
    id: Uuid,
    name: UserName,
    email: EmailAddress,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl Schemas {
    /// Compiles the schemas: `UserInput`, and `User` with its version and without unknown members.
    pub(super) fn compile(table: &OperationTable) -> Result<Self, String> {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let user = reference("User");
        let mut exported = table.resolve(&user).clone();
        exported["additionalProperties"] = false.into();
        exported["properties"]["version"] = json!({ "type": "integer", "minimum": 1, "maximum": MAX_VERSION });
        for member in ["created_at", "updated_at"] {
            let [pattern, description] = TIME;
            exported["properties"][member]["pattern"] = pattern.into();
            exported["properties"][member]["x-pattern-description"] = description.into();
        }
        if let Some(required) = exported["required"].as_array_mut() {
            required.push("version".into());
        }
        let new = BodySchema::compile(table, &reference("UserInput"))?;
        Ok(Self { new, exported: BodySchema::compile(table, &exported)? })
    }

    /// Returns the user of an item, or every violation. An item with an `id` is one that was exported. `now` is the time of the
    /// database.
    pub(super) fn parse(&self, text: &[u8], now: DateTime<Utc>) -> Result<ImportedUser, Vec<Violation>> {
        let value = strict_json::parse(text).map_err(|error| whole(format!("not valid JSON: {error}")))?;
        let is_exported = value.get("id").is_some();
        let schema = if is_exported { &self.exported } else { &self.new };
        let mut found = schema.violations(&value);
        if !found.is_empty() {
            found.truncate(MAX_VIOLATIONS);
            return Err(found);
        }
        if !is_exported {
            return decode::<UserInput>(value).map(ImportedUser::New);
        }
        let user: ExportedUser = decode(value)?;
        let found = contradictions(&user, now);
        if !found.is_empty() {
            return Err(found);
        }
        let ExportedUser { id, name, email, created_at, updated_at, version } = user;
        let (created_at, updated_at) = (without_leap_second(created_at), without_leap_second(updated_at));
        Ok(ImportedUser::Exported(User { id, name, email, created_at, updated_at, version }))
    }
}

fn whole(detail: String) -> Vec<Violation> {
    vec![Violation::at_pointer("", ViolationCode::Invalid, detail)]
}

fn decode<T: DeserializeOwned>(value: Value) -> Result<T, Vec<Violation>> {
    serde_json::from_value(value).map_err(|error| whole(error.to_string()))
}

/// The databases have no leap seconds: such a time is in the next second.
fn without_leap_second(time: DateTime<Utc>) -> Timestamp {
    Timestamp::new(DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time))
}

/// What the schema cannot express: the server gives no user such values.
fn contradictions(user: &ExportedUser, now: DateTime<Utc>) -> Vec<Violation> {
    let created = user.created_at.timestamp_micros();
    let has_time_of_creation = user.id.get_version_num() == 7
        && user.id.get_variant() == Variant::RFC4122
        && created > 0
        && micros_of(user.id).abs_diff(created) < ID_DIFFERENCE;
    [
        (!has_time_of_creation, "/id", "is not a UUID of version 7 whose time is created_at"),
        (user.created_at > now, "/created_at", "is in the future"),
        (user.updated_at > now, "/updated_at", "is in the future"),
        (user.updated_at < user.created_at, "/updated_at", "is before created_at"),
    ]
    .into_iter()
    .filter(|(is_violated, ..)| *is_violated)
    .map(|(_, pointer, detail)| Violation::at_pointer(pointer, ViolationCode::Invalid, detail))
    .collect()
}
