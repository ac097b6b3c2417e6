//! A loaded contract.

use serde_json::Value;

use crate::check::check;
use crate::error::{Code, Errors, LoadError, beyond_64_bits, in_order};
use crate::operation::{self, Operation};
use crate::pointer;
use crate::profile::Profile;
use crate::source_map::{Position, SourceMap, to_json};
use crate::upgrade::upgrade;
use crate::yaml::{self, Read};

/// A loaded contract: its document, the positions of its nodes and its operations.
#[derive(Debug, Clone)]
pub struct Contract {
    file: String,
    profile: Profile,
    text: String,
    document: Value,
    source: SourceMap,
    operations: Vec<Operation>,
    errors: Vec<LoadError>,
}

impl Contract {
    /// Loads an OpenAPI 3.1 document written in YAML or JSON: a text, or the bytes of a file.
    ///
    /// `file_name` appears in messages only; nothing is read from disk.
    ///
    /// # Errors
    /// Every error found, in the order of the file. Parsing stops at bytes that are not UTF-8 and at text that is not
    /// YAML; all other errors are reported together.
    pub fn load(file_name: &str, yaml: &(impl AsRef<[u8]> + ?Sized)) -> Result<Contract, Vec<LoadError>> {
        let contract = Contract::read(file_name, yaml, Profile::Supported)?;
        if contract.errors.is_empty() { Ok(contract) } else { Err(contract.errors) }
    }

    /// Loads a document to compare it, not to serve it: [`Contract::errors`] lists what is outside the profile. With
    /// [`Profile::Standard`] these are integers beyond 64 bits, and a 3.0 document is upgraded to 3.1.
    ///
    /// # Errors
    /// Every error found, in the order of the file, if one of them makes the document invalid.
    pub fn read(
        file_name: &str,
        yaml: &(impl AsRef<[u8]> + ?Sized),
        profile: Profile,
    ) -> Result<Contract, Vec<LoadError>> {
        let bytes = yaml.as_ref();
        let Read { root, mut errors } = yaml::read(file_name, bytes, profile);
        let Some((mut document, source)) = root else { return Err(in_order(errors)) };
        let is_plain_yaml = errors.is_empty();
        if profile == Profile::Standard {
            upgrade(&mut document);
        }
        errors.extend(check(file_name, &document, &source, profile));
        let is_valid = || is_plain_yaml && check(file_name, &document, &source, Profile::Standard).is_empty();
        if !(errors.is_empty() || is_valid()) {
            return Err(in_order(errors));
        }
        errors.extend(rounding(file_name, &source));
        let operations = operation::table(&document, &source);
        let (file, text) = (file_name.to_owned(), String::from_utf8_lossy(bytes).into_owned());
        Ok(Contract { file, profile, text, document, source, operations, errors: in_order(errors) })
    }

    /// A generated spec, to compare it: every position is the beginning of the file.
    pub fn from_value(file_name: &str, document: Value) -> Contract {
        let (file, source) = (file_name.to_owned(), SourceMap::at(Position::START));
        let (text, operations, errors) = (String::new(), Vec::new(), Vec::new());
        Contract { file, profile: Profile::Standard, text, document, source, operations, errors }
    }

    /// [`Contract::read`] of another text of the same file.
    ///
    /// # Errors
    /// Those of [`Contract::read`].
    pub fn with_text(&self, text: &str) -> Result<Contract, Vec<LoadError>> {
        Contract::read(&self.file, text, self.profile)
    }

    /// What the document may contain.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Why [`Contract::load`] refuses the document, in the order of the file; empty if it does not.
    pub fn errors(&self) -> &[LoadError] {
        &self.errors
    }

    /// The file name it was loaded under.
    pub fn file_name(&self) -> &str {
        &self.file
    }

    /// The text it was loaded from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole document. Member order is serde_json's; see [`Contract::to_json`] for the order of the source.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Every operation, planned ones too, in the order of the file.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The target of `node` if it is a reference, through further references; otherwise `node` itself, and also if the
    /// target does not exist, which cannot happen for a node of this contract.
    pub fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        self.follow(node, String::new()).0
    }

    /// [`Contract::resolve`] with the pointer of the result, where `at` is the pointer of `node`.
    pub fn follow<'a>(&'a self, node: &'a Value, at: String) -> (&'a Value, String) {
        pointer::resolve(&self.document, node, at.clone()).unwrap_or((node, at))
    }

    /// `info.version`; empty if there is none.
    pub fn version(&self) -> &str {
        self.document.pointer("/info/version").and_then(Value::as_str).unwrap_or_default()
    }

    /// Replaces the float at a pointer of the file. The upgrade of 3.0 may have moved it.
    pub(crate) fn set_number(&mut self, at: &str, float: f64) {
        let moved = at.replace("/minimum", "/exclusiveMinimum").replace("/maximum", "/exclusiveMaximum");
        let at = if self.document.pointer(at).is_some() { at } else { &moved };
        if let Some(number) = self.document.pointer_mut(at) {
            *number = Value::from(float);
        }
    }

    /// Collects errors of this contract.
    pub fn new_errors(&self) -> Errors<'_> {
        Errors::new(&self.file, &self.source)
    }

    /// The position of the node at this JSON pointer: of its key for a member, of the node itself for an item.
    pub fn position(&self, pointer: &str) -> Option<Position> {
        self.source.position(pointer)
    }

    /// The position of the node at this JSON pointer, or of its nearest ancestor that exists.
    pub fn nearest_position(&self, pointer: &str) -> Position {
        self.source.nearest(pointer)
    }

    /// The position of each node.
    pub fn source(&self) -> &SourceMap {
        &self.source
    }

    /// The document as indented JSON, with members in the order of the source.
    pub fn to_json(&self) -> String {
        self.to_json_of(&self.document)
    }

    /// A document derived from this contract's, written like [`Contract::to_json`], with new members last.
    pub fn to_json_of(&self, document: &Value) -> String {
        to_json(document, &self.source) + "\n"
    }
}

/// The errors about integers beyond 64 bits, which became floats.
pub(crate) fn rounding(file: &str, source: &SourceMap) -> Vec<LoadError> {
    let error = |(at, digits): (String, &str)| {
        LoadError::new(Code::Unsupported, file, source.nearest(&at), at, beyond_64_bits(digits))
    };
    source.rounded().into_iter().map(error).collect()
}
