//! The tool `contract` with the handlers linked: `cargo contract check` builds and runs it.

use std::process::ExitCode;

use contract_cli::Handlers;
use openapi_drift::{CodeSide, SourceFile};

fn main() -> ExitCode {
    // A tree of strings and numbers is always JSON.
    let spec = serde_json::to_value(api::openapi()).unwrap_or_default();
    let files = SourceFile::all_in(&api::SOURCES);
    let code = CodeSide { files: &files, by_rule: &api::with_common_responses, rules: api::COMMON_RESPONSES };
    contract_cli::run(Some(Handlers { spec: &spec, code }))
}
