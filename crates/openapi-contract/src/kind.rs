//! The kinds of objects in an OpenAPI document.

use std::fmt;

/// A kind of object in an OpenAPI document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The document itself.
    Document,
    /// `info`.
    Info,
    /// `info/contact`.
    Contact,
    /// `info/license`.
    License,
    /// An item of `servers`.
    Server,
    /// A member of a server's `variables`.
    ServerVariable,
    /// An item of the document's `tags`.
    Tag,
    /// `externalDocs`.
    ExternalDocs,
    /// `components`.
    Components,
    /// A member of `paths`.
    PathItem,
    /// A method of a path item.
    Operation,
    /// A parameter.
    Parameter,
    /// A request body.
    RequestBody,
    /// A member of `content`.
    MediaType,
    /// A member of a media type's `encoding`.
    Encoding,
    /// A response.
    Response,
    /// A header of a response.
    Header,
    /// A link of a response.
    Link,
    /// A named example.
    Example,
    /// A schema.
    Schema,
    /// A schema's `discriminator`.
    Discriminator,
    /// A schema's `xml`.
    Xml,
    /// A security scheme.
    SecurityScheme,
    /// A security scheme's `flows`.
    OAuthFlows,
    /// One OAuth flow.
    OAuthFlow,
}

impl Kind {
    /// Whether a `$ref` may replace such an object.
    pub const fn referable(self) -> bool {
        matches!(
            self,
            Kind::PathItem
                | Kind::Parameter
                | Kind::RequestBody
                | Kind::Response
                | Kind::Header
                | Kind::Link
                | Kind::Example
                | Kind::Schema
                | Kind::SecurityScheme
        )
    }
}

impl fmt::Display for Kind {
    /// As in a sentence: `a schema`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Document => "the document",
            Kind::Info => "`info`",
            Kind::Contact => "a contact",
            Kind::License => "a licence",
            Kind::Server => "a server",
            Kind::ServerVariable => "a server variable",
            Kind::Tag => "a tag",
            Kind::ExternalDocs => "`externalDocs`",
            Kind::Components => "`components`",
            Kind::PathItem => "a path item",
            Kind::Operation => "an operation",
            Kind::Parameter => "a parameter",
            Kind::RequestBody => "a request body",
            Kind::MediaType => "a media type",
            Kind::Encoding => "an encoding",
            Kind::Response => "a response",
            Kind::Header => "a header",
            Kind::Link => "a link",
            Kind::Example => "an example",
            Kind::Schema => "a schema",
            Kind::Discriminator => "a discriminator",
            Kind::Xml => "`xml`",
            Kind::SecurityScheme => "a security scheme",
            Kind::OAuthFlows => "`flows`",
            Kind::OAuthFlow => "an OAuth flow",
        })
    }
}
