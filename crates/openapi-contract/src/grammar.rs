//! The supported subset of OpenAPI 3.1: which keywords each kind of object may have, and the shape of each value.
//!
//! One table per kind of object. The loader refuses every other keyword, and the comparisons use the same tables to
//! interpret a value by its context, so that a property named `description` is not mistaken for prose. To widen the
//! subset, move a keyword from [`Kind::refused`] to its table.

use crate::kind::Kind;
use crate::profile::Profile;

/// The form of a keyword's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number, zero or more.
    Count,
    /// Any number.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A type of JSON Schema.
    Type,
    /// Any JSON value, not interpreted as OpenAPI.
    Any,
    /// A set of strings.
    Texts,
    /// A set of any JSON values.
    Values,
    /// Name → string.
    TextMap,
    /// Name → any JSON value.
    AnyMap,
    /// Scope → its description.
    Scopes,
    /// A list of security requirements.
    Requirements,
    /// An object of this kind.
    One(Kind),
    /// A list of objects of this kind.
    List(Kind),
    /// Name → object of this kind.
    Map(Kind),
    /// Status → response.
    Statuses,
    /// A schema, `true` (anything) or `false` (nothing).
    SchemaOrFlag,
    /// Name → expression → path item.
    Callbacks,
}

/// Types of security schemes that OpenAPI 3.1 has and 3.0 does not have.
pub const WORDS_OF_3_1: &[&str] = &["mutualTLS"];

/// The types that a schema may have. JSON Schema also has `null` and lists of types.
pub const TYPES: &[&str] = &["string", "number", "integer", "boolean", "array", "object"];

use Kind::{
    Components, Contact, Discriminator, Document, Encoding, Example, ExternalDocs, Header, Info, License, Link,
    MediaType, OAuthFlow, OAuthFlows, Operation, Parameter, PathItem, RequestBody, Response, Schema, SecurityScheme,
    Server, ServerVariable, Tag, Xml,
};
use Shape::{
    Any, AnyMap, Callbacks, Count, Flag, List, Map, Number, One, Requirements, SchemaOrFlag, Scopes, Statuses, Text,
    TextMap, Texts, Type, Values, Word,
};

impl Kind {
    /// The keywords that this kind of object may have, and the shape of each.
    pub const fn keywords(self) -> &'static [(&'static str, Shape)] {
        match self {
            Document => &[
                ("openapi", Text),
                ("info", One(Info)),
                ("servers", List(Server)),
                ("paths", Map(PathItem)),
                ("components", One(Components)),
                ("security", Requirements),
                ("tags", List(Tag)),
                ("externalDocs", One(ExternalDocs)),
            ],
            Info => &[
                ("title", Text),
                ("summary", Text),
                ("description", Text),
                ("termsOfService", Text),
                ("contact", One(Contact)),
                ("license", One(License)),
                ("version", Text),
            ],
            Contact => &[("name", Text), ("url", Text), ("email", Text)],
            License => &[("name", Text), ("identifier", Text), ("url", Text)],
            Server => &[("url", Text), ("description", Text), ("variables", Map(ServerVariable))],
            ServerVariable => &[("enum", Texts), ("default", Text), ("description", Text)],
            Tag => &[("name", Text), ("description", Text), ("externalDocs", One(ExternalDocs))],
            ExternalDocs => &[("description", Text), ("url", Text)],
            Components => &[
                ("schemas", Map(Schema)),
                ("responses", Map(Response)),
                ("parameters", Map(Parameter)),
                ("examples", Map(Example)),
                ("requestBodies", Map(RequestBody)),
                ("headers", Map(Header)),
                ("securitySchemes", Map(SecurityScheme)),
                ("links", Map(Link)),
                ("pathItems", Map(PathItem)),
            ],
            PathItem => &[
                ("summary", Text),
                ("description", Text),
                ("get", One(Operation)),
                ("put", One(Operation)),
                ("post", One(Operation)),
                ("delete", One(Operation)),
                ("options", One(Operation)),
                ("head", One(Operation)),
                ("patch", One(Operation)),
                ("trace", One(Operation)),
                ("servers", List(Server)),
                ("parameters", List(Parameter)),
            ],
            Operation => &[
                ("tags", Texts),
                ("summary", Text),
                ("description", Text),
                ("externalDocs", One(ExternalDocs)),
                ("operationId", Text),
                ("parameters", List(Parameter)),
                ("requestBody", One(RequestBody)),
                ("responses", Statuses),
                ("deprecated", Flag),
                ("security", Requirements),
                ("servers", List(Server)),
            ],
            Parameter => &[
                ("name", Text),
                ("in", Word(&["path", "query", "header", "cookie"])),
                ("description", Text),
                ("required", Flag),
                ("deprecated", Flag),
                ("allowEmptyValue", Flag),
                (
                    "style",
                    Word(&["matrix", "label", "simple", "form", "spaceDelimited", "pipeDelimited", "deepObject"]),
                ),
                ("explode", Flag),
                ("allowReserved", Flag),
                ("schema", One(Schema)),
                ("content", Map(MediaType)),
                ("example", Any),
                ("examples", Map(Example)),
            ],
            RequestBody => &[("description", Text), ("content", Map(MediaType)), ("required", Flag)],
            MediaType => {
                &[("schema", One(Schema)), ("example", Any), ("examples", Map(Example)), ("encoding", Map(Encoding))]
            }
            Encoding => &[
                ("contentType", Text),
                ("headers", Map(Header)),
                ("style", Word(&["form", "spaceDelimited", "pipeDelimited", "deepObject"])),
                ("explode", Flag),
                ("allowReserved", Flag),
            ],
            Response => {
                &[("description", Text), ("headers", Map(Header)), ("content", Map(MediaType)), ("links", Map(Link))]
            }
            Header => &[
                ("description", Text),
                ("required", Flag),
                ("deprecated", Flag),
                ("style", Word(&["simple"])),
                ("explode", Flag),
                ("schema", One(Schema)),
                ("content", Map(MediaType)),
                ("example", Any),
                ("examples", Map(Example)),
            ],
            Link => &[
                ("operationId", Text),
                ("operationRef", Text),
                ("parameters", AnyMap),
                ("requestBody", Any),
                ("description", Text),
                ("server", One(Server)),
            ],
            Example => &[("summary", Text), ("description", Text), ("value", Any), ("externalValue", Text)],
            Schema => &[
                ("title", Text),
                ("description", Text),
                ("type", Type),
                ("format", Text),
                ("enum", Values),
                ("default", Any),
                ("multipleOf", Number),
                ("maximum", Number),
                ("minimum", Number),
                ("maxLength", Count),
                ("minLength", Count),
                ("pattern", Text),
                ("maxItems", Count),
                ("minItems", Count),
                ("uniqueItems", Flag),
                ("maxProperties", Count),
                ("minProperties", Count),
                ("required", Texts),
                ("properties", Map(Schema)),
                ("additionalProperties", SchemaOrFlag),
                ("items", One(Schema)),
                ("allOf", List(Schema)),
                ("anyOf", List(Schema)),
                ("oneOf", List(Schema)),
                ("not", One(Schema)),
                ("discriminator", One(Discriminator)),
                ("xml", One(Xml)),
                ("readOnly", Flag),
                ("writeOnly", Flag),
                ("deprecated", Flag),
                ("externalDocs", One(ExternalDocs)),
                ("example", Any),
                ("examples", Values),
            ],
            Discriminator => &[("propertyName", Text), ("mapping", TextMap)],
            Xml => &[("name", Text), ("namespace", Text), ("prefix", Text), ("attribute", Flag), ("wrapped", Flag)],
            SecurityScheme => &[
                ("type", Word(&["apiKey", "http", "oauth2", "openIdConnect"])),
                ("description", Text),
                ("name", Text),
                ("in", Word(&["query", "header", "cookie"])),
                ("scheme", Text),
                ("bearerFormat", Text),
                ("flows", One(OAuthFlows)),
                ("openIdConnectUrl", Text),
            ],
            OAuthFlows => &[
                ("implicit", One(OAuthFlow)),
                ("password", One(OAuthFlow)),
                ("clientCredentials", One(OAuthFlow)),
                ("authorizationCode", One(OAuthFlow)),
            ],
            OAuthFlow => &[("authorizationUrl", Text), ("tokenUrl", Text), ("refreshUrl", Text), ("scopes", Scopes)],
        }
    }

    /// The keywords that this kind of object must have.
    pub const fn mandatory(self) -> &'static [&'static str] {
        match self {
            Document => &["openapi", "info", "paths"],
            Info => &["title", "version"],
            License | Tag => &["name"],
            Server | ExternalDocs => &["url"],
            ServerVariable => &["default"],
            Operation => &["operationId", "responses"],
            Parameter => &["name", "in"],
            RequestBody => &["content"],
            Response => &["description"],
            Discriminator => &["propertyName"],
            SecurityScheme => &["type"],
            OAuthFlow => &["scopes"],
            Contact | Components | PathItem | MediaType | Encoding | Header | Link | Example | Schema | Xml
            | OAuthFlows => &[],
        }
    }

    /// Keywords of OpenAPI 3.0 or 3.1 that are outside the subset: the shape of each, and what to write instead.
    pub const fn refused(self) -> &'static [(&'static str, Shape, &'static str)] {
        match self {
            Document => &[
                ("webhooks", Map(PathItem), "3.0 has none: describe these requests in the contract of their receiver"),
                ("jsonSchemaDialect", Text, "leave it out: schemas here use the dialect of OpenAPI 3.1"),
            ],
            Operation | Components => {
                &[("callbacks", Callbacks, "describe these requests in the contract of their receiver")]
            }
            Schema => &[
                ("nullable", Flag, "3.1 has none: make the property optional instead"),
                ("exclusiveMinimum", Number, "3.0 writes it differently: use `minimum`"),
                ("exclusiveMaximum", Number, "3.0 writes it differently: use `maximum`"),
                ("const", Any, "3.0 has none: use `enum` with one value"),
                ("if", One(Schema), "3.0 has none: use `oneOf` or `anyOf`"),
                ("then", One(Schema), "3.0 has none: use `oneOf` or `anyOf`"),
                ("else", One(Schema), "3.0 has none: use `oneOf` or `anyOf`"),
                ("prefixItems", List(Schema), "3.0 has none: use `items`, or an object with named properties"),
                ("contains", One(Schema), "3.0 has none: use `items`"),
                ("minContains", Count, "3.0 has none: use `minItems`"),
                ("maxContains", Count, "3.0 has none: use `maxItems`"),
                ("patternProperties", Map(Schema), "3.0 has none: use `additionalProperties`"),
                (
                    "propertyNames",
                    One(Schema),
                    "3.0 has none: use `additionalProperties` and name them in the description",
                ),
                ("dependentRequired", AnyMap, "3.0 has none: use `oneOf` or `anyOf`"),
                ("dependentSchemas", Map(Schema), "3.0 has none: use `oneOf` or `anyOf`"),
                ("unevaluatedItems", SchemaOrFlag, "3.0 has none: use `items`"),
                ("unevaluatedProperties", SchemaOrFlag, "3.0 has none: use `additionalProperties`"),
                ("contentEncoding", Text, "3.0 has none: use `format: byte` for base64"),
                ("contentMediaType", Text, "3.0 has none: use `format: binary`, or a media type under `content`"),
                ("contentSchema", One(Schema), "3.0 has none: use a media type under `content`"),
                ("$defs", Map(Schema), "3.0 has none: put the schema under `components/schemas`"),
                ("$id", Text, "3.0 has none: refer to schemas as `#/components/schemas/…`"),
                ("$anchor", Text, "3.0 has none: refer to schemas as `#/components/schemas/…`"),
                ("$dynamicRef", Text, "3.0 has none: use `$ref`"),
                ("$dynamicAnchor", Text, "3.0 has none: use `$ref`"),
                ("$schema", Text, "leave it out: schemas here use the dialect of OpenAPI 3.1"),
                ("$vocabulary", AnyMap, "leave it out: schemas here use the dialect of OpenAPI 3.1"),
                ("$comment", Text, "3.0 has none: use a YAML comment"),
            ],
            _ => &[],
        }
    }

    /// The shape of a keyword of the supported subset.
    pub fn keyword(self, name: &str) -> Option<Shape> {
        // Called for every member of every document: comparing the length and the first letter first saves most of the
        // string comparisons.
        let is_it = |keyword: &str| {
            keyword.len() == name.len() && keyword.as_bytes().first() == name.as_bytes().first() && keyword == name
        };
        self.keywords().iter().find_map(|(keyword, shape)| is_it(keyword).then_some(*shape))
    }

    /// The shape of a keyword that documents of this profile may use.
    pub fn keyword_in(self, name: &str, profile: Profile) -> Option<Shape> {
        let refused = || self.refused().iter().find(|(keyword, ..)| *keyword == name).map(|(_, shape, _)| *shape);
        self.keyword(name).or_else(|| if profile == Profile::Standard { refused() } else { None })
    }
}
