//! The spelling of names, values and keywords in Rust, serde and utoipa.

use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

use crate::fix::SourceFile;
use openapi_contract::equivalence;

/// The keywords that utoipa has an attribute for, in the order in which new attributes list them.
const KEYWORDS: [(&str, &str); 14] = [
    ("minimum", "minimum"),
    ("maximum", "maximum"),
    ("multipleOf", "multiple_of"),
    ("minLength", "min_length"),
    ("maxLength", "max_length"),
    ("pattern", "pattern"),
    ("minItems", "min_items"),
    ("maxItems", "max_items"),
    ("minProperties", "min_properties"),
    ("maxProperties", "max_properties"),
    ("default", "default"),
    ("readOnly", "read_only"),
    ("writeOnly", "write_only"),
    ("deprecated", "deprecated"),
];

/// utoipa's attribute for a keyword.
pub(crate) fn attribute_of(keyword: &str) -> Option<&'static str> {
    KEYWORDS.iter().find(|(key, _)| *key == keyword).map(|(_, name)| *name)
}

/// `attribute = value` of a keyword; flags stand alone.
pub(crate) fn attribute(keyword: &str, value: &Value) -> Option<String> {
    let name = attribute_of(keyword)?;
    let count = keyword.starts_with("min") || keyword.starts_with("max");
    let value = match equivalence::whole(value) {
        // `1e2` is a float in Rust.
        Some(whole) if count && !value.is_string() => whole.to_string(),
        _ => literal(value),
    };
    Some(match value.as_str() {
        "true" if keyword != "default" => name.to_owned(),
        _ => format!("{name} = {value}"),
    })
}

pub(crate) fn bounds(schema: &Value) -> Vec<String> {
    KEYWORDS.iter().filter_map(|(key, _)| attribute(key, schema.get(*key)?)).collect()
}

/// A value as Rust writes it: a raw string where there is a backslash.
pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains(['\\', '"']) && !text.chars().any(char::is_control) => {
            let mut hashes = String::new();
            while text.contains(&format!("\"{hashes}")) {
                hashes.push('#');
            }
            format!("r{hashes}\"{text}\"{hashes}")
        }
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) | Value::Object(_) => format!("json!({value})"),
        other => other.to_string(),
    }
}

/// The description of a schema as a doc comment, or a reference to the contract.
pub(crate) fn docs(schema: &Value, otherwise: &str, indent: &str) -> String {
    let prose =
        ["description", "summary"].iter().find_map(|key| schema.get(*key)).and_then(Value::as_str).unwrap_or(otherwise);
    let lines = prose.trim().lines().map(|line| format!("{indent}/// {}", line.trim()).trim_end().to_owned() + "\n");
    lines.collect()
}

/// `next_cursor` and `merge-patch` as `NextCursor` and `MergePatch`.
pub(crate) fn pascal(name: &str) -> String {
    // The sort key `-created_at` differs from `created_at`.
    let sign = if name.starts_with('-') { "Minus" } else { "" };
    let name = sign.to_owned() + &name.to_upper_camel_case();
    let mut names = [name.clone(), format!("V{name}")].into_iter();
    names.find(|one| is_ident(one)).unwrap_or_else(|| "Value".to_owned())
}

/// A name that is valid for a field. `self` and `crate` are not valid as raw identifiers either.
pub(crate) fn ident(name: &str) -> String {
    let ident = name.to_snake_case();
    let mut names = [ident.clone(), format!("r#{ident}"), format!("{ident}_"), format!("_{ident}")].into_iter();
    names.find(|one| is_ident(one)).unwrap_or_else(|| "value".to_owned())
}

/// Whether this is an identifier and no keyword. `gen` is one since the edition 2024, which syn does not know.
pub(crate) fn is_ident(name: &str) -> bool {
    name != "gen" && syn::parse_str::<syn::Ident>(name).is_ok()
}

/// Names that generated code uses: its own, and that of the derive macros.
const USED: &str = "AsRef Box Clone Copy Debug Default Deserialize Eq Err From Into IntoParams Iterator None Ok Option PartialEq Result \
                    Self Serialize Some String ToOwned ToSchema ToString Uuid Vec";

/// Whether a new type can have this name.
pub(crate) fn is_type(name: &str) -> bool {
    is_ident(name) && name.starts_with(char::is_uppercase) && USED.split(' ').all(|used| used != name)
}

/// Adds a name, with a number if there is such a name already.
pub(crate) fn distinct(names: &mut Vec<String>, name: String) -> String {
    let mut numbered = (2..).map(|number| format!("{name}{number}"));
    let free = if names.contains(&name) { numbered.find(|one| !names.contains(one)) } else { None }.unwrap_or(name);
    names.push(free.clone());
    free
}

/// Whether a file contains this word outside of comments.
pub(crate) fn uses(file: &SourceFile, name: &str) -> bool {
    let code = file.text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split(|one: char| !one.is_alphanumeric() && one != '_')).any(|word| word == name)
}

/// The path of the module in a file.
pub(crate) fn module(path: &str) -> String {
    let inside = path.rsplit_once("src/").map_or(path, |(_, inside)| inside);
    let inside = inside.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    if inside == "lib" || inside == "main" { "crate".to_owned() } else { format!("crate::{inside}") }
}
