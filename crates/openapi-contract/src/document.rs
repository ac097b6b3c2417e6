//! Documents to compare: any OpenAPI 3.0 or 3.1 document in one file.

use serde_json::Value;

use crate::check::check;
use crate::error::{LoadError, in_order};
use crate::profile::Profile;
use crate::source_map::SourceMap;
use crate::upgrade::upgrade;
use crate::yaml::{self, Read};

/// Reads a document of [`Profile::Standard`] and the positions of its nodes. A 3.0 document is returned as 3.1, with
/// the positions of the file.
///
/// # Errors
/// Text that is not one YAML or JSON document, documents that are not valid OpenAPI 3.0 or 3.1, and references to other
/// files: the document must be bundled first.
pub fn read(file: &str, bytes: &[u8]) -> Result<(Value, SourceMap), Vec<LoadError>> {
    let text = yaml::text(file, bytes).map_err(|error| vec![error])?;
    let Read { root, mut errors } = yaml::read(file, text, Profile::Standard);
    let Some((mut document, source)) = root else { return Err(in_order(errors)) };
    upgrade(&mut document);
    errors.extend(check(file, &document, &source, Profile::Standard));
    if errors.is_empty() { Ok((document, source)) } else { Err(in_order(errors)) }
}
