//! The body of a request: media type, size, syntax and schema, in this order.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use api::problem::{Problem, ProblemType};
use axum::{body::Body, extract::Request};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{operations::Operation, schemas::BodySchema, strict_json, violations::refuse};
use crate::telemetry::metrics::count_shed;

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The limits of a request body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    /// The maximum size in bytes.
    pub(crate) max_bytes: usize,
    /// The maximum time to receive it.
    pub(crate) timeout: Duration,
}

/// Reads and validates the body, if the operation has one and the request has one.
///
/// # Errors
/// 415, 413, 408, 400, 422 or 503.
pub(crate) async fn read(
    operation: &Arc<Operation>,
    request: &mut Request,
    limits: BodyLimits,
) -> Result<Option<Value>, Problem> {
    let is_absent = !request.headers().contains_key(header::CONTENT_TYPE) && request.body().is_end_stream();
    if operation.bodies.is_empty() || (is_absent && !operation.body_required) {
        return Ok(None);
    }
    let max_bytes = operation.max_body_bytes.map_or(limits.max_bytes, |own| own.min(limits.max_bytes));
    let limits = BodyLimits { max_bytes, ..limits };
    let mut body = std::mem::take(request.body_mut());
    let schema = schema(operation, request.headers())?;
    let (bytes, received) = receive(request.headers(), &mut body, limits).await?;
    let value = if bytes.len() > JUDGED_AT_ONCE {
        judge_apart(operation.clone(), schema, bytes, received).await?
    } else {
        judge(&operation.bodies[schema].1, &bytes)?
    };
    Ok(Some(value))
}

/// Parses and validates a body.
fn judge(schema: &BodySchema, bytes: &[u8]) -> Result<Value, Problem> {
    let value = strict_json::parse(bytes)
        .map_err(|error| Problem::new(ProblemType::Malformed, format!("The body is not valid JSON: {error}.")))?;
    refuse(ProblemType::Validation, "Request body", schema.violations(&value))?;
    Ok(value)
}

/// One large body at a time, since it takes milliseconds.
static LARGE_BODIES: Semaphore = Semaphore::const_new(1);

/// How long a large body waits for the others.
const LARGE_BODY_WAIT: Duration = Duration::from_secs(1);

/// As [`judge`], on another thread than those of the requests.
async fn judge_apart(
    operation: Arc<Operation>,
    schema: usize,
    bytes: Vec<u8>,
    received: Received,
) -> Result<Value, Problem> {
    let Ok(Ok(permit)) = tokio::time::timeout(LARGE_BODY_WAIT, LARGE_BODIES.acquire()).await else {
        count_shed("bodies");
        return Err(Problem::unavailable(TOO_MANY));
    };
    let judged = tokio::task::spawn_blocking(move || {
        let _until_judged = (permit, received);
        judge(&operation.bodies[schema].1, &bytes)
    });
    match judged.await {
        Ok(judged) => judged,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime stops.
            Err(_) => Err(Problem::internal()),
        },
    }
}

/// Returns the place of the schema for the media type of the request.
fn schema(operation: &Operation, headers: &HeaderMap) -> Result<usize, Problem> {
    let unsupported = || {
        let supported: Vec<_> = operation.bodies.iter().map(|(media, _)| media.as_str()).collect();
        let detail = format!("Send {} in UTF-8, without a Content-Encoding.", supported.join(" or "));
        // What is supported, for programs (RFC 9110, sections 12.5.1 and 15.5.16, and RFC 5789, section 3.1).
        let name = if operation.method == "PATCH" { ACCEPT_PATCH } else { header::ACCEPT };
        let supported =
            HeaderValue::try_from(supported.join(", ")).unwrap_or(HeaderValue::from_static("application/json"));
        Problem::new(ProblemType::UnsupportedMediaType, detail).with_header(name, supported)
    };
    let codings = headers.get_all(header::CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("unknown"));
    let mut codings = codings.flat_map(|value| value.split(',')).map(str::trim);
    if codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")) {
        return Err(unsupported().with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    }
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(unsupported()) };
    // A quoted value may contain a semicolon, and a quote after a backslash (RFC 9110, section 5.6.4).
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut parts = value.to_str().map_err(|_| unsupported())?.split(|character| {
        is_quoted ^= character == '"' && !is_escaped;
        is_escaped = is_quoted && character == '\\' && !is_escaped;
        character == ';' && !is_quoted
    });
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"').replace('\\', "");
        if name.trim().eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
            return Err(unsupported());
        }
    }
    operation.bodies.iter().position(|(media, _)| *media == essence).ok_or_else(unsupported)
}

/// Receives the whole body, within its limits.
async fn receive(headers: &HeaderMap, body: &mut Body, limits: BodyLimits) -> Result<(Vec<u8>, Received), Problem> {
    let too_large = || {
        let detail = format!("The body is larger than {} bytes.", limits.max_bytes);
        Problem::new(ProblemType::ContentTooLarge, detail)
    };
    // If Content-Length exceeds the limit, no byte is read.
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.max_bytes as u64) {
        return Err(too_large());
    }
    let mut body = Limited::new(body, limits.max_bytes);
    let receive = async {
        let (mut bytes, mut received) = (Vec::new(), Received(0));
        while let Some(frame) = body.frame().await {
            let data = frame.map_err(|error| match error.is::<LengthLimitError>() {
                true => too_large(),
                false => Problem::new(ProblemType::Malformed, "The body is incomplete."),
            })?;
            if let Ok(data) = data.into_data() {
                received.add(data.len())?;
                if bytes.len() > SMALL && bytes.capacity() - bytes.len() < data.len() {
                    // Doubled, bodies could occupy twice what is counted; with the announced length, far more.
                    bytes.reserve_exact(data.len().max(bytes.len() / 4));
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok((bytes, received))
    };
    tokio::time::timeout(limits.timeout, receive).await.unwrap_or_else(|_| {
        let detail = format!("The body did not arrive within {}.", humantime::format_duration(limits.timeout));
        Err(Problem::new(ProblemType::RequestTimeout, detail))
    })
}

/// The bytes of all bodies that are being received, or wait to be judged.
static RECEIVED: AtomicUsize = AtomicUsize::new(0);

/// The maximum of these bytes. Above it, bodies larger than [`SMALL`] are refused.
const MAX_RECEIVED: usize = 32 << 20;

/// The size of a body that is always received, as that of one user: the number of connections is limited.
const SMALL: usize = 16 << 10;

/// The size of a body that is judged by the thread that received it: in less than a millisecond.
const JUDGED_AT_ONCE: usize = 64 << 10;

const TOO_MANY: &str = "Too many large request bodies are being received. Nothing was changed.";

/// The bytes of one body, until it is judged.
struct Received(usize);

impl Received {
    /// Counts received bytes.
    fn add(&mut self, bytes: usize) -> Result<(), Problem> {
        self.0 += bytes;
        if RECEIVED.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_RECEIVED && self.0 > SMALL {
            count_shed("bodies");
            return Err(Problem::unavailable(TOO_MANY));
        }
        Ok(())
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        RECEIVED.fetch_sub(self.0, Ordering::Relaxed);
    }
}
