//! Any text is a contract or a list of errors with positions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openapi_contract::Contract;

fuzz_target!(|text: &str| {
    match Contract::load("openapi.yaml", text) {
        Ok(contract) => assert_eq!(contract.text(), text),
        Err(errors) => assert!(!errors.is_empty()),
    }
});
