//! The documents: the contract in YAML, in JSON and as OpenAPI 3.0, Swagger UI, and a page for each problem type.
//!
//! They are static bytes with an `ETag`. Only their routes are not in the contract.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, LazyLock, OnceLock},
};

use api::problem::{Problem, ProblemType};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use flate2::Compression;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use openapi_contract::{Artifacts, Contract, page};
use serde::Deserialize;

use super::middleware::compression::gzip;

/// The Content-Security-Policy of Swagger UI, which needs its own files, images as data, and requests to this server. Inline
/// scripts, inline styles and other origins are forbidden.
const UI_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page of Swagger UI. Its own has no viewport, so that a phone shows it as wide as a desktop, and no dark colours.
const PAGE: &str = include_str!("swagger_ui/index.html");

/// The files that the page loads: our own, and those of Swagger UI.
const OWN_FILES: [(&str, &str, &str); 2] = [
    ("page.css", "text/css", include_str!("swagger_ui/page.css")),
    ("page.js", "text/javascript", include_str!("swagger_ui/page.js")),
];
const UI_FILES: [&str; 4] = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-16x16.png", "favicon-32x32.png"];

/// The files of Swagger UI, which all servers of a process share.
static UI: LazyLock<HashMap<&'static str, Document>> = LazyLock::new(load_ui);

/// The documents of one server.
#[derive(Clone)]
pub struct Documents {
    page: Document,
    /// The contract as the page displays it, made on first use.
    page_contract: Arc<OnceLock<Document>>,
    yaml: Document,
    json: Document,
    json_3_0: Document,
}

/// Static bytes, plain and compressed: two representations, each with its own validator.
#[derive(Clone)]
struct Document {
    media_type: HeaderValue,
    plain: Representation,
    /// Compressed on first use.
    gzip: Arc<OnceLock<Representation>>,
}

#[derive(Clone)]
struct Representation {
    bytes: Bytes,
    etag: HeaderValue,
}

impl Documents {
    /// Returns the documents of a contract. `remember_authorization`: see `SWAGGER_UI_REMEMBER_AUTHORIZATION`.
    pub fn new(contract: &Artifacts, remember_authorization: bool) -> Self {
        let document = |text: &Cow<'static, str>, media_type| match text {
            Cow::Borrowed(text) => Document::new(Bytes::from_static(text.as_bytes()), media_type),
            Cow::Owned(text) => Document::new(text.clone(), media_type),
        };
        let page = PAGE.replace("{remember}", if remember_authorization { "true" } else { "false" });
        let page = page.replace("{title}", &escaped(&title(&contract.json)));
        Self {
            page: Document::new(page, "text/html; charset=utf-8"),
            page_contract: Arc::default(),
            yaml: document(&contract.yaml, "application/yaml"),
            json: document(&contract.json, "application/json"),
            json_3_0: document(&contract.json_3_0, "application/json"),
        }
    }

    fn page_contract(&self) -> &Document {
        self.page_contract.get_or_init(|| match Contract::load("openapi.yaml", &self.yaml.plain.bytes) {
            Ok(contract) => Document::new(page::form(&contract), "application/json"),
            // The server loaded it before.
            Err(_) => self.json.clone(),
        })
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

    /// Returns 200, or 304 if the client has the same representation (RFC 9110, section 13.1.2).
    fn respond(&self, headers: &HeaderMap) -> Response {
        // The middleware reduces this header to `gzip` or removes it. Images are compressed already.
        let gzip = headers.get(header::ACCEPT_ENCODING).is_some_and(|coding| coding == "gzip")
            && !self.media_type.as_bytes().starts_with(b"image/");
        let chosen = if gzip { self.gzip.get_or_init(|| self.plain.compressed()) } else { &self.plain };
        let caching = [
            (header::ETAG, chosen.etag.clone()),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
            // Caches must revalidate.
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        if chosen.matches(headers) {
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
        Self::new(gzip(&self.bytes, Compression::default()).unwrap_or_default().into())
    }

    fn matches(&self, headers: &HeaderMap) -> bool {
        let own = self.etag.to_str().unwrap_or_default();
        let mut values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        // A tag may contain a comma, but the tags of these documents do not: what is between quotes is a tag.
        values.any(|value| {
            value.trim() == "*" || value.split('"').skip(1).step_by(2).any(|tag| tag == own.trim_matches('"'))
        })
    }
}

/// Returns a strong validator: a hash of the bytes, which need not be cryptographic.
fn etag(bytes: &[u8]) -> HeaderValue {
    use std::hash::Hasher;
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish())).unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

fn load_ui() -> HashMap<&'static str, Document> {
    let config = Arc::new(utoipa_swagger_ui::Config::default()); // page.js has the configuration
    let file = |name: &'static str| match utoipa_swagger_ui::serve(name, config.clone()) {
        Ok(Some(file)) => Some((name, Document::new(file.bytes.into_owned(), &file.content_type))),
        _ => {
            tracing::error!(name, "missing file of Swagger UI");
            None
        }
    };
    let own = OWN_FILES.map(|(name, media_type, text)| (name, Document::new(text, media_type)));
    UI_FILES.into_iter().filter_map(file).chain(own).collect()
}

/// Returns the title of a contract.
fn title(json: &str) -> String {
    #[derive(Deserialize)]
    struct Document {
        info: Info,
    }
    #[derive(Deserialize)]
    struct Info {
        title: String,
    }
    serde_json::from_str::<Document>(json).map(|document| document.info.title).unwrap_or_default()
}

/// Returns a text as HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Returns the routes of the documents. Only this function adds routes that are not in the contract.
#[expect(clippy::disallowed_methods, reason = "the documents are not operations of the contract")]
pub(crate) fn routes(documents: Documents) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/swagger-ui/") }))
        .route("/openapi.yaml", get(yaml))
        .route("/openapi.json", get(json))
        .route("/openapi-3.0.json", get(json_3_0))
        .route("/docs", get(|| async { Redirect::permanent("/swagger-ui/") }))
        .route("/swagger-ui", get(|| async { Redirect::permanent("/swagger-ui/") }))
        .route("/swagger-ui/", get(ui_page))
        .route("/swagger-ui/{file}", get(ui))
        .route("/problems/{slug}", get(problem_page))
        .with_state(documents)
}

/// Whether a path template is that of a document.
pub(super) fn is_document(template: &str) -> bool {
    let (root, others) =
        ("/", ["/docs", "/openapi.yaml", "/openapi.json", "/openapi-3.0.json", "/swagger-ui", "/problems/{slug}"]);
    template == root || others.contains(&template) || template.starts_with("/swagger-ui/")
}

async fn yaml(State(documents): State<Documents>, headers: HeaderMap) -> Response {
    documents.yaml.respond(&headers)
}

async fn json(State(documents): State<Documents>, headers: HeaderMap) -> Response {
    documents.json.respond(&headers)
}

async fn json_3_0(State(documents): State<Documents>, headers: HeaderMap) -> Response {
    documents.json_3_0.respond(&headers)
}

async fn ui_page(State(documents): State<Documents>, headers: HeaderMap) -> Response {
    with_policy(documents.page.respond(&headers))
}

async fn ui(State(documents): State<Documents>, Path(file): Path<String>, headers: HeaderMap) -> Response {
    let document = match file.as_str() {
        "index.html" => &documents.page,
        "openapi.json" => documents.page_contract(),
        file => match UI.get(file) {
            Some(document) => document,
            None => return not_found(),
        },
    };
    with_policy(document.respond(&headers))
}

fn with_policy(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(UI_POLICY));
    response
}

/// The page of a problem type.
async fn problem_page(Path(slug): Path<String>, headers: HeaderMap) -> Response {
    let Some(problem_type) = ProblemType::ALL.into_iter().find(|problem_type| problem_type.slug() == slug) else {
        return not_found();
    };
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<h1>{title}</h1>\n\
         <p>Status {status}.</p>\n<p>{description}</p>\n</html>\n",
        title = problem_type.title(),
        status = problem_type.status(),
        // Text between backticks is code.
        description = problem_type.description().split('`').enumerate().fold(String::new(), |page, (index, part)| {
            if index % 2 == 1 { format!("{page}<code>{part}</code>") } else { page + part }
        }),
    );
    Document::new(page, "text/html; charset=utf-8").respond(&headers)
}

fn not_found() -> Response {
    Problem::new(ProblemType::NotFound, "Unknown path.").into_response()
}
