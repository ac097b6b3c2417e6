//! A response, as tests read it.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A response that conforms to the contract.
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("a body in UTF-8")
    }

    /// The value of a header, if present.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header in ASCII"))
    }

    /// The locations of the violations: pointers into the body, or names of parameters. Sorted.
    pub fn places(&self) -> Vec<String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().expect("a list of violations").iter();
        let place =
            |error: &Value| error.get("pointer").or(error.get("parameter")).and_then(Value::as_str).map(str::to_owned);
        let mut places: Vec<_> = errors.map(|error| place(error).expect("a place")).collect();
        places.sort();
        places
    }
}
