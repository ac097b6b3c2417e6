//! The types that a schema accepts, except `null`.

use std::fmt;

use serde_json::Value;

use openapi_contract::equivalence::canonical;

/// A set of types; `number` includes `integer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const ANY: Types = Types(0b11_1111);
    pub(super) const NONE: Types = Types(0);
    pub(super) const STRING: Types = Types(0b1);
    pub(super) const BOOLEAN: Types = Types(0b10);
    pub(super) const ARRAY: Types = Types(0b100);
    pub(super) const OBJECT: Types = Types(0b1000);
    pub(super) const INTEGER: Types = Types(0b1_0000);
    pub(super) const NUMBER: Types = Types(0b11_0000);
    const NAMES: [(&'static str, u8); 6] = [
        ("string", 0b1),
        ("boolean", 0b10),
        ("array", 0b100),
        ("object", 0b1000),
        ("integer", 0b1_0000),
        ("number", 0b11_0000),
    ];

    /// The types in a `type`, except `null`.
    pub(super) fn declared(value: &Value) -> Types {
        let one = |name: &str| Types::NAMES.iter().find(|(known, _)| *known == name).map_or(0, |(_, bits)| *bits);
        Types(match value {
            Value::String(name) => one(name),
            Value::Array(names) => names.iter().filter_map(Value::as_str).fold(0, |bits, name| bits | one(name)),
            _ => Types::ANY.0,
        })
    }

    pub(super) fn of(value: &Value) -> Types {
        match value {
            Value::Null => Types::NONE,
            Value::Bool(_) => Types::BOOLEAN,
            Value::Number(_) if matches!(canonical(value), Value::Number(number) if number.is_f64()) => Types::NUMBER,
            Value::Number(_) => Types::INTEGER,
            Value::String(_) => Types::STRING,
            Value::Array(_) => Types::ARRAY,
            Value::Object(_) => Types::OBJECT,
        }
    }

    pub(super) fn both(self, other: Types) -> Types {
        Types(self.0 & other.0)
    }

    pub(super) fn either(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }

    pub(super) fn within(self, other: Types) -> bool {
        self.0 & !other.0 == 0
    }

    pub(super) fn meets(self, other: Types) -> bool {
        self.0 & other.0 != 0
    }

    /// The types of values whose text is a value of these types: written as text, every number and boolean is a string.
    pub(super) fn as_text(self) -> Types {
        if self.0 & 0b1 == 0 { self } else { Types(self.0 | 0b11_0011) }
    }

    /// Whether no value is an array or object.
    pub(super) fn is_scalar(self) -> bool {
        !self.meets(Types(Types::ARRAY.0 | Types::OBJECT.0))
    }
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Vec::new();
        for (name, bits) in Types::NAMES {
            // `number` includes `integer`.
            let included = name == "integer" && self.0 & 0b10_0000 != 0;
            if self.0 & bits == bits && !included {
                names.push(name);
            }
        }
        match *self {
            Types::ANY => f.write_str("anything"),
            Types::NONE => f.write_str("nothing"),
            _ => f.write_str(&names.join(" or ")),
        }
    }
}
