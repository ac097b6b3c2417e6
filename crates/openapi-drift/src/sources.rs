//! The structs, enums and handlers of the Rust sources, with the byte ranges that fixes edit.
//!
//! syn parses each file. A file that does not parse, as in the middle of a change, has no items: fixes for it are given in
//! words.

use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use serde_json::Value;
use syn::spanned::Spanned;

use crate::fix::SourceFile;
use crate::rename::renamed;
use openapi_contract::pointer;

/// The items of all files.
pub(crate) struct Sources<'a> {
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) handlers: Vec<Handler<'a>>,
    /// Invocations of `routes!(…)`: the file and the bytes from the macro's name to its end.
    pub(crate) routes: Vec<(&'a SourceFile, Range<usize>)>,
}

/// A struct or an enum.
pub(crate) struct Item<'a> {
    pub(crate) file: &'a SourceFile,
    pub(crate) name: String,
    pub(crate) is_enum: bool,
    pub(crate) attributes: Vec<Attribute>,
    /// The first byte after the attributes.
    pub(crate) start: usize,
    /// Between the braces or parentheses.
    pub(crate) body: Range<usize>,
    pub(crate) end: usize,
    pub(crate) members: Vec<Member>,
    /// Such as `pub `; empty if it is private.
    pub(crate) visibility: &'a str,
}

/// A named field of a struct, or a variant of an enum.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) attributes: Vec<Attribute>,
    /// The first byte after the attributes.
    pub(crate) start: usize,
    /// The type of a field.
    pub(crate) of: Range<usize>,
}

/// A function with the attribute `#[utoipa::path(…)]`.
pub(crate) struct Handler<'a> {
    pub(crate) file: &'a SourceFile,
    pub(crate) name: String,
    pub(crate) attribute: Attribute,
    /// The first byte of the function.
    pub(crate) start: usize,
    pub(crate) arguments: Vec<Range<usize>>,
    pub(crate) output: String,
    pub(crate) end: usize,
    /// Such as `pub `; empty if it is private.
    pub(crate) visibility: &'a str,
}

/// `#[name(arguments)]`.
#[derive(Clone)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) arguments: Vec<Argument>,
}

/// One comma-separated part of an attribute.
#[derive(Clone)]
pub(crate) struct Argument {
    /// Its first word.
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
    /// The parts of its parentheses, and the bytes between them.
    pub(crate) parts: Vec<Range<usize>>,
    pub(crate) inside: Range<usize>,
}

/// The attributes that may rename or skip a field. utoipa prefers those of serde.
const SERDE: [&str; 4] = ["serde", "schema", "param", "into_params"];

impl<'a> Sources<'a> {
    pub(crate) fn read(files: &'a [SourceFile]) -> Sources<'a> {
        let mut sources = Sources { items: Vec::new(), handlers: Vec::new(), routes: Vec::new() };
        for file in files {
            let Ok(tokens) = file.text.parse::<TokenStream>() else { continue };
            find_routes(file, tokens.clone(), &mut sources.routes);
            if let Ok(parsed) = syn::parse2::<syn::File>(tokens) {
                sources.read_items(file, &parsed.items);
            }
        }
        sources
    }

    fn read_items(&mut self, file: &'a SourceFile, items: &[syn::Item]) {
        for item in items {
            let (name, attrs, vis, keyword, body, members) = match item {
                syn::Item::Mod(module) => {
                    self.read_items(file, module.content.as_ref().map_or(&[], |(_, items)| items.as_slice()));
                    continue;
                }
                syn::Item::Fn(function) => {
                    self.read_handler(file, function);
                    continue;
                }
                syn::Item::Struct(one) => {
                    let body = match &one.fields {
                        syn::Fields::Named(fields) => inner(&fields.brace_token.span),
                        syn::Fields::Unnamed(fields) => inner(&fields.paren_token.span),
                        syn::Fields::Unit => continue,
                    };
                    let field = |field: &syn::Field| {
                        let name = field.ident.as_ref()?;
                        Some(member(name, &field.attrs, start(&field.vis, name.span()), bytes(&field.ty)))
                    };
                    let members = one.fields.iter().filter_map(field).collect();
                    (&one.ident, &one.attrs, &one.vis, one.struct_token.span(), body, members)
                }
                syn::Item::Enum(one) => {
                    let variant =
                        |one: &syn::Variant| member(&one.ident, &one.attrs, bytes(&one.ident).start, bytes(one));
                    let members = one.variants.iter().map(variant).collect();
                    (&one.ident, &one.attrs, &one.vis, one.enum_token.span(), inner(&one.brace_token.span), members)
                }
                _ => continue,
            };
            self.items.push(Item {
                file,
                name: name.to_string(),
                is_enum: matches!(item, syn::Item::Enum(_)),
                attributes: attributes(attrs),
                start: start(vis, keyword),
                body,
                end: bytes(item).end,
                members,
                visibility: visibility(file, vis, keyword),
            });
        }
    }

    fn read_handler(&mut self, file: &'a SourceFile, function: &syn::ItemFn) {
        let is_path = |one: &&syn::Attribute| {
            let words: Vec<String> = one.path().segments.iter().map(|word| word.ident.to_string()).collect();
            words == ["utoipa", "path"]
        };
        let Some(path) = function.attrs.iter().find(is_path) else { return };
        let Some(attribute) = attributes(std::slice::from_ref(path)).pop() else { return };
        let output = match &function.sig.output {
            syn::ReturnType::Default => String::new(),
            syn::ReturnType::Type(_, of) => file.slice(bytes(of)).to_owned(),
        };
        self.handlers.push(Handler {
            file,
            name: function.sig.ident.to_string(),
            attribute,
            start: start(&function.vis, function.sig.span()),
            arguments: function.sig.inputs.iter().map(bytes).collect(),
            output,
            end: bytes(function).end,
            visibility: visibility(file, &function.vis, function.sig.span()),
        });
    }

    /// The type whose schema has this name.
    pub(crate) fn schema(&self, name: &str) -> Option<&Item<'a>> {
        let renamed = |item: &&Item<'_>| {
            let argument = argument_of(&item.attributes, "schema", "as");
            argument.is_some_and(|one| item.file.slice(one.span.clone()).rsplit([' ', '=']).next() == Some(name))
        };
        self.items.iter().find(renamed).or_else(|| {
            let named = self.items.iter().filter(|item| item.name == name);
            let (derived, others): (Vec<_>, Vec<_>) = named.partition(|item| item.derives("ToSchema"));
            // With several of the name it is not known which one utoipa used.
            match (derived.as_slice(), others.as_slice()) {
                ([item], _) | ([], [item]) => Some(*item),
                _ => None,
            }
        })
    }

    /// The handler of this operation.
    pub(crate) fn handler(&self, id: &str) -> Option<&Handler<'a>> {
        // utoipa uses the name of the function where the attribute has no `operation_id`.
        let has_id = |handler: &&Handler<'_>| match handler.text_of("operation_id") {
            Some(own) => own == id,
            None => handler.name == id,
        };
        self.handlers.iter().find(has_id)
    }
}

impl Item<'_> {
    /// The field with this name in JSON.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| self.json_name(member).as_deref() == Some(name))
    }

    /// The name of a field in JSON; `None` if it is not in JSON.
    fn json_name(&self, member: &Member) -> Option<String> {
        let has = |key| SERDE.iter().any(|attribute| argument_of(&member.attributes, attribute, key).is_some());
        if has("skip") || has("ignore") {
            return None;
        }
        let own = self.text_of(&member.attributes, "rename").map(str::to_owned);
        Some(own.unwrap_or_else(|| renamed(self.rename_all(), &member.name)))
    }

    /// The rule for names of fields in JSON, such as `camelCase`; empty if there is none.
    pub(crate) fn rename_all(&self) -> &str {
        self.text_of(&self.attributes, "rename_all").unwrap_or_default()
    }

    /// The string of `key = "string"` in an attribute of serde or utoipa.
    fn text_of(&self, attributes: &[Attribute], key: &str) -> Option<&str> {
        let argument = SERDE.iter().find_map(|attribute| argument_of(attributes, attribute, key))?;
        self.file.slice(argument.span.clone()).split('"').nth(1)
    }

    pub(crate) fn derives(&self, name: &str) -> bool {
        argument_of(&self.attributes, "derive", name).is_some()
    }

    /// `file:line`.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file.path, self.file.line_of(self.start))
    }
}

impl Handler<'_> {
    pub(crate) fn argument(&self, key: &str) -> Option<&Argument> {
        self.attribute.arguments.iter().find(|argument| argument.key == key)
    }

    /// The string of `key = "string"`.
    pub(crate) fn text_of(&self, key: &str) -> Option<String> {
        let argument = self.argument(key)?;
        self.file.slice(argument.span.clone()).split('"').nth(1).map(str::to_owned)
    }

    /// The part of `responses(…)` for this status.
    pub(crate) fn response(&self, status: &str) -> Option<Range<usize>> {
        let head = format!("(status={status}");
        self.argument("responses")?.parts.iter().find_map(|span| {
            let text: String = self.file.slice(span.clone()).split_whitespace().collect();
            let rest = text.strip_prefix(&head)?;
            rest.starts_with([',', ')']).then(|| span.clone())
        })
    }

    /// `file:line`.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file.path, self.file.line_of(self.start))
    }
}

/// The argument `key` of the attribute `name`.
pub(crate) fn argument_of<'s>(attributes: &'s [Attribute], name: &str, key: &str) -> Option<&'s Argument> {
    attributes.iter().filter(|one| one.name == name).flat_map(|one| &one.arguments).find(|one| one.key == key)
}

/// The schema component of the generated spec that holds this pointer.
pub(crate) fn schema_of(at: &str) -> Option<String> {
    let mut tokens = pointer::tokens(at);
    (tokens.next()? == "components" && tokens.next()? == "schemas").then(|| tokens.next()).flatten()
}

/// The `operationId` of the operation that holds this pointer.
pub(crate) fn operation_id(document: &Value, at: &str) -> Option<String> {
    let mut tokens = pointer::tokens(at);
    if tokens.next()? != "paths" {
        return None;
    }
    let operation = document.get("paths")?.get(tokens.next()?)?.get(tokens.next()?)?;
    operation.get("operationId").and_then(Value::as_str).map(str::to_owned)
}

fn bytes(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

fn inner(delimiters: &proc_macro2::extra::DelimSpan) -> Range<usize> {
    delimiters.open().byte_range().end..delimiters.close().byte_range().start
}

fn start(visibility: &syn::Visibility, keyword: proc_macro2::Span) -> usize {
    match visibility {
        syn::Visibility::Inherited => keyword.byte_range().start,
        _ => bytes(visibility).start,
    }
}

fn visibility<'a>(file: &'a SourceFile, visibility: &syn::Visibility, keyword: proc_macro2::Span) -> &'a str {
    file.slice(start(visibility, keyword)..keyword.byte_range().start)
}

fn member(name: &syn::Ident, all: &[syn::Attribute], start: usize, of: Range<usize>) -> Member {
    Member { name: name.to_string().trim_start_matches("r#").to_owned(), attributes: attributes(all), start, of }
}

fn attributes(all: &[syn::Attribute]) -> Vec<Attribute> {
    let read = |one: &syn::Attribute| {
        let name = one.path().segments.last()?.ident.to_string();
        let arguments = match &one.meta {
            syn::Meta::List(list) => split(list.tokens.clone()).into_iter().filter_map(argument).collect(),
            _ => Vec::new(),
        };
        Some(Attribute { name, span: bytes(one), arguments })
    };
    all.iter().filter_map(read).collect()
}

fn argument(tokens: Vec<TokenTree>) -> Option<Argument> {
    let span = span_of(&tokens)?;
    let key = tokens.first()?.to_string();
    let group = tokens.iter().find_map(|one| match one {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group),
        _ => None,
    });
    let parts = group.map(|group| split(group.stream()).iter().filter_map(|part| span_of(part)).collect());
    let inside = group.map_or(span.end..span.end, |group| inner(&group.delim_span()));
    Some(Argument { key, span, parts: parts.unwrap_or_default(), inside })
}

fn span_of(tokens: &[TokenTree]) -> Option<Range<usize>> {
    Some(tokens.first()?.span().byte_range().start..tokens.last()?.span().byte_range().end)
}

/// The parts between commas.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(mark), _) if mark.as_char() == ',' => parts.push(Vec::new()),
            (_, Some(part)) => part.push(token),
            _ => {}
        }
    }
    parts
}

fn find_routes<'a>(file: &'a SourceFile, tokens: TokenStream, found: &mut Vec<(&'a SourceFile, Range<usize>)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            let head = index.checked_sub(2).and_then(|head| tokens.get(head));
            match head {
                Some(TokenTree::Ident(word)) if *word == "routes" => {
                    found.push((file, word.span().byte_range().start..group.span().byte_range().end));
                }
                _ => find_routes(file, group.stream(), found),
            }
        }
    }
}
