//! The supported subset of OpenAPI 3.1: which keywords each kind of object may have, and the shape of each value.
//!
//! One table for everything: the loader refuses every other keyword, and the comparisons use the same table to interpret
//! a value by its context, so that a property named `description` is not mistaken for prose. To widen the subset, move a
//! keyword from the part after `!` to
//! the part before it.

use std::fmt;

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

/// The types that a schema may have. JSON Schema also has `null` and lists of types.
pub(crate) const TYPES: &[&str] = &["string", "number", "integer", "boolean", "array", "object"];

/// The table. A row is `Kind "as in a sentence" [mandatory keywords] { Shape => keywords; … }`, and what follows `!`
/// are keywords of OpenAPI 3.0 or 3.1 that are outside the subset, with what to write instead.
macro_rules! grammar {
    ($(
        $kind:ident $name:literal [$($mandatory:ident)*]
        { $($shape:expr => $($key:ident)+;)+ }
        $(! { $($other:expr => $($refused:literal)+: $advice:literal;)+ })?
    )+) => {
        /// A kind of object in an OpenAPI document. Displayed as in a sentence: `a schema`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(#[doc = $name] $kind,)+
        }

        impl fmt::Display for Kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Kind::$kind => $name,)+ })
            }
        }

        impl Kind {
            /// The keywords that this kind of object may have, and the shape of each.
            pub const fn keywords(self) -> &'static [(&'static str, Shape)] {
                use {Kind::*, Shape::*};
                match self { $(Kind::$kind => &[$($((stringify!($key), $shape),)+)+],)+ }
            }

            /// The shape of a keyword of the supported subset.
            pub fn keyword(self, name: &str) -> Option<Shape> {
                use {Kind::*, Shape::*};
                match self {
                    $(Kind::$kind => match name { $($(stringify!($key) => Some($shape),)+)+ _ => None },)+
                }
            }

            /// The keywords that this kind of object must have.
            pub const fn mandatory(self) -> &'static [&'static str] {
                match self { $(Kind::$kind => &[$(stringify!($mandatory)),*],)+ }
            }

            /// Keywords that are outside the subset: the shape of each, and what to write instead.
            pub const fn refused(self) -> &'static [(&'static str, Shape, &'static str)] {
                use {Kind::*, Shape::*};
                match self { $(Kind::$kind => &[$($($(($refused, $other, $advice),)+)+)?],)+ }
            }
        }
    };
}

grammar! {
    Document "the document" [openapi info paths] {
        Text => openapi; One(Info) => info; List(Server) => servers; Map(PathItem) => paths;
        One(Components) => components; Requirements => security; List(Tag) => tags; One(ExternalDocs) => externalDocs;
    } ! {
        Map(PathItem) => "webhooks": "no equivalent in OpenAPI 3.0: describe these requests in the contract of their receiver";
        Text => "jsonSchemaDialect": "leave it out: schemas here use the dialect of OpenAPI 3.1";
    }
    Info "`info`" [title version] {
        Text => title summary description termsOfService version; One(Contact) => contact; One(License) => license;
    }
    Contact "a contact" [] { Text => name url email; }
    License "a licence" [name] { Text => name identifier url; }
    Server "a server" [url] { Text => url description; Map(ServerVariable) => variables; }
    ServerVariable "a server variable" [default] { Texts => enum; Text => default description; }
    Tag "a tag" [name] { Text => name description; One(ExternalDocs) => externalDocs; }
    ExternalDocs "`externalDocs`" [url] { Text => description url; }
    Components "`components`" [] {
        Map(Schema) => schemas; Map(Response) => responses; Map(Parameter) => parameters; Map(Example) => examples;
        Map(RequestBody) => requestBodies; Map(Header) => headers; Map(SecurityScheme) => securitySchemes;
        Map(Link) => links; Map(PathItem) => pathItems;
    } ! {
        Callbacks => "callbacks": "describe these requests in the contract of their receiver";
    }
    PathItem "a path item" [] {
        Text => summary description; One(Operation) => get put post delete options head patch trace;
        List(Server) => servers; List(Parameter) => parameters;
    }
    Operation "an operation" [operationId responses] {
        Texts => tags; Text => summary description operationId; One(ExternalDocs) => externalDocs;
        List(Parameter) => parameters; One(RequestBody) => requestBody; Statuses => responses; Flag => deprecated;
        Requirements => security; List(Server) => servers;
    } ! {
        Callbacks => "callbacks": "describe these requests in the contract of their receiver";
    }
    Parameter "a parameter" [name in] {
        Text => name description; Word(&["path", "query", "header", "cookie"]) => in;
        Flag => required deprecated allowEmptyValue explode allowReserved;
        Word(&["matrix", "label", "simple", "form", "spaceDelimited", "pipeDelimited", "deepObject"]) => style;
        One(Schema) => schema; Map(MediaType) => content; Any => example; Map(Example) => examples;
    }
    RequestBody "a request body" [content] { Text => description; Map(MediaType) => content; Flag => required; }
    MediaType "a media type" [] {
        One(Schema) => schema; Any => example; Map(Example) => examples; Map(Encoding) => encoding;
    }
    Encoding "an encoding" [] {
        Text => contentType; Map(Header) => headers;
        Word(&["form", "spaceDelimited", "pipeDelimited", "deepObject"]) => style; Flag => explode allowReserved;
    }
    Response "a response" [description] {
        Text => description; Map(Header) => headers; Map(MediaType) => content; Map(Link) => links;
    }
    Header "a header" [] {
        Text => description; Flag => required deprecated explode; Word(&["simple"]) => style; One(Schema) => schema;
        Map(MediaType) => content; Any => example; Map(Example) => examples;
    }
    Link "a link" [] {
        Text => operationId operationRef description; AnyMap => parameters; Any => requestBody; One(Server) => server;
    }
    Example "an example" [] { Text => summary description externalValue; Any => value; }
    Schema "a schema" [] {
        Text => title description format pattern; Type => type; Values => enum examples; Any => default example;
        Number => multipleOf maximum minimum;
        Count => maxLength minLength maxItems minItems maxProperties minProperties;
        Flag => uniqueItems readOnly writeOnly deprecated; Texts => required; Map(Schema) => properties;
        SchemaOrFlag => additionalProperties; One(Schema) => items not; List(Schema) => allOf anyOf oneOf;
        One(Discriminator) => discriminator; One(Xml) => xml; One(ExternalDocs) => externalDocs;
    } ! {
        Flag => "nullable": "OpenAPI 3.1 does not have it: make the property optional instead";
        Number => "exclusiveMinimum": "OpenAPI 3.0 writes it differently: use `minimum`";
        Number => "exclusiveMaximum": "OpenAPI 3.0 writes it differently: use `maximum`";
        Any => "const": "no equivalent in OpenAPI 3.0: use `enum` with one value";
        One(Schema) => "if" "then" "else": "no equivalent in OpenAPI 3.0: use `oneOf` or `anyOf`";
        List(Schema) => "prefixItems": "no equivalent in OpenAPI 3.0: use `items`, or an object with named properties";
        One(Schema) => "contains": "no equivalent in OpenAPI 3.0: use `items`";
        Count => "minContains": "no equivalent in OpenAPI 3.0: use `minItems`";
        Count => "maxContains": "no equivalent in OpenAPI 3.0: use `maxItems`";
        Map(Schema) => "patternProperties": "no equivalent in OpenAPI 3.0: use `additionalProperties`";
        One(Schema) => "propertyNames":
            "no equivalent in OpenAPI 3.0: use `additionalProperties` and name them in the description";
        AnyMap => "dependentRequired": "no equivalent in OpenAPI 3.0: use `oneOf` or `anyOf`";
        Map(Schema) => "dependentSchemas": "no equivalent in OpenAPI 3.0: use `oneOf` or `anyOf`";
        SchemaOrFlag => "unevaluatedItems": "no equivalent in OpenAPI 3.0: use `items`";
        SchemaOrFlag => "unevaluatedProperties": "no equivalent in OpenAPI 3.0: use `additionalProperties`";
        Text => "contentEncoding": "no equivalent in OpenAPI 3.0: use `format: byte` for base64";
        Text => "contentMediaType": "no equivalent in OpenAPI 3.0: use `format: binary`, or a media type under `content`";
        One(Schema) => "contentSchema": "no equivalent in OpenAPI 3.0: use a media type under `content`";
        Map(Schema) => "$defs": "no equivalent in OpenAPI 3.0: put the schema under `components/schemas`";
        Text => "$id" "$anchor": "no equivalent in OpenAPI 3.0: refer to schemas as `#/components/schemas/…`";
        Text => "$dynamicRef" "$dynamicAnchor": "no equivalent in OpenAPI 3.0: use `$ref`";
        Text => "$schema": "leave it out: schemas here use the dialect of OpenAPI 3.1";
        AnyMap => "$vocabulary": "leave it out: schemas here use the dialect of OpenAPI 3.1";
        Text => "$comment": "no equivalent in OpenAPI 3.0: use a YAML comment";
    }
    Discriminator "a discriminator" [propertyName] { Text => propertyName; TextMap => mapping; }
    Xml "`xml`" [] { Text => name namespace prefix; Flag => attribute wrapped; }
    SecurityScheme "a security scheme" [type] {
        Word(&["apiKey", "http", "oauth2", "openIdConnect"]) => type;
        Text => description name scheme bearerFormat openIdConnectUrl; Word(&["query", "header", "cookie"]) => in;
        One(OAuthFlows) => flows;
    }
    OAuthFlows "`flows`" [] { One(OAuthFlow) => implicit password clientCredentials authorizationCode; }
    OAuthFlow "an OAuth flow" [scopes] { Text => authorizationUrl tokenUrl refreshUrl; TextMap => scopes; }
}

impl Kind {
    /// Whether a `$ref` may replace such an object.
    pub const fn referable(self) -> bool {
        use Kind::{Example, Header, Link, Parameter, PathItem, RequestBody, Response, Schema, SecurityScheme};
        matches!(
            self,
            PathItem | Parameter | RequestBody | Response | Header | Link | Example | Schema | SecurityScheme
        )
    }

    /// The shape of a keyword that documents of this profile may use.
    pub fn keyword_in(self, name: &str, profile: Profile) -> Option<Shape> {
        let refused = || self.refused().iter().find(|(keyword, ..)| *keyword == name).map(|(_, shape, _)| *shape);
        self.keyword(name).or_else(|| if profile == Profile::Standard { refused() } else { None })
    }
}
