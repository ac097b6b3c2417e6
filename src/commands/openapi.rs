//! `web_server openapi`: prints the contract.

use crate::{
    app::{self, StartError},
    cli::Form,
};

/// Prints the contract inside the binary in one of its forms.
pub(super) fn print(form: Form) -> Result<(), StartError> {
    let contract = app::artifacts()?;
    match form {
        Form::Yaml => print!("{}", contract.yaml),
        Form::Json => print!("{}", contract.json),
        Form::Json30 => print!("{}", contract.json_3_0),
    }
    Ok(())
}
