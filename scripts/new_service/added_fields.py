"""Adds the fields of a service to the sources of `users`, before these are renamed."""

import json
import re
import textwrap

from fields import TEXT, variant
from source import Source

MODEL = "crates/api/src/resources/users/model.rs"
STORAGE = "src/storage/users"


def add_fields(root, key, extras):
    for change in (contract, model, migrations):
        change(root, key, extras)
    if extras:
        for change in (handlers, rows, creates, writes, probes, imports, timestamps, benches):
            change(root, extras)
        (root / STORAGE / "details.rs").write_text(details(extras))
        with Source(root, f"{STORAGE}/mod.rs") as source:
            # Before the modules that use its macros. `concat!` does not find imported ones in the macros that it expands.
            source.replace("mod changes;\n", "#[macro_use]\nmod details;\n\nmod changes;\n")


def contract(root, key, extras):
    required = "".join(f", {field.name}" for field in extras if not field.optional)
    with Source(root, "openapi.yaml") as source:
        source.sub(r"(?s)^    EmailAddress:\n.*?\n\n", schema("EmailAddress", key).replace("\\", "\\\\"))
        properties = "".join(property_(field) for field in extras)
        source.after("        email: { $ref: '#/components/schemas/EmailAddress' }\n", properties, 3)
        source.replace("required: [id, name, email, ", f"required: [id, name, email{required}, ")
        source.replace("required: [name, email]", f"required: [name, email{required}]")
        members = [field for field in extras if not field.optional]
        source.sub(
            r"^( +(?:- )?)(name: [^\n]*\n +)email: (\w+)@example.com\n",
            lambda match: f"{match[1]}{match[2]}email: {match[3]}\n"
            + "".join(f"{' ' * len(match[1])}{field.name}: {yaml_sample(field)}\n" for field in members),
        )
        source.sub(r"\b(\w+)@example\.com", r"\1")
        source.replace("unique. Addresses that", "unique. E-mail addresses that")
        source.replace("summary: The address is", "summary: The e-mail address is")
        source.replace("It has no personal data of the user.", "It has no value that a client sent.")
        if extras:
            source.replace("Replaces the name and the e-mail address of", "Replaces the properties of")
            source.replace("If both values are\n", "If all values are\n")
        schemas = "".join(schema(f"User{field.pascal}", field) for field in extras if field.has_schema)
        source.replace("    UserList:\n      type: object\n", f"{schemas}    UserList:\n      type: object\n")


def yaml_sample(field):
    return f"'{field.sample}'" if field.type in ("date-time", "string") else field.sample


def property_(field):
    if field.has_schema:
        return f"        {field.name}: {{ $ref: '#/components/schemas/User{field.pascal}' }}\n"
    form = {"boolean": "type: boolean", "date-time": "type: string, format: date-time"}[field.type]
    return f"        {field.name}: {{ {form}, description: {field.description} }}\n"


def schema(name, field):
    unique = " It is unique regardless of the case of ASCII letters." if field.unique else ""
    lines = ["type: " + {"integer": "integer", "enum": "string"}.get(field.type, "string")]
    lines.append(f"description: {field.description}{unique}")
    if field.type == "integer":
        lines += ["format: int64", f"minimum: {field.least}", f"maximum: {field.greatest}"]
    elif field.type == "enum":
        lines.append(f"enum: [{', '.join(field.values)}]")
    else:
        lines += [f"minLength: {field.least}", f"maxLength: {field.greatest}", f"pattern: '{TEXT}'"]
        lines.append("x-pattern-description: must not contain control characters")
    lines.append(f"example: {'ada' if field.unique else yaml_sample(field)}")
    return f"    {name}:\n" + textwrap.indent("\n".join(lines), "      ") + "\n\n"


def rust_schema(name, field):
    text = f"/// {field.description}\n"
    derived = "Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema"
    if field.type == "enum":
        variants = "".join(f"    /// `{value}`\n    {variant(value)},\n" for value in field.values)
        return f'{text}#[derive({derived})]\n#[serde(rename_all = "snake_case")]\npub enum {name} {{\n{variants}}}\n\n'
    if field.type == "integer":
        least, greatest = (f"{bound}{'' if abs(bound) < 2**31 else '_i64'}" for bound in (field.least, field.greatest))
        attribute, inner = f"#[schema(minimum = {least}, maximum = {greatest})]", "i64"
    else:
        bounds = f'min_length = {field.least}, max_length = {field.greatest}, pattern = r"{TEXT}"'
        attribute, inner = f"#[schema({bounds})]", "String"
    return f"{text}#[derive({derived})]\n{attribute}\npub struct {name}(pub {inner});\n\n"


def model(root, key, extras):
    with Source(root, MODEL) as source:
        key_schema = rust_schema("EmailAddress", key).replace("\\", "\\\\")
        source.sub(r"(?s)/// An e-mail address, as sent\..*?pub struct EmailAddress\(pub String\);\n\n", key_schema)
        if not extras:
            return
        stored = sent = patched = ""
        for field in extras:
            absent = "    #[schema(nullable = false)]\n"
            doc = f"    /// {field.description}\n"
            whole = f"    pub {field.name}: {field.rust_type},\n"
            optional = f"    pub {field.name}: Option<{field.rust_type}>,\n"
            skipped = '    #[serde(skip_serializing_if = "Option::is_none")]\n'
            stored += doc + (skipped + absent + optional if field.optional else whole)
            sent += doc + (absent + optional if field.optional else whole)
            patched += doc + absent + optional
        patched += "    /// Whether optional members without a value are removed, as by PUT.\n    #[serde(skip)]\n    pub is_whole: bool,\n"
        source.replace("    /// The time of creation.\n", f"{stored}    /// The time of creation.\n")
        source.after("    /// See [`User::email`].\n    pub email: EmailAddress,\n", sent)
        source.replace("    pub email: Option<EmailAddress>,\n}", f"    pub email: Option<EmailAddress>,\n{patched}}}")
        source.replace(
            "/// A stored user.\n",
            "".join(rust_schema(f"User{field.pascal}", field) for field in extras if field.has_schema)
            + "/// A stored user.\n",
        )
    with Source(root, "crates/api/src/resources/users/mod.rs") as source:
        source.after("EmailAddress, ", "".join(f"{name}, " for name in types(extras)))


def handlers(root, extras):
    with Source(root, "crates/api/src/resources/users/handlers.rs") as source:
        members = "".join(
            f", {field.name}: " + (f"new.{field.name}" if field.optional else f"Some(new.{field.name})")
            for field in extras
        )
        source.after("email: Some(new.email)", f"{members}, is_whole: true")


def migrations(root, _, extras):
    if not extras:
        return
    for database in ("sqlite", "postgres"):
        with Source(root, f"migrations/{database}/20261122000001_create_users.sql") as source:
            columns = "".join(f",\n    {field.column(database)}" for field in extras)
            source.sub(r"(    updated_at [^\n]*)", lambda match: match[1] + columns)
    for path in ("20261126000003_record_user_changes.sql", "20261127000001_record_callers.sql"):
        with Source(root, f"migrations/sqlite/{path}") as source:
            for row in ("OLD", "NEW"):
                source.after(f"{row}.email, ", "".join(f"{row}.{field.name}, " for field in extras))


def after_each(extras):
    """The names, each after a comma."""
    return "".join(f", {field.name}" for field in extras)


def use_types(source, used, extras):
    """Imports the types of the fields beside those that a file uses."""
    source.replace(f"users::{{{used}}}", f"users::{{{', '.join([used] + types(extras))}}}")


def types(extras):
    return [f"User{field.pascal}" for field in extras if field.has_schema]


def rows(root, extras):
    texts = "".join(
        f" + self.{field.name}" + (".as_ref().map_or(0, |text| text.0.len())" if field.optional else ".0.len()")
        for field in extras
        if field.type == "string"
    )
    with Source(root, f"{STORAGE}/row.rs") as source:
        source.after("id, name, email, version, created_at, updated_at", after_each(extras), 2)
        source.after("String, String, i64, Micros, Micros", "".join(f", {field.row_type}" for field in extras))
        source.after("updated_at: updated_at.0, version", "".join(f", {field.decoded}" for field in extras))
        source.replace("self.email.0.len()) + 180", f"self.email.0.len(){texts}) + {180 + 24 * len(extras)}")
        use_types(source, "EmailAddress, User, UserName", extras)
        if any(field.type == "enum" for field in extras):
            source.replace("use crate::storage::{", "use super::details::Word;\nuse crate::storage::{")


def creates(root, extras):
    names = after_each(extras)
    with Source(root, f"{STORAGE}/creates.rs") as source:
        source.replace("updated_at, changed_by) \\\n", 'updated_at, changed_by, ", detail_columns!(), ") \\\n', 2)
        source.after("txid_current() || ' ' || caller", ', ", detail_values!(postgres, "details"), "')
        source.after("'1 ' || (value ->> 5)", ', ", detail_values!(sqlite, "(value -> 6)"), "')
        source.after("$4::text[], $5::text[]", ", $6::text[]")
        source.after("email_key, caller", ", details")
        source.after(".bind(keys).bind(callers)", ".bind(details)")
        source.after(
            "let callers: Vec<_> = users.iter().map(|user| user.caller.as_deref()).collect();\n",
            "let details: Vec<_> = users.iter().map(|user| of_input(&user.new).to_string()).collect();\n",
        )
        source.replace("UserInput { name, email } = &user.new;", "UserInput { name, email, .. } = &user.new;")
        source.after("timestamp_micros(), user.caller", ", of_input(&user.new)")
        source.replace("UserInput { name, email } = user", f"UserInput {{ name, email{names} }} = user")
        source.after("updated_at: time, version: 1", names)
        source.replace("use super::{changes::LATEST_CHANGE, ", "use super::{changes::LATEST_CHANGE, details::of_input, ")


def writes(root, extras):
    with Source(root, f"{STORAGE}/writes.rs") as source:
        # The macros get the database, and the parameter.
        source.replace("    ($name:literal, $email:literal", "    ($database:ident, $details:literal, $name:literal, $email:literal", 2)
        source.replace("is_unchanged!($name", "is_unchanged!($database, $details, $name", 3)
        source.replace("    ($mark:literal) => {", "    ($database:ident, $mark:literal) => {", 2)
        source.replace('set!("$2"', 'set!($database, "$9::text", "$2"')
        source.replace('set!("new_name"', 'set!($database, "new_details", "new_name"')
        for macro in ("update", "update_many"):
            source.replace(f'{macro}!("txid_current()")', f'{macro}!(postgres, "txid_current()")')
            source.replace(f'{macro}!("(version + 1)")', f'{macro}!(sqlite, "(version + 1)")')
        source.replace('$email, ", email)")', '$email, ", email) AND ", are_unchanged!($database, $details))')
        source.after('", email_key), ', '", set_details!($database, $details), ", ')
        source.after("$7::bool[], $8::text[]", ", $9::text[]")
        source.after("listed, are_excluded, caller", ", new_details")
        source.after("value ->> 7 AS caller", ", value -> 8 AS new_details")
        source.after(
            "let callers: Vec<_> = updates.iter().map(|update| update.caller.as_deref()).collect();\n",
            "let details: Vec<_> = updates.iter().map(|update| of_patch(&update.patch).to_string()).collect();\n",
        )
        source.after(".bind(are_excluded).bind(callers)", ".bind(details)")
        source.after("are_excluded, update.caller", ", of_patch(&update.patch)")
        source.after(".bind(update.caller.as_deref())\n", ".bind(of_patch(&update.patch).to_string())\n")
        source.sub(r"^use super::(row::\{[^}]*\});", r"use super::{details::of_patch, \1};")


def probes(root, extras):
    with Source(root, f"{STORAGE}/probes.rs") as source:
        source.after("UserName(name.clone()), email", "".join(f", {field.name}: {field.probe}" for field in extras))
        source.after("email: None", ", ..UserPatch::default()")
        use_types(source, "EmailAddress, UserInput, UserName, UserPatch", [field for field in extras if not field.optional])


def imports(root, extras):
    with Source(root, f"{STORAGE}/imports.rs") as source:
        source.after("updated_at timestamptz", ", details text")
        head = '"INSERT INTO users (id, name, email, email_key, version, created_at, updated_at'
        source.replace(f"= {head}", f'= concat!({head}, ", detail_columns!(), "', 2)
        source.after("COALESCE(updated_at, at)", ', ", detail_values!(postgres, "details"), "')
        source.after("value ->> 5, value ->> 6", ', ", detail_values!(sqlite, "(value -> 7)"), "')
        source.replace('RETURNING id, email_key";', 'RETURNING id, email_key");', 2)
        source.replace("version, created_at, updated_at])", "version, created_at, updated_at, self.details()])")
        source.after("{created_at}\\t{updated_at}", "\\t{details}")
        source.replace(
            "        let id = self.id;\n",
            "        let (id, details) = (self.id, self.details().to_string());\n        let details = escaped(&details);\n",
        )
        source.replace(
            "    /// The name, the version, and the times",
            """    /// The further members.
    fn details(&self) -> serde_json::Value {
        match self.user {
            ImportedUser::New(new) => of_input(new),
            ImportedUser::Exported(user) => of_user(user),
        }
    }

    /// The name, the version, and the times""",
        )
        source.replace("::changes::LATEST_CHANGE;", "::{changes::LATEST_CHANGE, details::{of_input, of_user}};")
    for path in ("src/cli.rs", "docs/operation.md"):
        with Source(root, path) as source:
            source.after('"email": …', "".join(f', "{field.name}": …' for field in extras if not field.optional))
    with Source(root, "src/commands/import/users.rs") as source:
        members = "".join(
            f"    {field.name}: " + (f"Option<{field.rust_type}>" if field.optional else field.rust_type) + ",\n"
            for field in extras
        )
        source.after("    email: EmailAddress,\n", members)
        source.after("email, created_at, updated_at, version", after_each(extras), 2)
        use_types(source, "EmailAddress, User, UserInput, UserName", extras)


def timestamps(root, extras):
    """A time that a client sets is stored with microseconds and without leap seconds."""
    if not any(field.type == "date-time" for field in extras):
        return
    with Source(root, "crates/api/src/timestamp.rs") as source:
        source.after("#[schema(value_type = String, format = DateTime)]\n", '#[serde(from = "DateTime<Utc>")]\n')
        source.replace(
            "impl Serialize for Timestamp",
            """/// As the databases store what a client sends: a leap second is in the next second.
impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self::new(DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time))
    }
}

impl Serialize for Timestamp""",
        )


def benches(root, extras):
    """The benchmarks make requests in Rust."""
    values = "".join(
        f", {field.name}: "
        + field.probe.replace("User", "api::users::User").replace(
            "store.clock.now()", "api::timestamp::Timestamp::new(Default::default())"
        )
        for field in extras
    )
    with Source(root, "benches/json.rs") as source:
        source.replace("        created_at: time,\n", "        created_at: time" + values + ",\n")
    with Source(root, "benches/store.rs") as source:
        source.after("email: EmailAddress(email)", values)
        source.replace("email: None }", "email: None, ..UserPatch::default() }")


def details(extras):
    """The module `details`: the further members between Rust and SQL."""
    columns = ", ".join(field.name for field in extras)

    def arms(expression, separator):
        result = ""
        for database in ("postgres", "sqlite"):
            result += f"    ({database}, $details:literal) => {{\n        concat!(\n"
            for number, field in enumerate(extras):
                text = expression(field, database) + (separator if number + 1 < len(extras) else "")
                parts = ("$details" if part == "\0" else json.dumps(part) for part in re.split("(\0)", text) if part)
                result += f"            {', '.join(parts)},\n"
            result += "        )\n    };\n"
        return result

    def is_set(field, database):
        test = "(\0)::jsonb ? '{}'" if database == "postgres" else "json_type(\0, '$.{}') IS NOT NULL"
        return test.format(field.name)

    def members(value, patch=False):
        lines = ""
        for field in extras:
            if field.optional or patch:
                write = field.written("value")
                source = f"{value}.{field.name}.as_ref()" + ("" if write == "value" else f".map(|value| {write})")
            else:
                source = field.written(f"{value}.{field.name}")
            lines += f'        "{field.name}": {source},\n'
        return lines

    optional = ", ".join(f'"{field.name}"' for field in extras if field.optional)
    keeps = (
        f"patch.is_whole && [{optional}].contains(&name.as_str()) || !value.is_null()"
        if optional
        else "!value.is_null()"
    )
    keep_name = "name" if optional else "_"
    enums = any(field.type == "enum" for field in extras)
    word = """
/// A value of an enumeration, which is stored as text.
#[derive(Debug)]
pub(super) struct Word<T>(pub(super) T);

impl<D: Database, T> Type<D> for Word<T>
where
    String: Type<D>,
{
    fn type_info() -> D::TypeInfo {
        String::type_info()
    }

    fn compatible(other: &D::TypeInfo) -> bool {
        String::compatible(other)
    }
}

impl<'r, D: Database, T: DeserializeOwned> Decode<'r, D> for Word<T>
where
    String: Decode<'r, D>,
{
    fn decode(value: D::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let text = <String as Decode<'r, D>>::decode(value)?;
        Ok(Self(serde_json::from_value(Value::String(text))?))
    }
}
"""
    uses = "use serde::de::DeserializeOwned;\n" if enums else ""
    uses += "use serde_json::{Value, json};\n"
    uses += "use sqlx::{Database, Decode, Type, error::BoxDynError};\n" if enums else ""
    return f"""//! The members of a user beside its name and its email. A statement has them in one JSON parameter, with times in microseconds
//! since 1970; each has a column of its own type.

use api::users::{{User, UserInput, UserPatch}};
{uses}
/// Their columns.
macro_rules! detail_columns {{
    () => {{ {json.dumps(columns)} }};
}}

/// Their values in a JSON parameter.
#[rustfmt::skip]
macro_rules! detail_values {{
{arms(lambda field, database: field.extracted(database, chr(0)), ", ")}}}

/// Sets those that the JSON parameter has.
#[rustfmt::skip]
macro_rules! set_details {{
{arms(lambda field, database: f"{field.name} = CASE WHEN {is_set(field, database)} THEN {field.extracted(database, chr(0))} ELSE {field.name} END", ", ")}}}

/// Whether a row has the values that the JSON parameter has.
#[rustfmt::skip]
macro_rules! are_unchanged {{
{arms(lambda field, database: f"(NOT ({is_set(field, database)}) OR {field.name} IS NOT DISTINCT FROM {field.extracted(database, chr(0))})", " AND ")}}}

pub(super) fn of_input(new: &UserInput) -> Value {{
    json!({{
{members("new")}    }})
}}

pub(super) fn of_user(user: &User) -> Value {{
    json!({{
{members("user")}    }})
}}

/// Those that the patch has: null removes a value.
pub(super) fn of_patch(patch: &UserPatch) -> Value {{
    let mut details = json!({{
{members("patch", patch=True)}    }});
    if let Some(members) = details.as_object_mut() {{
        members.retain(|{keep_name}, value| {keeps});
    }}
    details
}}
{word if enums else ""}"""
