//! The keywords that are not compared, each with its reason.

use openapi_contract::Kind;

/// A keyword that [`crate::compare()`] does not compare.
#[derive(Debug, Clone, Copy)]
pub struct NotCompared {
    /// The kind of object that has it; `None` for every kind.
    pub on: Option<Kind>,
    /// The keyword. `x-*` stands for every key that starts with `x-`.
    pub key: &'static str,
    /// Why a difference in it is no drift.
    pub why: &'static str,
}

/// Everything that [`crate::compare()`] does not compare.
///
/// Keywords only: a *property*, header or response that happens to have such a name is structure and is compared.
///
/// Of the components that no operation uses, schemas are compared, by name: utoipa can list them too.
pub const NOT_COMPARED: &[NotCompared] = &[
    skip(None, "description", "prose: written in the contract only"),
    skip(None, "summary", "prose: written in the contract only"),
    skip(None, "title", "prose: written in the contract only"),
    skip(None, "example", "prose: shows a value, restricts none"),
    skip(None, "examples", "prose: shows values, restricts none"),
    skip(None, "externalDocs", "prose: written in the contract only"),
    skip(None, "servers", "prose: the address of the API is not part of the code"),
    skip(None, "x-*", "contract only: controls the server; the loader checks each of them"),
    skip(Some(Kind::Document), "openapi", "the loader requires 3.1, and no patch release changes structure"),
    skip(Some(Kind::Document), "info", "prose: written in the contract only"),
    skip(Some(Kind::Document), "tags", "prose about tags; the tags of each operation are compared"),
    skip(Some(Kind::Document), "security", "contract only: controls the server, the code does not repeat it"),
    skip(Some(Kind::Operation), "security", "contract only: controls the server, the code does not repeat it"),
    skip(Some(Kind::Operation), "deprecated", "contract only: controls the server, the code does not repeat it"),
    skip(Some(Kind::Response), "links", "contract only: describes to clients how operations follow each other"),
    skip(Some(Kind::Components), "links", "contract only: describes to clients how operations follow each other"),
    skip(Some(Kind::Components), "responses", UNUSED),
    skip(Some(Kind::Components), "parameters", UNUSED),
    skip(Some(Kind::Components), "requestBodies", UNUSED),
    skip(Some(Kind::Components), "headers", UNUSED),
    skip(Some(Kind::Components), "pathItems", UNUSED),
    skip(Some(Kind::Components), "securitySchemes", "contract only: controls the server, the code does not repeat it"),
    skip(Some(Kind::Header), "required", "utoipa cannot express it; the tests check it on the server's responses"),
];

const UNUSED: &str = "compared where an operation uses it; an unused one has no effect, and utoipa cannot list it";

const fn skip(on: Option<Kind>, key: &'static str, why: &'static str) -> NotCompared {
    NotCompared { on, key, why }
}

/// Whether the key is this name. The first letter is compared before the call: this runs for every member of both
/// documents, against every entry of a table.
fn same_name(key: &str, name: &[u8]) -> bool {
    key.len() == name.len() && key.as_bytes().first() == name.first() && key.as_bytes() == name
}

/// Whether this keyword of this kind of object is left out.
pub(crate) fn not_compared(kind: Kind, key: &str) -> bool {
    NOT_COMPARED.iter().any(|rule| {
        rule.on.is_none_or(|on| on == kind)
            && match rule.key.as_bytes() {
                [prefix @ .., b'*'] => key.as_bytes().starts_with(prefix),
                name => same_name(key, name),
            }
    })
}
