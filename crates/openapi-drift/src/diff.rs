//! Where the code strayed from the contract: one [`Drift`] per place, all of them, always.
//!
//! The contract is written by hand, the other side is the spec that utoipa generates from the handlers. Structure is
//! compared exactly, after both sides are read for what they *mean*: references are followed, so that `$ref` against
//! equal inline is nothing; defaults are filled in; `same` says which values are alike. Every keyword counts, known to
//! the grammar or not, unless [`NOT_COMPARED`] names it.
//!
//! `document` brings the operations of both sides together, `walk` compares everything below them and `drift` says what
//! it found. `reach` finds the schemas that no operation uses: they are compared by name, since nobody passes them on the
//! way.

mod attribution;
mod collect;
mod counterpart;
mod document;
mod drift;
mod same;
mod walk;

use serde_json::Value;

pub(crate) use collect::owner as who;
pub use drift::{Drift, DriftKind, Followed};
pub(crate) use same::{is_default, only_part};

use openapi_contract::{Contract, Kind};

/// A keyword that [`diff()`] does not compare.
#[derive(Debug, Clone, Copy)]
pub struct NotCompared {
    /// The kind of object on which it stands; `None` for every kind.
    pub on: Option<Kind>,
    /// The keyword. `x-*` stands for every key that starts with `x-`.
    pub key: &'static str,
    /// Why a difference in it is no drift.
    pub why: &'static str,
}

/// Everything that [`diff()`] does not compare.
///
/// Keywords only: a *property*, header or response that happens to have such a name is structure and is compared.
///
/// Of the components that no operation uses, schemas are compared, by name: utoipa can list them too.
pub const NOT_COMPARED: &[NotCompared] = &[
    skip(None, "description", "prose: the contract is its only home"),
    skip(None, "summary", "prose: the contract is its only home"),
    skip(None, "title", "prose: the contract is its only home"),
    skip(None, "example", "prose: shows a value, restricts none"),
    skip(None, "examples", "prose: shows values, restricts none"),
    skip(None, "externalDocs", "prose: the contract is its only home"),
    skip(None, "servers", "prose: where the API is found is not the code's to say"),
    skip(None, "x-*", "contract only: drives the server; the loader checks each of them"),
    skip(Some(Kind::Document), "openapi", "the loader holds it to 3.1, and no patch release changes structure"),
    skip(Some(Kind::Document), "info", "prose: the contract is its only home"),
    skip(Some(Kind::Document), "tags", "prose about tags; the tags of each operation are compared"),
    skip(Some(Kind::Document), "security", "contract only: drives the server, the code never repeats it"),
    skip(Some(Kind::Operation), "security", "contract only: drives the server, the code never repeats it"),
    skip(Some(Kind::Operation), "deprecated", "contract only: drives the server, the code never repeats it"),
    skip(Some(Kind::Response), "links", "contract only: tells clients how operations follow each other"),
    skip(Some(Kind::Components), "links", "contract only: tells clients how operations follow each other"),
    skip(Some(Kind::Components), "responses", UNUSED),
    skip(Some(Kind::Components), "parameters", UNUSED),
    skip(Some(Kind::Components), "requestBodies", UNUSED),
    skip(Some(Kind::Components), "headers", UNUSED),
    skip(Some(Kind::Components), "pathItems", UNUSED),
    skip(Some(Kind::Components), "securitySchemes", "contract only: drives the server, the code never repeats it"),
    skip(Some(Kind::Header), "required", "utoipa cannot say it; the tests hold the server's answers to it"),
];

const UNUSED: &str = "compared where an operation uses it; one that none uses says nothing, and utoipa cannot list it";

const fn skip(on: Option<Kind>, key: &'static str, why: &'static str) -> NotCompared {
    NotCompared { on, key, why }
}

/// Whether this is that name. Most are not, and their first letter tells without a call: this is asked of every member of
/// both documents, against every entry of a table.
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

/// Whether a node of the contract and one of the code mean the same; either may be a reference.
pub(crate) fn means_the_same(contract: &Value, code: &Value, kind: Kind, ours: &Value, theirs: &Value) -> bool {
    walk::Walk::new(contract, code).finds_nothing(kind, ours, theirs)
}

/// [`means_the_same`], where components of one name are taken for the same.
pub(crate) fn means_the_same_by_name(contract: &Value, code: &Value, kind: Kind, ours: &Value, theirs: &Value) -> bool {
    walk::Walk::new(contract, code).by_name().finds_nothing(kind, ours, theirs)
}

/// A drift, as far as another may be the same: where the contract has it, and what the code says there.
pub(crate) type Stray = (String, Option<String>);

/// Where a node of the contract and one of the code differ, in the manner of [`means_the_same_by_name`]; `None` if either
/// leads nowhere.
pub(crate) fn strays_by_name(
    contract: &Value,
    code: &Value,
    kind: Kind,
    ours: &Value,
    theirs: &Value,
) -> Option<Vec<Stray>> {
    let found = walk::Walk::new(contract, code).by_name().tried(kind, ours, theirs)?;
    let findings = found.pairs.found().iter().map(|one| &one.finding);
    Some(findings.map(|one| (one.pointer.clone(), one.code.as_ref().map(Value::to_string))).collect())
}

/// Every drift between a contract and the spec generated from the code, in the order of the contract.
///
/// Operations that the contract calls planned are left out, unless the code has them already. A node that one side
/// lacks is one drift, however much is inside it. A fault in a component is told once, with every place that shows it. What
/// only follows from one of [`Contract::faults`] is left out.
pub fn diff(contract: &Contract, generated: &Value) -> Vec<Drift> {
    let mut drifts = walk::Walk::new(contract.document(), generated).drifts(contract);
    drifts.retain(|drift| !contract.faults().iter().any(|fault| fault.covers(&drift.pointer)));
    drifts
}
