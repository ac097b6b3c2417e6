//! The binary `contract`.

use std::process::ExitCode;

fn main() -> ExitCode {
    contract_cli::run(None)
}
