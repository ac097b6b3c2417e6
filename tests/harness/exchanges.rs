//! Writes every exchange of the suite to the file in `TEST_EXCHANGES`, one JSON object on a line. scripts/prism-test sends them
//! through a validating proxy.

use std::{
    fs::File,
    io::Write,
    sync::{LazyLock, Mutex},
};

use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};

use super::response::Response;

#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
static FILE: LazyLock<Option<Mutex<File>>> = LazyLock::new(|| {
    let path = std::env::var_os("TEST_EXCHANGES")?;
    Some(Mutex::new(File::options().create(true).append(true).open(path).expect("a file that can be written")))
});

/// Records an exchange whose bodies are UTF-8. Others are compressed or invalid on purpose.
pub fn record(method: &Method, target: &str, headers: &HeaderMap, body: &[u8], response: &Response) {
    let Some(file) = &*FILE else { return };
    let (Ok(body), Ok(answer)) = (std::str::from_utf8(body), std::str::from_utf8(&response.body)) else { return };
    let exchange = json!({
        "method": method.as_str(), "target": target, "headers": lines(headers), "body": body,
        "status": response.status, "responseHeaders": lines(&response.headers), "responseBody": answer,
    });
    writeln!(file.lock().expect("no test panics in here"), "{exchange}").expect("the disk has space");
}

fn lines(headers: &HeaderMap) -> Vec<[Value; 2]> {
    headers
        .iter()
        .map(|(name, value)| [name.as_str().into(), String::from_utf8_lossy(value.as_bytes()).into()])
        .collect()
}
