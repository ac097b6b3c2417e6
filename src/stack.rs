//! Every layer, in order, with a why each. No other file layers the app.
//!
//! A request passes from the top of [`build`]'s list to the bottom, its answer back up. axum runs layers after it has
//! matched a route, so each of them may ask which operation this is; a request that matches nothing passes the same
//! layers on its way to the fallback.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use api::problem::{Kind, Problem};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header, uri::Authority};
use http_body::Body as _;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, Predicate, predicate::SizeAbove},
    cors::{AllowOrigin, Any, CorsLayer},
};
use tracing::Instrument;

use crate::{
    access_log::AccessRecord,
    config::{Cors, HttpConfig},
    docs::{self, Documents},
    metrics,
    operations::{self, Operation, Operations},
    rate_limit::RateLimiter,
    readiness::Drain,
    source::Source,
    validation::{self, BodyLimits},
};

/// What the stack is built of.
pub struct Stack {
    /// The operations that are answered.
    pub routes: Router,
    /// Their contract, compiled.
    pub operations: Arc<Operations>,
    /// The documents to serve, if any.
    pub documents: Option<Documents>,
    /// Gives the ids of requests.
    pub source: Arc<dyn Source>,
    /// Says when the server is about to stop.
    pub drain: Drain,
    /// Limits, hosts and origins.
    pub config: HttpConfig,
}

/// The address of the other end of the connection, which [`crate::server`] puts into every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// What the layers know of a request.
#[derive(Clone)]
struct RequestInfo {
    id: HeaderValue,
    operation: Option<Arc<Operation>>,
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Since when an operation is deprecated (RFC 9745).
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// When an operation goes away (RFC 8594).
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// The whole app: operations, documents and layers.
#[expect(clippy::disallowed_methods, reason = "this is the one place that layers the app")]
pub fn build(stack: Stack) -> Router {
    let Stack { routes, operations, documents, source, drain, config } = stack;
    for operation in operations.iter().filter(|operation| operation.deprecation.is_some()) {
        metrics::expect_deprecated(&operation.id);
    }
    let account = Account { operations: operations.clone(), source, drain };
    let door = Door { operations: operations.clone(), hosts: config.allowed_hosts, cors: config.cors != Cors::Off };
    let gate = Gate {
        limiter: config.rate_limit.map(RateLimiter::new),
        body: BodyLimits { max_bytes: config.max_body_bytes, timeout: config.body_timeout },
        deadline: config.request_timeout,
    };

    // A layer of axum's copies all that is below it for every request, so steps that stand side by side share one.
    let layers = ServiceBuilder::new()
        // Outermost: everything below, every log line and every problem speaks of the request by its id; every answer is
        // seen as it is sent, those that any layer below gives early included.
        .layer(from_fn_with_state(Arc::new(account), account_for))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(1024).and(has_no_etag)))
        // Host, before anything is said to a page that has pointed its own name at this address; plain OPTIONS, before CORS
        // would take it for a preflight.
        .layer(from_fn_with_state(Arc::new(door), open_door))
        // Outside all that may refuse a request, or a browser's script could not read why.
        .option_layer(cors(&config.cors))
        // Inside the layers that count and log, so that a panic is counted and logged as the 500 that it is.
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
        // The rate limit, before anything that costs more than a look at the address; the contract; and innermost the
        // deadline, which counts the server's own time, not the time that the client takes to send a body.
        .layer(from_fn_with_state(Arc::new(gate), pass_gate));

    routes
        .merge(documents.map(docs::routes).unwrap_or_default())
        .fallback(|| async { Problem::new(Kind::NotFound, "There is nothing at this path.") })
        .method_not_allowed_fallback(move |path: Option<MatchedPath>| {
            let response = method_not_allowed(&operations, path.as_ref());
            async { response }
        })
        .layer(layers)
}

// ---- Identity, access log, span and metrics -------------------------------------------------------------------------

/// What names a request and accounts for it.
struct Account {
    operations: Arc<Operations>,
    source: Arc<dyn Source>,
    drain: Drain,
}

/// Gives the request its id, its operation and its span, and every answer, whoever gives it, the headers of all answers;
/// writes the access log.
async fn account_for(State(account): State<Arc<Account>>, mut request: Request, next: Next) -> Response {
    let info = account.identify(&request);
    let mut record = AccessRecord::new(&request, &info.id, info.operation.clone());
    // HTTP/2 has a frame for goodbye, which hyper sends; the header would be an error there (RFC 9113, section 8.2.2).
    let has_connection_header = request.version() < Version::HTTP_2;
    let id = info.id.clone();
    let leaving = info.operation.clone().filter(|operation| operation.is_leaving());
    keep_gzip_alone(request.headers_mut());
    request.extensions_mut().insert(info);

    let span = record.span();
    let mut response = next.run(request).instrument(span).await;

    let headers = response.headers_mut();
    secure(headers);
    headers.insert(X_REQUEST_ID, id);
    if let Some(operation) = leaving {
        deprecate(&operation, headers);
    }
    // While the server drains, every answer asks the client to come back on another connection.
    if has_connection_header && account.drain.started() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    record.answered(response.status(), response.body().size_hint().exact());
    response
}

impl Account {
    fn identify(&self, request: &Request) -> RequestInfo {
        let id = sent_id(request.headers()).unwrap_or_else(|| {
            // A UUID is a header value.
            let mut text = uuid::Uuid::encode_buffer();
            let text = self.source.new_id().hyphenated().encode_lower(&mut text);
            HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
        });
        let path = request.extensions().get::<MatchedPath>();
        let operation = path.and_then(|path| self.operations.find(request.method(), path.as_str())).cloned();
        RequestInfo { id, operation }
    }
}

/// The client's own id, if it is one that the contract allows to be sent back.
fn sent_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(X_REQUEST_ID)?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.as_bytes().iter().all(allowed)).then(|| id.clone())
}

fn info(request: &Request) -> Option<&RequestInfo> {
    request.extensions().get()
}

// ---- Headers --------------------------------------------------------------------------------------------------------

/// What a browser may do with an answer: nothing but read it. Documents that need more say so themselves.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 8] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    ),
    // Users are personal data: no cache keeps them unless a handler says otherwise.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

fn secure(headers: &mut HeaderMap) {
    // With room for those that the layers above add.
    headers.reserve(2 * SECURITY_HEADERS.len());
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(value);
    }
}

/// Tells the clients of an operation that is to go, and counts how often it is still called.
fn deprecate(operation: &Operation, headers: &mut HeaderMap) {
    if let Some(deprecation) = &operation.deprecation {
        metrics::record_deprecated(&operation.id);
        headers.insert(DEPRECATION, deprecation.clone());
    }
    if let Some(sunset) = &operation.sunset {
        headers.insert(SUNSET, sunset.clone());
    }
}

fn cors(cors: &Cors) -> Option<CorsLayer> {
    let origin = match cors {
        Cors::Off => return None,
        Cors::AnyOrigin => AllowOrigin::any(),
        Cors::Origins(origins) => AllowOrigin::list(origins.iter().cloned()),
    };
    let layer = CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(Any)
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::LINK,
            header::RETRY_AFTER,
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
            DEPRECATION,
            SUNSET,
            X_REQUEST_ID,
        ])
        .max_age(Duration::from_secs(60 * 60));
    Some(layer)
}

// ---- Compression ----------------------------------------------------------------------------------------------------

/// Leaves `gzip` or nothing in `Accept-Encoding`. The layer below knows gzip alone, and would answer a client that excludes
/// everything else with 406, after the handler has run.
fn keep_gzip_alone(headers: &mut HeaderMap) {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let gzip = values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    });
    if gzip {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    } else {
        headers.remove(header::ACCEPT_ENCODING);
    }
}

/// A strong validator names bytes: what carries one is sent as those bytes (RFC 9110, section 8.8.3).
fn has_no_etag(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(header::ETAG)
}

// ---- Methods --------------------------------------------------------------------------------------------------------

/// Answers a plain OPTIONS with the methods of the path, or of the server (RFC 9110, section 9.3.7). A preflight goes on to
/// CORS where that is on.
async fn options(door: &Door, request: Request, next: Next) -> Response {
    if request.method() != Method::OPTIONS {
        return next.run(request).await;
    }
    if request.uri().path() == "*" {
        let all = operations::allow(&["GET", "POST", "PUT", "PATCH", "DELETE"]);
        return (StatusCode::NO_CONTENT, [(header::ALLOW, all)]).into_response();
    }
    let Some(path) = request.extensions().get::<MatchedPath>() else { return next.run(request).await };
    let allow = allow(&door.operations, path);
    let preflight = request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if preflight && door.cors {
        let mut response = next.run(request).await;
        // Or axum adds the methods that it knows of.
        response.headers_mut().insert(header::ALLOW, allow);
        return response;
    }
    (StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response()
}

/// A path that is routed but not in the contract is a document: those are read only.
fn allow(operations: &Operations, path: &MatchedPath) -> HeaderValue {
    operations.allow(path.as_str()).cloned().unwrap_or_else(|| operations::allow(&["GET"]))
}

fn method_not_allowed(operations: &Operations, path: Option<&MatchedPath>) -> Response {
    let mut response = Problem::new(Kind::MethodNotAllowed, "This path does not have this method.").into_response();
    if let Some(path) = path {
        response.headers_mut().insert(header::ALLOW, allow(operations, path));
    }
    response
}

// ---- Problems -------------------------------------------------------------------------------------------------------

/// What hyper lets through in a path though it may not stand in a URI reference (RFC 3986, section 3.3).
const NOT_IN_A_URI: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Writes into a problem what the place that raised it could not know.
fn complete_problem(mut response: Response, path: &str, id: Option<&HeaderValue>) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    if closes_connection(parts.status) {
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let instance = utf8_percent_encode(path, NOT_IN_A_URI).to_string();
    (parts, problem.complete(&instance, id).to_json()).into_response()
}

/// After these the rest of a body may still be on its way, and nothing after it can be told from it.
fn closes_connection(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE)
}

// ---- Door -----------------------------------------------------------------------------------------------------------

/// What is looked at before the request is let in.
struct Door {
    operations: Arc<Operations>,
    hosts: Vec<String>,
    cors: bool,
}

async fn open_door(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let id = info(&request).map(|info| info.id.clone());
    let response = match check_host(&door.hosts, &request) {
        Ok(()) => options(&door, request, next).await,
        Err(problem) => problem.into_response(),
    };
    complete_problem(response, uri.path(), id.as_ref())
}

// ---- Host -----------------------------------------------------------------------------------------------------------

/// Refuses a request that names no host (RFC 9112, section 3.2), more than one, or one that is not ours: a page that
/// points its own name at this address (DNS rebinding) must not reach the API.
fn check_host(allowed: &[String], request: &Request) -> Result<(), Problem> {
    let malformed = |detail: &'static str| Problem::new(Kind::Malformed, detail);
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let authority = match (hosts.next(), hosts.next(), request.uri().authority()) {
        (_, Some(_), _) => return Err(malformed("The request names more than one host.")),
        // HTTP/2 names it in the target (RFC 9113, section 8.3.1); so may HTTP/1.1, but never instead of the header.
        (None, None, None) if request.version() < Version::HTTP_11 => None,
        (None, None, _) if request.version() == Version::HTTP_11 => {
            return Err(malformed("The request names no host."));
        }
        (_, None, Some(authority)) => Some(authority.clone()),
        (Some(host), None, None) => {
            Some(Authority::try_from(host.as_bytes()).map_err(|_| malformed("The Host header is not a host."))?)
        }
        (None, None, None) => return Err(malformed("The request names no host.")),
    };
    if authority.as_ref().is_some_and(|authority| !is_host(authority)) {
        return Err(malformed("The Host header is not a host."));
    }
    // Orchestrators know an instance by its address, and what a probe is told is of no use to an attacker.
    let probe = info(request).and_then(|info| info.operation.as_ref()).is_some_and(|operation| operation.probe);
    if allowed.is_empty() || probe {
        return Ok(());
    }
    let host = authority.as_ref().map(|authority| authority.host().to_ascii_lowercase()).unwrap_or_default();
    if !allowed.contains(&host) {
        return Err(Problem::new(Kind::MisdirectedRequest, "This server does not answer for this host."));
    }
    Ok(())
}

/// A host with or without a port: no user, and a port that is one.
fn is_host(authority: &Authority) -> bool {
    let text = authority.as_str();
    let after_host = text.get(authority.host().len()..).unwrap_or("@");
    after_host.is_empty() || after_host == ":" || authority.port_u16().is_some_and(|_| !text.contains('@'))
}

// ---- Rate limit, contract and deadline ------------------------------------------------------------------------------

/// What stands between a request and its handler.
struct Gate {
    limiter: Option<RateLimiter>,
    body: BodyLimits,
    deadline: Duration,
}

async fn pass_gate(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let Some((limiter, peer)) = gate.limit(&request) else { return gate.pass(request, next).await };
    let quotum = limiter.check(peer.ip());
    let mut response = match quotum.retry_after {
        None => gate.pass(request, next).await,
        Some(seconds) => Problem::new(Kind::TooManyRequests, format!("Wait {seconds} s before you try again."))
            .with_retry_after(seconds)
            .into_response(),
    };
    limiter.write_headers(quotum, response.headers_mut());
    response
}

impl Gate {
    /// Against whose limit the request counts, if the contract says that the operation has one.
    fn limit(&self, request: &Request) -> Option<(&RateLimiter, SocketAddr)> {
        let limiter = self.limiter.as_ref()?;
        let Peer(peer) = request.extensions().get::<Peer>()?;
        info(request)?.operation.as_ref()?.limited.then_some((limiter, *peer))
    }

    /// Holds the request against the contract; documents have nothing to be held against.
    async fn pass(&self, request: Request, next: Next) -> Response {
        let Some(operation) = info(&request).and_then(|info| info.operation.clone()) else {
            return deadline(self.deadline, request, next).await;
        };
        match validation::validate(&operation, request, self.body).await {
            Ok(request) => deadline(self.deadline, request, next).await,
            Err(problem) => problem.into_response(),
        }
    }
}

/// Answers 503 when the time is over.
///
/// A request that may change something runs in a task of its own: when the time is over, or the client hangs up, it
/// goes on to its end, so that no write is cut in the middle.
async fn deadline(limit: Duration, request: Request, next: Next) -> Response {
    let safe = request.method().is_safe();
    let work = next.run(request).instrument(tracing::debug_span!("handler"));
    let answer = if safe {
        tokio::time::timeout(limit, work).await.ok()
    } else {
        let task = tokio::spawn(work.in_current_span());
        match tokio::time::timeout(limit, task).await {
            Ok(Ok(response)) => Some(response),
            Ok(Err(error)) => match error.try_into_panic() {
                // The panic guard is above, in the task that waits.
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => None,
            },
            Err(_) => None,
        }
    };
    answer.unwrap_or_else(|| {
        let unknown = if safe { "" } else { " Whether it was done is not known: look before you try again." };
        let detail = format!("There was no answer within {}.{unknown}", humantime::format_duration(limit));
        Problem::unavailable(detail).into_response()
    })
}
