//! A contract that has been read and found sound.

use serde_json::Value;

use crate::check::{Fault, Profile};
use crate::operation::{self, Operation};
use crate::source_map::{SourceMap, write_json};
use crate::yaml::{self, Read};
use crate::{LoadError, Position, check, pointer};

/// A contract that has been read and found sound: its document, its positions and its operations.
#[derive(Debug, Clone)]
pub struct Contract {
    file: String,
    text: String,
    document: Value,
    source: SourceMap,
    operations: Vec<Operation>,
    faults: Vec<LoadError>,
}

impl Contract {
    /// Reads an OpenAPI 3.1 document written in YAML.
    ///
    /// `file_name` appears in messages only; nothing is read from disk.
    ///
    /// # Errors
    /// Every fault found, in the order of the file. Text that is not YAML stops the reading where it breaks;
    /// all other faults are told together.
    pub fn load(file_name: &str, yaml: &str) -> Result<Contract, Vec<LoadError>> {
        Contract::read(file_name, yaml).and_then(Contract::sound)
    }

    /// [`Contract::load`] of a file's bytes, which may turn out not to be text at all.
    ///
    /// # Errors
    /// Those of [`Contract::load`], or the place of the first byte that is not UTF-8.
    pub fn load_bytes(file_name: &str, yaml: &[u8]) -> Result<Contract, Vec<LoadError>> {
        Contract::read_bytes(file_name, yaml).and_then(Contract::sound)
    }

    /// Reads a document as far as it can be made out: with faults, which [`Contract::faults`] tells, it can still be
    /// compared while it keeps to OpenAPI 3.1. Never to be served.
    ///
    /// # Errors
    /// Every fault found, in the order of the file, where one of them keeps the document from being compared.
    pub fn read(file_name: &str, yaml: &str) -> Result<Contract, Vec<LoadError>> {
        let Read { root, faults } = yaml::read(yaml);
        let Some((document, source)) = root else {
            return Err(located(file_name, faults));
        };
        let is_text = faults.is_empty();
        let faults = located(file_name, check::check(&document, &source, Profile::Supported, faults));
        let readable = || is_text && check::check(&document, &source, Profile::Standard, Vec::new()).is_empty();
        if !(faults.is_empty() || readable()) {
            return Err(faults);
        }
        let operations = operation::table(&document, &source);
        Ok(Contract { file: file_name.to_owned(), text: yaml.to_owned(), document, source, operations, faults })
    }

    /// [`Contract::read`] of a file's bytes.
    ///
    /// # Errors
    /// Those of [`Contract::read`], or the place of the first byte that is not UTF-8.
    pub fn read_bytes(file_name: &str, yaml: &[u8]) -> Result<Contract, Vec<LoadError>> {
        match yaml::text(yaml) {
            Ok(yaml) => Contract::read(file_name, yaml),
            Err(fault) => Err(vec![fault.of(file_name)]),
        }
    }

    fn sound(self) -> Result<Contract, Vec<LoadError>> {
        if self.faults.is_empty() { Ok(self) } else { Err(self.faults) }
    }

    /// What keeps it from being loaded, in the order of the file; nothing of a contract that was.
    pub fn faults(&self) -> &[LoadError] {
        &self.faults
    }

    /// The file name it was loaded under.
    pub fn file_name(&self) -> &str {
        &self.file
    }

    /// The text that it was loaded from.
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

    /// The operation with this `operationId`.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// What `node` stands for: itself, or what the references at its head lead to. Never a reference of the contract's
    /// own; a node from elsewhere, whose reference leads nowhere, is given back as it is.
    pub fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        self.follow(node, String::new()).0
    }

    /// A node with its references followed, and where it is written then.
    pub fn follow<'a>(&'a self, node: &'a Value, at: String) -> (&'a Value, String) {
        // No reference of the contract's own leads nowhere.
        pointer::resolve(&self.document, node, at.clone()).unwrap_or((node, at))
    }

    /// A fault of the node at `pointer`, or of its nearest ancestor where there is no such node.
    pub fn fault(&self, pointer: String, message: impl Into<String>) -> Fault {
        Fault { position: self.nearest_position(&pointer), pointer, message: message.into() }
    }

    /// `components/schemas`, which every schema of the operation table may refer to as
    /// `#/components/schemas/…`; `null` if the contract has none.
    pub fn components_schemas(&self) -> &Value {
        self.document.pointer("/components/schemas").unwrap_or(&Value::Null)
    }

    /// `schema` as a document of its own, in which `#/components/schemas/…` can be followed: what a JSON Schema
    /// validator is compiled from.
    pub fn standalone_schema(&self, schema: &Value) -> Value {
        serde_json::json!({
            "allOf": [schema],
            "components": { "schemas": self.components_schemas() },
        })
    }

    /// Faults as errors of this contract's file.
    pub fn located(&self, faults: Vec<Fault>) -> Vec<LoadError> {
        located(&self.file, faults)
    }

    /// Where the node at this JSON pointer is written: its key for a member, itself for an item.
    pub fn position(&self, pointer: &str) -> Option<Position> {
        self.source.position(pointer)
    }

    /// Where the node at this JSON pointer is written, or else its nearest ancestor that exists.
    pub fn nearest_position(&self, pointer: &str) -> Position {
        self.source.nearest(pointer)
    }

    /// Where each node is written.
    pub fn source(&self) -> &SourceMap {
        &self.source
    }

    /// The document as indented JSON that reads like the YAML: members in the order of the source.
    pub fn to_json(&self) -> String {
        self.to_json_of(&self.document)
    }

    /// `document`, made from this contract's own (say, with some operations left out), written like
    /// [`Contract::to_json`]: members known here in the order of the source, any others after them.
    pub fn to_json_of(&self, document: &Value) -> String {
        let mut json = String::new();
        write_json(document, Some(&self.source), 0, &mut json);
        json.push('\n');
        json
    }
}

/// Faults as errors of one file, in the order in which it is read, each told once however many ways led to it.
pub fn located(file: &str, faults: Vec<Fault>) -> Vec<LoadError> {
    let mut errors: Vec<_> = faults.into_iter().map(|fault| fault.of(file)).collect();
    let key = |error: &LoadError| (error.position, error.pointer.clone(), error.message.clone());
    errors.sort_by_cached_key(key);
    errors.dedup();
    errors
}
