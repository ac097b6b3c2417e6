//! Random values that a schema of the contract accepts, from a fixed seed.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Map, Value, json};

use super::document::Document;

/// The number of attempts to find a value that satisfies all keywords together, such as a pattern and a length.
const ATTEMPTS: u32 = 1_000;

/// The upper bound for repetitions that a pattern leaves open.
const MAX_REPEAT: u32 = 20;

/// A generator of values.
pub struct Values<'a> {
    document: &'a Document,
    random: StdRng,
}

impl<'a> Values<'a> {
    pub fn new(document: &'a Document) -> Self {
        Self { document, random: StdRng::seed_from_u64(9) }
    }

    /// Returns a value that this schema accepts. An object has every property.
    pub fn generate(&mut self, schema: &Value) -> Value {
        let document = self.document;
        let mut candidates = (0..ATTEMPTS).map(|_| self.candidate(schema));
        let valid = candidates.find(|value| document.violations(schema, value).is_empty());
        valid.unwrap_or_else(|| panic!("no value found for {schema}: extend tests/harness/values.rs"))
    }

    /// A value that is likely to be valid.
    fn candidate(&mut self, schema: &Value) -> Value {
        let schema = self.document.resolve(schema);
        if let Some(values) = schema["enum"].as_array() {
            return values[self.random.random_range(0..values.len())].clone();
        }
        if let Some(first) = schema["oneOf"].get(0).or(schema["anyOf"].get(0)) {
            return self.generate(first);
        }
        match schema["type"].as_str() {
            Some("boolean") => Value::Bool(self.random.random()),
            Some("integer") => {
                let (step, range) = (schema["multipleOf"].as_i64().unwrap_or(1), self.range(schema));
                json!(self.random.random_range(range) / step * step)
            }
            Some("number") => json!(self.random.random_range(self.range(schema)) as f64),
            Some("array") => {
                let length = schema["minItems"].as_u64().unwrap_or(1).max(1);
                (0..length).map(|_| self.generate(&schema["items"])).collect()
            }
            Some("string") => Value::String(self.string(schema)),
            _ => {
                let properties = self.document.properties(schema).into_iter();
                let mut object: Map<_, _> =
                    properties.map(|(name, schema)| (name.clone(), self.generate(schema))).collect();
                if schema["additionalProperties"].is_object() {
                    object.insert("additional".to_owned(), self.generate(&schema["additionalProperties"]));
                }
                Value::Object(object)
            }
        }
    }

    /// Returns true half of the time.
    pub fn coin(&mut self) -> bool {
        self.random.random()
    }

    /// Returns an object that this schema accepts and of which every property differs from that of `other`, unless the
    /// schema accepts one value only.
    pub fn generate_other(&mut self, schema: &Value, other: &Value) -> Map<String, Value> {
        let properties = self.document.properties(schema).into_iter();
        let different = properties.map(|(name, schema)| {
            let mut values = (0..ATTEMPTS).map(|_| self.generate(schema));
            let first = values.next().expect("there is at least one attempt");
            let value = if other[name] == first { values.find(|value| other[name] != *value) } else { None };
            (name.clone(), value.unwrap_or(first))
        });
        different.collect()
    }

    fn range(&self, schema: &Value) -> std::ops::RangeInclusive<i64> {
        let minimum = schema["minimum"].as_f64().map(|minimum| minimum.ceil() as i64);
        let maximum = schema["maximum"].as_f64().map(|maximum| maximum.floor() as i64);
        let maximum = maximum.unwrap_or(minimum.unwrap_or(0).saturating_add(1_000_000));
        minimum.unwrap_or(maximum.min(0))..=maximum
    }

    fn string(&mut self, schema: &Value) -> String {
        let pattern = schema["pattern"].as_str().and_then(|pattern| {
            let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
            rand_regex::Regex::compile(pattern.strip_suffix('$').unwrap_or(pattern), MAX_REPEAT).ok()
        });
        match pattern {
            // A pattern alone seldom yields a valid date.
            Some(pattern) if schema.get("format").is_none() || self.random.random() => self.random.sample(&pattern),
            _ => self.formatted(schema),
        }
    }

    /// A string of the schema's format, or letters of a length that it accepts.
    fn formatted(&mut self, schema: &Value) -> String {
        let letters: String = {
            let minimum = schema["minLength"].as_u64().unwrap_or(1).max(1);
            let maximum = schema["maxLength"].as_u64().unwrap_or(minimum + 20);
            let length = self.random.random_range(minimum..=maximum.max(minimum));
            (0..length).map(|_| self.random.random_range('a'..='z')).collect()
        };
        let time = chrono::DateTime::from_timestamp_micros(self.random.random_range(0..4_000_000_000_000_000));
        let time = time.expect("before the year 2100");
        match schema["format"].as_str() {
            Some("uuid") => uuid::Builder::from_random_bytes(self.random.random()).into_uuid().to_string(),
            Some("date-time") => time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            Some("date") => time.date_naive().to_string(),
            Some("email") => format!("{letters}@example.com"),
            Some("uri") => format!("https://example.com/{letters}"),
            _ => letters,
        }
    }
}
