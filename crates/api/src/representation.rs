//! A value and its JSON.

use std::{ops::Deref, sync::OnceLock};

use axum::{
    body::Bytes,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;

use crate::{problem::Problem, respond};

/// A value that several responses may contain, such as a row of a cache. Its JSON is encoded once, for the first of them.
#[derive(Debug)]
pub struct Representation<T> {
    value: T,
    json: OnceLock<Bytes>,
}

impl<T: Serialize> Representation<T> {
    /// Returns the representation of a value.
    pub fn new(value: T) -> Self {
        Self { value, json: OnceLock::new() }
    }

    /// Returns a response with the JSON of the value.
    pub(crate) fn response(&self, status: StatusCode) -> Response {
        if let Some(json) = self.json.get() {
            return respond::json_bytes(status, json.clone());
        }
        match respond::encode(&self.value) {
            Ok(json) => respond::json_bytes(status, self.json.get_or_init(|| json).clone()),
            Err(problem) => Problem::into_response(problem),
        }
    }
}

impl<T> Deref for Representation<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
