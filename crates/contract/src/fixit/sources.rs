//! Where in the Rust sources something stands.
//!
//! No parser of Rust: it reads attributes, structs, enums and the functions below `#[utoipa::path]`, which is all that a
//! contract can drift from, and is content with finding nothing.

use serde_json::Value;

use super::Edit;
use super::text::SourceFile;
use crate::pointer;

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
            read(file, &mut sources);
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

fn read<'a>(file: &'a SourceFile, sources: &mut Sources<'a>) {
    let masked = masked(&file.text);
    for (at, keyword) in words(&masked) {
        match keyword {
            "struct" | "enum" => sources.items.extend(item(file, &masked, at, keyword)),
            "fn" => sources.handlers.extend(handler(file, &masked, at)),
            _ => {}
        }
    }
}

fn item<'a>(file: &'a SourceFile, masked: &str, at: usize, keyword: &str) -> Option<Item<'a>> {
    let name_at = skip_space(masked, at + keyword.len());
    let name = word(masked, name_at)?;
    let open = masked.get(name_at..)?.find(['{', '(', ';']).map(|found| name_at + found)?;
    let close = if masked.get(open..)?.starts_with(';') { open } else { closing(masked, open)? };
    let (attributes, start) = before(file, masked, at);
    let body = (open + 1, close.max(open + 1));
    let named = masked.get(open..)?.starts_with('{');
    let members = if named { split(masked, body.0, body.1) } else { Vec::new() };
    let members = members.into_iter().filter_map(|(from, to)| member(file, masked, from, to)).collect();
    Some(Item { file, name: name.to_owned(), is_enum: keyword == "enum", attributes, start, body, members })
}

fn member(file: &SourceFile, masked: &str, from: usize, to: usize) -> Option<Member> {
    let mut at = skip_space(masked, from);
    let mut attributes = Vec::new();
    while masked.get(at..to)?.starts_with("#[") {
        let end = closing(masked, at + 1)? + 1;
        attributes.push(attribute(file, masked, at, end));
        at = skip_space(masked, end);
    }
    let start = at;
    let declared = masked.get(at..to)?;
    let colon = declared.find(':');
    let head = declared.get(..colon.unwrap_or(declared.len()))?;
    let head = head.split(['(', '{', '=']).next()?;
    let name = head.split_whitespace().next_back()?.trim_start_matches("r#");
    let of = colon.map_or((to, to), |colon| (skip_space(masked, at + colon + 1), to));
    Some(Member { name: name.to_owned(), attributes, start, of })
}

fn handler<'a>(file: &'a SourceFile, masked: &str, at: usize) -> Option<Handler<'a>> {
    let name_at = skip_space(masked, at + 2);
    let name = word(masked, name_at)?.to_owned();
    let (attributes, start) = before(file, masked, at);
    let attribute = attributes.into_iter().find(|one| one.name == "utoipa::path")?;
    let open = masked.get(name_at..)?.find('(').map(|found| name_at + found)?;
    let close = closing(masked, open)?;
    let brace = masked.get(close..)?.find('{').map(|found| close + found)?;
    let end = closing(masked, brace)? + 1;
    Some(Handler { file, name, attribute, start, arguments: (open + 1, close), end })
}

/// The attributes of the item whose keyword stands here, and where its first word stands.
fn before(file: &SourceFile, masked: &str, keyword: usize) -> (Vec<Attribute>, usize) {
    let line = masked.get(..keyword).and_then(|head| head.rfind(['\n', ']', '}', ';'])).map_or(0, |at| at + 1);
    let start = skip_space(masked, line);
    let mut attributes = Vec::new();
    let mut end = masked.get(..start).unwrap_or_default().trim_end().len();
    while masked.get(..end).is_some_and(|head| head.ends_with(']')) {
        let Some(open) = opening(masked, end - 1) else { break };
        let Some(hash) = masked.get(..open).filter(|head| head.ends_with('#')).map(|head| head.len() - 1) else {
            break;
        };
        attributes.push(attribute(file, masked, hash, end));
        end = masked.get(..hash).unwrap_or_default().trim_end().len();
    }
    attributes.reverse();
    (attributes, start)
}

fn attribute(file: &SourceFile, masked: &str, start: usize, end: usize) -> Attribute {
    let inner = file.slice(start + 2, end.saturating_sub(1));
    let name: String = inner.chars().take_while(|one| one.is_alphanumeric() || matches!(one, '_' | ':')).collect();
    let open = start + 2 + name.len();
    let inside = match masked.get(open..).filter(|rest| rest.starts_with('(')).and_then(|_| closing(masked, open)) {
        Some(close) => (open + 1, close),
        None => (open, open),
    };
    let arguments = split(masked, inside.0, inside.1)
        .into_iter()
        .map(|span| {
            let text = file.slice(span.0, span.1);
            let key = text.chars().take_while(|one| one.is_alphanumeric() || *one == '_').collect();
            Argument { key, span }
        })
        .collect();
    Attribute { name, start, end, arguments }
}

/// The parts between the commas at the top level, white space around them left out.
fn split(masked: &str, from: usize, to: usize) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let (mut depth, mut begin) = (0_usize, from);
    let text = masked.get(from..to).unwrap_or_default();
    let ends = text.bytes().enumerate().filter_map(|(index, byte)| {
        match byte {
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b')' | b']' | b'}' | b'>' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => return Some(from + index),
            _ => {}
        }
        None
    });
    for end in ends.chain([to]) {
        let part = masked.get(begin..end).unwrap_or_default();
        let first = begin + (part.len() - part.trim_start().len());
        if !part.trim().is_empty() {
            parts.push((first, begin + part.trim_end().len()));
        }
        begin = end + 1;
    }
    parts
}

/// Every word and where it begins.
fn words(masked: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |one: char| one.is_alphanumeric() || one == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        at += masked.get(at..)?.find(is_word)?;
        let word = word(masked, at)?;
        let found = (at, word);
        at += word.len();
        Some(found)
    })
}

fn word(masked: &str, at: usize) -> Option<&str> {
    let rest = masked.get(at..)?;
    let end = rest.find(|one: char| !one.is_alphanumeric() && one != '_').unwrap_or(rest.len());
    rest.get(..end).filter(|word| !word.is_empty())
}

fn skip_space(masked: &str, at: usize) -> usize {
    masked.get(at..).map_or(at, |rest| at + rest.len() - rest.trim_start().len())
}

/// Where the bracket at `open` is closed.
fn closing(masked: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, byte) in masked.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

/// Where the bracket at `close` is opened.
fn opening(masked: &str, close: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let head = masked.as_bytes().get(..=close)?;
    for (index, byte) in head.iter().enumerate().rev() {
        match byte {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

/// The text with comments and what is in quotes blanked out, byte for byte, so that what looks like code is code.
pub(super) fn masked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let find = |from: usize, what: &str| text.get(from..).and_then(|rest| rest.find(what)).map(|at| from + at);
    while let Some(&byte) = bytes.get(out.len()) {
        let at = out.len();
        let rest = bytes.get(at..).unwrap_or_default();
        let after_word = at > 0 && bytes.get(at - 1).is_some_and(|one| one.is_ascii_alphanumeric() || *one == b'_');
        let end = if rest.starts_with(b"//") {
            find(at, "\n").unwrap_or(bytes.len())
        } else if rest.starts_with(b"/*") {
            find(at + 2, "*/").map_or(bytes.len(), |end| end + 2)
        } else if byte == b'r' && !after_word && (rest.starts_with(b"r\"") || rest.starts_with(b"r#")) {
            let hashes = rest.iter().skip(1).take_while(|one| **one == b'#').count();
            match rest.get(1 + hashes) {
                Some(b'"') => {
                    let close = format!("\"{}", "#".repeat(hashes));
                    find(at + 2 + hashes, &close).map_or(bytes.len(), |end| end + close.len())
                }
                _ => at,
            }
        } else if byte == b'"' {
            let mut end = at + 1;
            while let Some(one) = bytes.get(end).filter(|one| **one != b'"') {
                end += if *one == b'\\' { 2 } else { 1 };
            }
            (end + 1).min(bytes.len())
        } else if byte == b'\'' && (rest.get(1) == Some(&b'\\') || rest.get(2) == Some(&b'\'')) {
            let from = if rest.get(1) == Some(&b'\\') { at + 3 } else { at + 2 };
            find(from, "'").map_or(bytes.len(), |end| end + 1)
        } else {
            at
        };
        if end > at {
            let blanked = bytes.get(at..end).unwrap_or_default().iter();
            // A quoted text is still something between two commas.
            let fill = if byte == b'/' { b' ' } else { b'"' };
            out.extend(blanked.map(|one| if *one == b'\n' { b'\n' } else { fill }));
        } else {
            out.push(if byte.is_ascii() { byte } else { b'_' });
        }
    }
    String::from_utf8(out).unwrap_or_default()
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
