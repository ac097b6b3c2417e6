//! Where in the Rust sources something stands.
//!
//! No parser of Rust: it reads attributes, structs, enums and the functions below `#[utoipa::path]`, which is all that a
//! contract can drift from, and is content with finding nothing. `masked` makes text that is no code go, `read` finds items
//! and handlers in what is left.

mod masked;
mod read;

use serde_json::Value;

use super::Edit;
use super::text::SourceFile;
pub(super) use masked::masked;
use masked::{closing, split};
use openapi_contract::pointer;

/// The items of all files.
pub(super) struct Sources<'a> {
    pub(super) items: Vec<Item<'a>>,
    pub(super) handlers: Vec<Handler<'a>>,
}

/// A struct or an enum.
pub(super) struct Item<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) name: String,
    pub(super) is_enum: bool,
    pub(super) attributes: Vec<Attribute>,
    /// Where its first line begins, attributes not counted.
    pub(super) start: usize,
    /// Between the braces or parentheses.
    pub(super) body: (usize, usize),
    pub(super) members: Vec<Member>,
}

/// A field of a struct, or a variant of an enum.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) attributes: Vec<Attribute>,
    /// Where its name, `pub` included, begins.
    pub(super) start: usize,
    /// Its type, for a field.
    pub(super) of: (usize, usize),
}

/// A function below `#[utoipa::path(…)]`.
pub(super) struct Handler<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) name: String,
    pub(super) attribute: Attribute,
    /// Where the function begins.
    pub(super) start: usize,
    /// Between the parentheses of the function.
    pub(super) arguments: (usize, usize),
    /// After its closing brace.
    pub(super) end: usize,
}

/// `#[name(arguments)]`.
#[derive(Debug, Clone)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) start: usize,
    /// After the closing bracket.
    pub(super) end: usize,
    pub(super) arguments: Vec<Argument>,
}

/// One of the parts between the commas of an attribute.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    /// The word it begins with.
    pub(super) key: String,
    pub(super) span: (usize, usize),
}

impl<'a> Sources<'a> {
    pub(super) fn read(files: &'a [SourceFile]) -> Sources<'a> {
        let mut sources = Sources { items: Vec::new(), handlers: Vec::new() };
        for file in files {
            read::read(file, &mut sources);
        }
        sources
    }

    /// The type whose schema has this name.
    pub(super) fn schema(&self, name: &str) -> Option<&Item<'a>> {
        let renamed = |item: &&Item<'_>| {
            let mut arguments =
                item.attributes.iter().filter(|one| one.name == "schema").flat_map(|one| &one.arguments);
            arguments.any(|one| one.key == "as" && item.text(one.span).rsplit([' ', '=']).next() == Some(name))
        };
        self.items.iter().find(renamed).or_else(|| self.items.iter().find(|item| item.name == name))
    }

    /// The handler of this operation.
    pub(super) fn handler(&self, id: &str) -> Option<&Handler<'a>> {
        self.handlers.iter().find(|handler| handler.operation_id().as_deref() == Some(id))
    }
}

impl Item<'_> {
    pub(super) fn text(&self, span: (usize, usize)) -> &str {
        self.file.slice(span.0, span.1).trim()
    }

    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file.path, self.file.line_of(self.start))
    }

    /// The field that is called so in JSON.
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        let renamed = |member: &&Member| {
            let mut arguments =
                member.attributes.iter().filter(|one| one.name == "serde").flat_map(|one| &one.arguments);
            arguments.any(|one| one.key == "rename" && self.text(one.span).split('"').nth(1) == Some(name))
        };
        let plain = name.replace('-', "_");
        self.members.iter().find(renamed).or_else(|| self.members.iter().find(|member| member.name == plain))
    }

    /// Whether it derives this trait.
    pub(super) fn derives(&self, name: &str) -> bool {
        let mut derives = self.attributes.iter().filter(|one| one.name == "derive").flat_map(|one| &one.arguments);
        derives.any(|one| one.key == name)
    }
}

impl Handler<'_> {
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file.path, self.file.line_of(self.start))
    }

    pub(super) fn operation_id(&self) -> Option<String> {
        let argument = self.argument("operation_id")?;
        self.file.slice(argument.span.0, argument.span.1).split('"').nth(1).map(str::to_owned)
    }

    pub(super) fn path(&self) -> &str {
        self.argument("path")
            .and_then(|one| self.file.slice(one.span.0, one.span.1).split('"').nth(1))
            .unwrap_or_default()
    }

    pub(super) fn argument(&self, key: &str) -> Option<&Argument> {
        self.attribute.arguments.iter().find(|argument| argument.key == key)
    }

    /// The edit that gives the function one argument more.
    pub(super) fn argument_more(&self, text: &str) -> Edit {
        let (from, to) = self.arguments;
        let taken = self.file.slice(from, to).trim_end();
        let separator = if taken.is_empty() || taken.ends_with(',') { "" } else { ", " };
        self.file.replace(to, to, &format!("{separator}{text}"))
    }

    /// The parts of an argument such as `responses(…)`.
    pub(super) fn parts(&self, argument: &Argument) -> Vec<(usize, usize)> {
        let masked = masked(&self.file.text);
        let open = masked.get(argument.span.0..argument.span.1).and_then(|text| text.find('('));
        let Some(open) = open.map(|at| argument.span.0 + at) else { return Vec::new() };
        let Some(close) = closing(&masked, open) else { return Vec::new() };
        split(&masked, open + 1, close)
    }
}

/// The component of the generated spec that holds this pointer, if it is a schema.
pub(super) fn schema_of(at: &str) -> Option<String> {
    let mut tokens = pointer::tokens(at);
    (tokens.next()? == "components" && tokens.next()? == "schemas").then(|| tokens.next()).flatten()
}

/// The id of the operation of a document that holds this pointer.
pub(super) fn operation_id(document: &Value, at: &str) -> Option<String> {
    let mut tokens = pointer::tokens(at);
    if tokens.next()? != "paths" {
        return None;
    }
    let item = document.get("paths")?.get(tokens.next()?)?;
    let operation = item.get(tokens.next()?)?;
    operation.get("operationId").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str = r####"
/// A name, struct Fake { }
#[derive(Debug, Clone, ToSchema)]
#[schema(min_length = 1, pattern = r#"^"[a,)]"$"#)]
pub struct Name(pub String);

#[derive(Serialize, ToSchema)]
#[schema(as = Readiness)]
struct Report<'a> {
    /// Why, and how.
    #[serde(rename = "type")]
    pub kind: Option<Vec<(u8, &'a str)>>,
    status: char, // '{'
}

#[utoipa::path(get, path = "/names/{id}", operation_id = "getName", params(P),
    responses((status = 200, body = Name), (status = 404)))]
async fn get_name(State(state): State<AppState>) -> Result<Response, Problem> {
    let quote = '"';
    Ok(quote)
}
"####;

    #[test]
    fn items_and_handlers_are_found_where_they_stand() {
        let files = [SourceFile { path: "a.rs".into(), text: RUST.into() }];
        let sources = Sources::read(&files);
        let names: Vec<_> = sources.items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["Name", "Report"]);
        let name = sources.schema("Name").unwrap();
        assert_eq!(name.place(), "a.rs:5");
        assert!(name.derives("Clone") && !name.derives("Serialize"));
        let keys: Vec<_> = name.attributes[1].arguments.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["min_length", "pattern"]);
        let report = sources.schema("Readiness").unwrap();
        assert_eq!(report.name, "Report");
        let kind = report.member("type").unwrap();
        assert_eq!((kind.name.as_str(), report.text(kind.of)), ("kind", "Option<Vec<(u8, &'a str)>>"));
        assert!(report.member("status").is_some() && report.member("reason").is_none());
        let handler = sources.handler("getName").unwrap();
        assert_eq!((handler.name.as_str(), handler.path()), ("get_name", "/names/{id}"));
        let responses = handler.parts(handler.argument("responses").unwrap());
        assert_eq!(
            responses.iter().map(|span| &RUST[span.0..span.1]).collect::<Vec<_>>(),
            ["(status = 200, body = Name)", "(status = 404)"]
        );
        assert!(RUST[..handler.end].ends_with("Ok(quote)\n}"));
    }

    #[test]
    fn odd_text_is_survived() {
        for text in [
            "struct",
            "struct {",
            "enum E {",
            "#[a",
            "]#[",
            "fn f(",
            "r#\"",
            "'",
            "\"\\",
            "struct é { ü: ",
            "/*",
            "struct A;",
        ] {
            let files = [SourceFile { path: "a.rs".into(), text: text.into() }];
            Sources::read(&files);
        }
    }
}
