//! The documents: the contract in YAML, in JSON and as OpenAPI 3.0, Swagger UI, and a page for each kind of problem.
//!
//! They are ready bytes with an `ETag`, made once. Their routes are the only ones that the contract does not hold.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::Write,
    sync::{Arc, LazyLock, OnceLock},
};

use api::problem::{Kind, Problem};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use openapi_contract::Artifacts;

/// What a page may do: Swagger UI needs its own files, images as data, and calls to this server. No inline script or
/// style runs, and no other origin is asked.
const UI_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The files of Swagger UI that its page loads.
const UI_FILES: [&str; 8] = [
    "index.html",
    "index.css",
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
    "favicon-16x16.png",
    "favicon-32x32.png",
];

/// Swagger UI does not depend on the configuration, so one copy serves every server in the process.
static UI: LazyLock<HashMap<&'static str, Document>> = LazyLock::new(load_ui);

/// The documents of one server.
#[derive(Clone)]
pub struct Documents {
    yaml: Document,
    json: Document,
    json_3_0: Document,
}

/// Ready bytes, as they are and compressed: two representations, each with its own validator.
#[derive(Clone)]
struct Document {
    media_type: HeaderValue,
    plain: Representation,
    /// Made when it is first asked for.
    gzip: Arc<OnceLock<Representation>>,
}

#[derive(Clone)]
struct Representation {
    bytes: Bytes,
    etag: HeaderValue,
}

impl Documents {
    /// The documents of a contract.
    pub fn new(contract: &Artifacts) -> Self {
        let document = |text: &Cow<'static, str>, media_type| match text {
            Cow::Borrowed(text) => Document::new(Bytes::from_static(text.as_bytes()), media_type),
            Cow::Owned(text) => Document::new(text.clone(), media_type),
        };
        Self {
            yaml: document(&contract.yaml, "application/yaml"),
            json: document(&contract.json, "application/json"),
            json_3_0: document(&contract.json_3_0, "application/json"),
        }
    }
}

impl Document {
    fn new(bytes: impl Into<Bytes>, media_type: &str) -> Self {
        Self {
            media_type: HeaderValue::from_str(media_type)
                .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream")),
            plain: Representation::new(bytes.into()),
            gzip: Arc::default(),
        }
    }

    /// 200, or 304 to a client that has it (RFC 9110, section 13.1.2).
    fn answer(&self, headers: &HeaderMap) -> Response {
        // The stack leaves `gzip` or nothing here. Images are compressed already.
        let gzip = headers.get(header::ACCEPT_ENCODING).is_some_and(|coding| coding == "gzip")
            && !self.media_type.as_bytes().starts_with(b"image/");
        let chosen = if gzip { self.gzip.get_or_init(|| self.plain.compressed()) } else { &self.plain };
        let caching = [
            (header::ETAG, chosen.etag.clone()),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
            // Keep it, but ask each time whether it changed.
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        if chosen.is_known(headers) {
            return (StatusCode::NOT_MODIFIED, caching).into_response();
        }
        let mut response =
            (caching, [(header::CONTENT_TYPE, self.media_type.clone())], chosen.bytes.clone()).into_response();
        if gzip {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

impl Representation {
    fn new(bytes: Bytes) -> Self {
        Self { etag: etag(&bytes), bytes }
    }

    fn compressed(&self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Writing to memory cannot fail.
        let written = encoder.write_all(&self.bytes).and_then(|()| encoder.finish());
        Self::new(written.unwrap_or_default().into())
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let own = self.etag.to_str().unwrap_or_default();
        let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut tags = tags.flat_map(|value| value.split(',')).map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own)
    }
}

/// A strong validator: a hash of the bytes. It need only differ when the bytes do; it is no defence against anybody.
fn etag(bytes: &[u8]) -> HeaderValue {
    use std::hash::Hasher;
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish())).unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

fn load_ui() -> HashMap<&'static str, Document> {
    // The base layout has no top bar, whose logo needs an inline style; `none` keeps a public validator from being asked.
    let config = utoipa_swagger_ui::Config::new(["/openapi.json"])
        .use_base_layout()
        .deep_linking(true)
        .display_request_duration(true)
        .validator_url("none");
    let config = Arc::new(config);
    let file = |name: &'static str| match utoipa_swagger_ui::serve(name, config.clone()) {
        Ok(Some(file)) => Some((name, Document::new(file.bytes.into_owned(), &file.content_type))),
        _ => {
            tracing::error!(name, "a file of Swagger UI is missing");
            None
        }
    };
    UI_FILES.into_iter().filter_map(file).collect()
}

/// The routes of the documents. This is the one place that adds routes which the contract does not hold.
#[expect(clippy::disallowed_methods, reason = "the documents are not operations of the contract")]
pub(crate) fn routes(documents: Documents) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/swagger-ui/") }))
        .route("/openapi.yaml", get(yaml))
        .route("/openapi.json", get(json))
        .route("/openapi-3.0.json", get(json_3_0))
        .route("/swagger-ui", get(|| async { Redirect::permanent("/swagger-ui/") }))
        .route("/swagger-ui/", get(|headers: HeaderMap| async move { ui_file("index.html", &headers) }))
        .route("/swagger-ui/{file}", get(ui))
        .route("/problems/{slug}", get(problem_page))
        .with_state(documents)
}

async fn yaml(State(documents): State<Documents>, headers: HeaderMap) -> Response {
    documents.yaml.answer(&headers)
}

async fn json(State(documents): State<Documents>, headers: HeaderMap) -> Response {
    documents.json.answer(&headers)
}

async fn json_3_0(State(documents): State<Documents>, headers: HeaderMap) -> Response {
    documents.json_3_0.answer(&headers)
}

async fn ui(Path(file): Path<String>, headers: HeaderMap) -> Response {
    ui_file(&file, &headers)
}

fn ui_file(name: &str, headers: &HeaderMap) -> Response {
    let Some(document) = UI.get(name) else { return no_such_document() };
    let mut response = document.answer(headers);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(UI_POLICY));
    response
}

/// What a problem's `type` leads to.
async fn problem_page(Path(slug): Path<String>, headers: HeaderMap) -> Response {
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.slug() == slug) else { return no_such_document() };
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<h1>{title}</h1>\n\
         <p>Status {status}.</p>\n<p>{explanation}</p>\n</html>\n",
        title = kind.title(),
        status = kind.status(),
        // Between back-quotes stands code.
        explanation = kind.explanation().split('`').enumerate().fold(String::new(), |page, (index, part)| {
            if index % 2 == 1 { format!("{page}<code>{part}</code>") } else { page + part }
        }),
    );
    Document::new(page, "text/html; charset=utf-8").answer(&headers)
}

fn no_such_document() -> Response {
    Problem::new(Kind::NotFound, "There is nothing at this path.").into_response()
}
