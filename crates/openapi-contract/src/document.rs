//! Documents that are compared only: generated specs, and integers beyond 64 bits.

use std::collections::HashMap;

use serde_json::Value;

use crate::check::version;
use crate::contract::{Contract, rounding};
use crate::error::{Errors, LoadError, in_order};
use crate::profile::Profile;
use crate::upgrade::upgrade;
use crate::yaml::{self, Read};

/// Reads a generated spec, which need not be valid. A 3.0 document is upgraded to 3.1.
///
/// # Errors
/// Text that is not one YAML or JSON document, other versions of OpenAPI, and integers beyond 64 bits.
pub fn read_spec(file: &str, bytes: &[u8]) -> Result<Value, Vec<LoadError>> {
    let Read { root, mut errors } = yaml::read(file, bytes, Profile::Standard);
    let Some((mut value, source)) = root else { return Err(errors) };
    errors.extend(rounding(file, &source));
    upgrade(&mut value);
    let mut found = Errors::new(file, &source);
    version(&value, Profile::Standard, &mut found);
    errors.extend(found.in_order());
    if errors.is_empty() { Ok(value) } else { Err(in_order(errors)) }
}

/// Two documents in which different integers beyond 64 bits are different floats, if one of them has such integers: those
/// that a float cannot hold get the floats after it, in order. So a comparison finds every change of such an integer.
pub fn separated(documents: [&Contract; 2]) -> Option<[Contract; 2]> {
    let rounded = documents.map(|document| document.source().rounded());
    let float = |digits: &str| digits.parse::<f64>().unwrap_or_default();
    let mut integers: Vec<&str> = rounded.iter().flatten().map(|(_, digits)| *digits).collect();
    integers.sort_by(|a, b| {
        let by_digits = (a.len(), a).cmp(&(b.len(), b));
        let by_digits = if a.starts_with('-') { by_digits.reverse() } else { by_digits };
        float(a).total_cmp(&float(b)).then(by_digits)
    });
    integers.dedup();
    let mut last = f64::NEG_INFINITY;
    let floats: HashMap<&str, f64> = integers
        .into_iter()
        .map(|digits| {
            let nearest = float(digits);
            let is_exact = format!("{nearest:.0}") == digits;
            last = if is_exact { nearest.max(last.next_up()) } else { nearest.max(last).next_up() };
            (digits, last)
        })
        .collect();
    (!floats.is_empty()).then(|| {
        let mut separated = documents.map(Contract::clone);
        for (document, rounded) in separated.iter_mut().zip(&rounded) {
            for (at, digits) in rounded {
                document.set_number(at, floats.get(digits).copied().unwrap_or_default());
            }
        }
        separated
    })
}
