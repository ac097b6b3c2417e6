//! The fixes: edits of the contract's YAML (`contract`) and of the Rust sources (`code`).
//!
//! Contract: `contract` decides what changes, `form` converts a node of the generated spec, `yaml_edit` finds the lines,
//! `yaml_text` writes them. Code: `code` decides what changes, `attributes` edits attributes, `types` writes types and
//! fields, `operation` annotations, `skeleton` new handlers, `naming` names and values.

mod attributes;
mod code;
mod contract;
mod form;
pub(crate) mod naming;
mod operation;
mod skeleton;
mod types;
mod yaml_edit;
mod yaml_text;

pub(crate) use code::fix as code_fix;
pub(crate) use contract::fix as contract_fix;
pub(crate) use form::shape_at;
pub(crate) use operation::holder;
pub(crate) use yaml_edit::set;
