//! `web_server openapi`: prints the contract.

use std::error::Error;

use super::files;
use crate::{app, cli::Form};

/// Prints the contract inside the binary in one of its forms.
///
/// # Errors
/// Standard output fails, also if its reader closes the pipe.
pub(super) fn print(form: Form) -> Result<(), Box<dyn Error>> {
    let contract = app::artifacts()?;
    let text = match form {
        Form::Yaml => contract.yaml,
        Form::Json => contract.json,
        Form::Json30 => contract.json_3_0,
    };
    Ok(files::print(text.as_bytes())?)
}
