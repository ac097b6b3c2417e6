//! Every value that a contract shows: defaults, examples, and the values of an `enum`. Each must fit the schema that it is
//! of, or readers copy what the server refuses.
//!
//! An example that several places share may fit in some of them: then it is not the example that is wrong, but each
//! reference to it from where it does not fit.

use serde_json::{Map, Value};

use super::value::{Misfit, misfits};
use super::{Search, listed};
use openapi_contract::Kind;
use openapi_contract::equivalence::folded;
use openapi_contract::pointer::join;

impl<'a> Search<'a> {
    /// Looks at the values that one object shows.
    pub(super) fn values(&mut self, kind: Kind, owner: &'a Value, at: &str) {
        match kind {
            Kind::Schema => self.of_schema(owner, at),
            Kind::Parameter | Kind::Header | Kind::MediaType => {
                let Some(schema) = owner.get("schema") else { return };
                let is_foreign = kind == Kind::MediaType && !is_json(at);
                // In XML or as CSV, an example may be the text itself.
                let counts = |value: &Value| !(is_foreign && value.is_string());
                if let Some(value) = owner.get("example").filter(|value| counts(value)) {
                    self.holds("the example", value, join(at, "example"), schema);
                }
                for (name, listed) in owner.get("examples").and_then(Value::as_object).into_iter().flatten() {
                    let site = join(&join(at, "examples"), name);
                    let (example, here) = self.contract.follow(listed, site.clone());
                    let Some(value) = example.get("value").filter(|value| counts(value)) else { continue };
                    if here == site {
                        self.holds("the example", value, join(&here, "value"), schema);
                    } else {
                        let misfits = misfits(self.contract.document(), schema, value);
                        self.shared.entry(join(&here, "value")).or_default().push(Use { site, value, misfits });
                    }
                }
            }
            _ => {}
        }
    }

    fn of_schema(&mut self, schema: &'a Value, at: &str) {
        for (key, what) in [("default", "the default"), ("example", "the example")] {
            if let Some(value) = schema.get(key) {
                self.holds(what, value, join(at, key), schema);
            }
        }
        for (index, value) in listed(schema, "examples") {
            self.holds("the example", value, join(&join(at, "examples"), &index), schema);
        }
        let Some(members) = schema.as_object().filter(|members| members.contains_key("enum")) else { return };
        // What is listed is valid only if all the rest lets it be.
        let rest: Map<String, Value> =
            members.iter().filter(|(key, _)| *key != "enum").map(|(key, value)| (key.clone(), value.clone())).collect();
        let rest = Value::Object(rest);
        for (index, value) in listed(schema, "enum") {
            self.holds("the listed value", value, join(&join(at, "enum"), &index), &rest);
        }
    }

    fn holds(&mut self, what: &str, value: &Value, at: String, schema: &Value) {
        self.tell(what, value, &at, misfits(self.contract.document(), schema, value));
    }

    fn tell(&mut self, what: &str, value: &Value, at: &str, misfits: Vec<Misfit>) {
        for misfit in misfits {
            let part = if misfit.inside.is_empty() { Some(value) } else { value.pointer(&misfit.inside) };
            let shown = part.map(brief).unwrap_or_default();
            self.add(at.to_owned() + &misfit.inside, format!("{what} {shown} does not fit its schema: {}", misfit.why));
        }
    }

    /// Looks at the examples that several places share, once all of these are known.
    pub(super) fn shared_examples(&mut self) {
        for (at, uses) in std::mem::take(&mut self.shared) {
            let fits_somewhere = uses.iter().any(|one| one.misfits.is_empty());
            for Use { site, value, misfits } in uses {
                if !fits_somewhere {
                    self.tell("the example", value, &at, misfits);
                } else if let Some(misfit) = misfits.first() {
                    let place = self.contract.nearest_position(&(at.clone() + &misfit.inside));
                    let message = format!(
                        "this example does not fit the schema here, though it does elsewhere: {}, at {place}",
                        misfit.why
                    );
                    self.add(join(&site, "$ref"), message);
                }
            }
        }
    }
}

/// A reference to an example that is written elsewhere.
pub(super) struct Use<'a> {
    site: String,
    value: &'a Value,
    misfits: Vec<Misfit>,
}

/// Whether the media type at this place of a document is JSON.
fn is_json(at: &str) -> bool {
    let name = at.rsplit('/').next().unwrap_or_default().replace("~1", "/");
    let name = folded(Kind::MediaType, &name).into_owned();
    let name = name.split(';').next().unwrap_or_default().trim_end();
    name == "application/json" || name.ends_with("+json")
}

/// A value as it fits into a sentence.
fn brief(value: &Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
