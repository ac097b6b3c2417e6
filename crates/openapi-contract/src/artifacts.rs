//! What the server needs of a contract, prepared by the build: the documents to serve and the table of operations.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::Contract;
use crate::error::LoadError;
use crate::operation::Operation;
use crate::{openapi_3_0, pointer};

/// A contract prepared for the server, without its planned operations.
#[derive(Debug, Clone)]
pub struct Artifacts {
    /// The text of the contract.
    pub yaml: Cow<'static, str>,
    /// The contract in JSON, with members in the order of the source.
    pub json: Cow<'static, str>,
    /// Its OpenAPI 3.0.3 form, in JSON.
    pub json_3_0: Cow<'static, str>,
    /// Its operations.
    pub table: OperationTable,
}

/// The operations that the server implements, and the schemas that they refer to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationTable {
    /// In the order of the contract.
    pub operations: Vec<Operation>,
    /// `components/schemas`; `null` if the contract has none.
    schemas: Value,
}

impl Artifacts {
    /// The names of the files that the build writes, in the order of [`Artifacts::files`].
    pub const FILES: [&'static str; 4] = ["openapi.yaml", "openapi.json", "openapi-3.0.json", "operations.json"];

    /// Makes the artifacts of a contract.
    ///
    /// # Errors
    /// The errors of the contract ([`Contract::errors`]), every place that has no 3.0 form, and planned operations that
    /// cannot be removed from the text.
    pub fn of(contract: &Contract) -> Result<Artifacts, Vec<LoadError>> {
        if !contract.errors().is_empty() {
            return Err(contract.errors().to_vec());
        }
        let served = contract.without(|operation| operation.planned)?;
        Ok(Artifacts {
            yaml: served.text().to_owned().into(),
            json: served.to_json().into(),
            json_3_0: served.to_json_3_0()?.into(),
            table: OperationTable::of(&served),
        })
    }

    /// The name and content of each file.
    pub fn files(&self) -> [(&'static str, Cow<'_, str>); 4] {
        let [yaml, json, json_3_0, table] = Self::FILES;
        // A tree of strings and numbers is always JSON.
        let operations = serde_json::to_string_pretty(&self.table).unwrap_or_default();
        let [yaml_text, json_text, json_3_0_text] =
            [&self.yaml, &self.json, &self.json_3_0].map(|text| (&**text).into());
        [(yaml, yaml_text), (json, json_text), (json_3_0, json_3_0_text), (table, operations.into())]
    }

    /// The artifacts from the contents of [`Artifacts::FILES`], in their order.
    ///
    /// # Errors
    /// The last file is not an operation table.
    pub fn from_files([yaml, json, json_3_0, table]: [&'static str; 4]) -> Result<Artifacts, serde_json::Error> {
        let table = serde_json::from_str(table)?;
        Ok(Artifacts { yaml: yaml.into(), json: json.into(), json_3_0: json_3_0.into(), table })
    }
}

impl Contract {
    /// The document as OpenAPI 3.0.3 in JSON, written like [`Contract::to_json`].
    ///
    /// # Errors
    /// Every place that cannot be expressed in 3.0.
    pub fn to_json_3_0(&self) -> Result<String, Vec<LoadError>> {
        openapi_3_0::form(self).map(|document| self.to_json_of(&document))
    }
}

impl OperationTable {
    /// The scopes that an operation needs, of every operation.
    pub fn scopes(&self) -> BTreeSet<&str> {
        let requirements = self.operations.iter().flat_map(|operation| &operation.security);
        requirements.flat_map(|schemes| schemes.values().flatten()).map(String::as_str).collect()
    }

    /// The operations of a contract, without the planned ones.
    pub fn of(contract: &Contract) -> OperationTable {
        let operations = contract.operations().iter().filter(|operation| !operation.planned);
        let schemas = contract.document().pointer("/components/schemas").cloned().unwrap_or_default();
        OperationTable { operations: operations.cloned().collect(), schemas }
    }

    /// The target of `schema` if it is a reference, through further references; otherwise `schema` itself, and also if the
    /// target does not exist.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let target = |schema: &&'a Value| {
            let target = pointer::reference(schema).and_then(pointer::local)?;
            self.schemas.pointer(target.strip_prefix("/components/schemas")?)
        };
        std::iter::successors(Some(schema), target).take(pointer::MAX_HOPS + 1).last().unwrap_or(schema)
    }

    /// A JSON Schema document for `schema` in which its references to `#/components/schemas/…` resolve.
    pub fn standalone_schema(&self, schema: &Value) -> Value {
        serde_json::json!({ "allOf": [schema], "components": { "schemas": self.schemas } })
    }
}
