//! Requests and responses around their schemas: bodies, media types, statuses, headers, links.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::change::Direction;
use crate::node::Schema;
use crate::part_rules;
use crate::rule::Rule;
use crate::rules;
use crate::view::View;
use crate::walk::Walk;
use openapi_contract::Kind;
use openapi_contract::equivalence::{folded, same};
use openapi_contract::paths::Endpoint;
use openapi_contract::pointer::{self, join};

/// Members of a header that are judged; all others are prose.
const HEADER: &[&str] = &["required", "deprecated", "style", "explode", "schema", "content"];

/// Members of a link that are judged; all others are prose.
const LINK: &[&str] = &["operationId", "operationRef", "parameters", "requestBody", "server"];

/// A node with the references at its head followed.
pub(super) struct Followed<'a> {
    pub(super) value: &'a Value,
    /// The references that lead to it, with their pointers: prose may be beside them.
    references: Vec<(&'a Value, String)>,
    /// The pointer of the node.
    pub(super) at: String,
    /// The pointer where it is listed, which may be a reference: the place of a part that is added or removed.
    site: String,
}

/// The rule for a part that only one release has, and the sentence that reports it.
type OneSided = (&'static Rule, &'static str);

impl<'a> Followed<'a> {
    /// A node that is no reference.
    pub(super) fn of(value: &'a Value, at: &str) -> Followed<'a> {
        Followed { value, references: Vec::new(), at: at.to_owned(), site: at.to_owned() }
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        flag(self.value, key)
    }

    pub(super) fn schema(&self) -> Schema<'a> {
        Schema::member(self.value, &self.at, "schema")
    }

    /// `style`, whose default depends on the location.
    pub(super) fn style(&self, location: &str) -> &'a str {
        let default = if matches!(location, "path" | "header") { "simple" } else { "form" };
        self.value.get("style").and_then(Value::as_str).unwrap_or(default)
    }

    /// `explode`, whose default depends on `style`.
    pub(super) fn explode(&self, location: &str) -> bool {
        self.value.get("explode").and_then(Value::as_bool).unwrap_or_else(|| self.style(location) == "form")
    }
}

impl<'a> Walk<'a> {
    pub(super) fn follow(&mut self, is_old: bool, value: &'a Value, site: String) -> Followed<'a> {
        let document = if is_old { self.old.document() } else { self.new.document() };
        let references = pointer::references(document, value, &site);
        for at in references.iter().map(|(_, at)| at) {
            self.visit(is_old, at);
        }
        let (value, at) = pointer::resolve(document, value, site.clone()).unwrap_or_else(|| (value, site.clone()));
        self.visit(is_old, &at);
        Followed { value, references, at, site }
    }

    /// Compares the members of both nodes under `key` by name: members of both with `both`, others by a rule.
    pub(super) fn each(
        &mut self,
        (kind, key): (Kind, &str),
        [old, new]: [&Followed<'a>; 2],
        both: impl Fn(&mut Self, &Followed<'a>, &Followed<'a>),
        removed: impl Fn(&str, &Followed<'a>) -> OneSided,
        added: impl Fn(&str, &Followed<'a>) -> OneSided,
    ) {
        let mut all: BTreeMap<String, (&'a str, Option<Followed<'a>>, Option<Followed<'a>>)> = BTreeMap::new();
        for (is_old, owner) in [(true, old), (false, new)] {
            let at = join(&owner.at, key);
            let members = owner.value.get(key).and_then(Value::as_object).into_iter().flatten();
            for (name, value) in members.filter(|(name, _)| kind != Kind::Response || !name.starts_with("x-")) {
                let entry = all.entry(folded(kind, name).into_owned()).or_insert((name, None, None));
                let found = Some(self.follow(is_old, value, join(&at, name)));
                if is_old { entry.1 = found } else { entry.2 = found }
            }
        }
        let would_be = |owner: &Followed<'a>, name: &str| join(&join(&owner.at, key), name);
        for (name, mine, other) in all.into_values() {
            let label = match key {
                "headers" => format!("header {name}"),
                "links" => format!("link {name}"),
                "callbacks" => format!("callback {name}"),
                _ => name.to_owned(),
            };
            self.step(label, |walk| match (mine, other) {
                (Some(mine), Some(other)) => both(walk, &mine, &other),
                (Some(mine), None) => {
                    let (rule, sentence) = removed(name, &mine);
                    walk.report(rule, [mine.site, would_be(new, name)], sentence);
                }
                (None, Some(other)) => {
                    let (rule, sentence) = added(name, &other);
                    walk.report(rule, [would_be(old, name), other.site], sentence);
                }
                (None, None) => {}
            });
        }
    }

    /// Compares `required`, with the rules for what becomes required and what becomes optional.
    pub(super) fn required(
        &mut self,
        [old, new]: [&Followed<'a>; 2],
        required: [bool; 2],
        [becomes_required, becomes_optional]: [&'static Rule; 2],
    ) {
        let at = [join(&old.at, "required"), join(&new.at, "required")];
        match required {
            [false, true] => self.report(becomes_required, at, "now required"),
            [true, false] => self.report(becomes_optional, at, "no longer required"),
            _ => {}
        }
    }

    /// Deprecation and prose of a parameter or header.
    pub(super) fn part(&mut self, judged: &[&str], old: &Followed<'a>, new: &Followed<'a>) {
        let at = [join(&old.at, "deprecated"), join(&new.at, "deprecated")];
        match (old.flag("deprecated"), new.flag("deprecated")) {
            (false, true) => self.report(rules::PART_DEPRECATED, at, "deprecated"),
            (true, false) => self.report(rules::PART_REVIVED, at, "no longer deprecated"),
            _ => {}
        }
        self.unjudged(judged, old, new);
    }

    /// All members except those that are judged, and what is beside the references.
    fn unjudged(&mut self, judged: &[&str], old: &Followed<'a>, new: &Followed<'a>) {
        self.rest(judged, (old.value, &old.at), (new.value, &new.at));
        self.beside_references(old, new);
    }

    pub(super) fn beside_references(&mut self, old: &Followed<'a>, new: &Followed<'a>) {
        self.beside([&old.references, &new.references], [&old.site, &new.site]);
    }

    /// What is written beside references, each compared with its counterpart.
    pub(super) fn beside(&mut self, references: [&[(&'a Value, String)]; 2], sites: [&String; 2]) {
        let [old, new] = references;
        for index in 0..old.len().max(new.len()) {
            let side = |side: &'_ [(&'a Value, String)], site: &String| match side.get(index) {
                Some((reference, at)) => (*reference, at.clone()),
                None => (&Value::Null, site.clone()),
            };
            let [(before, old_at), (after, new_at)] = [side(old, sites[0]), side(new, sites[1])];
            self.rest(&["$ref"], (before, &old_at), (after, &new_at));
        }
    }

    /// How a parameter or header is written: `style` and `explode`, or `content`. `single`: a single value becomes a list
    /// that may hold it alone, so `explode` had no effect before.
    pub(super) fn serialization(
        &mut self,
        old: &Followed<'a>,
        new: &Followed<'a>,
        location: &str,
        direction: Direction,
        single: bool,
    ) {
        let by_content = |one: &Followed<'a>| one.value.get("content").is_some();
        let changed = part_rules::PART_SERIALIZATION_CHANGED.on(direction);
        let at = |key: &str| [join(&old.at, key), join(&new.at, key)];
        let styles = [old.style(location), new.style(location)];
        let explodes = [old.explode(location), new.explode(location)];
        if by_content(old) != by_content(new) {
            let (is, was) = if by_content(new) { ("content", "schema") } else { ("schema", "content") };
            self.report(changed, at("content"), format!("`{is}` replaces `{was}`"));
        } else if styles[0] != styles[1] {
            let sentence = format!("`style` changes from {} to {}", styles[0], styles[1]);
            let values = styles.map(Value::from);
            self.step("style", |walk| {
                walk.report_values(changed, at("style"), sentence, [Some(&values[0]), Some(&values[1])]);
            });
        } else if explodes[0] != explodes[1] {
            let documents = [self.old.document(), self.new.document()];
            let is_scalar = [(documents[0], old), (documents[1], new)]
                .map(|(document, one)| View::of(document, &one.schema()).types().is_scalar());
            let respelled = single || is_scalar == [true, true];
            let rule = if respelled { part_rules::PART_SERIALIZATION_SPELLED.on(direction) } else { changed };
            let sentence = format!("`explode` changes from {} to {}", explodes[0], explodes[1]);
            self.step("explode", |walk| walk.report(rule, at("explode"), sentence));
        }
    }

    /// The schema of a parameter or header, which has `schema`, for a text, or `content`.
    pub(super) fn described(&mut self, old: &Followed<'a>, new: &Followed<'a>, direction: Direction) {
        let by_content = |one: &Followed<'a>| one.value.get("content").is_some();
        match (by_content(old), by_content(new)) {
            (false, false) => self.as_text(|walk| walk.schema_unless_free(direction, old.schema(), new.schema())),
            (true, true) => self.content(old, new, direction),
            _ => {}
        }
    }

    pub(super) fn body(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let direction = self.request_direction();
        let mut of = |is_old: bool, endpoint: &Endpoint<'a>| {
            let body = endpoint.operation.get("requestBody")?;
            Some(self.follow(is_old, body, join(&endpoint.pointer, "requestBody")))
        };
        let sides = [of(true, old), of(false, new)];
        let [old_at, new_at] = [old, new].map(|endpoint| join(&endpoint.pointer, "requestBody"));
        self.step("body", |walk| match sides {
            [Some(old), Some(new)] => {
                let becomes =
                    [part_rules::BODY_BECAME_REQUIRED, part_rules::BODY_BECAME_OPTIONAL].map(|rule| rule.on(direction));
                walk.required([&old, &new], [old.flag("required"), new.flag("required")], becomes);
                walk.unjudged(&["required", "content"], &old, &new);
                walk.content(&old, &new, direction);
            }
            [None, Some(new)] => {
                let (rule, kind) = match new.flag("required") {
                    true => (part_rules::BODY_ADDED_REQUIRED, "a required body"),
                    false => (part_rules::BODY_ADDED, "an optional body"),
                };
                walk.report(rule.on(direction), [old_at, new.site], format!("{kind} is added"));
            }
            [Some(old), None] => {
                walk.report(part_rules::BODY_REMOVED.on(direction), [old.site, new_at], "the body is removed");
            }
            [None, None] => {}
        });
    }

    /// Media types.
    fn content(&mut self, old: &Followed<'a>, new: &Followed<'a>, direction: Direction) {
        self.each(
            (Kind::MediaType, "content"),
            [old, new],
            |walk, mine, other| walk.media_type(mine, other, direction),
            |_, _| (rules::MEDIA_TYPE_REMOVED.on(direction), "the media type is removed"),
            |_, _| (rules::MEDIA_TYPE_ADDED.on(direction), "the media type is added"),
        );
    }

    fn media_type(&mut self, old: &Followed<'a>, new: &Followed<'a>, direction: Direction) {
        self.unjudged(&["schema", "encoding"], old, new);
        self.schema_unless_free(direction, old.schema(), new.schema());
        let rule = rules::ENCODING_CHANGED.on(direction);
        let encodings = [old.value.get("encoding"), new.value.get("encoding")];
        let nothing = Value::Object(serde_json::Map::new());
        let [a, b] = encodings.map(|encoding| encoding.unwrap_or(&nothing));
        if !same(a, b) {
            let at = [join(&old.at, "encoding"), join(&new.at, "encoding")];
            self.report_values(rule, at, "the encoding of parts changes", encodings);
        }
        let written = encodings.map(|encoding| encoding.into_iter().collect());
        self.step("encoding", |walk| walk.behind(rule, "encoding", written));
    }

    pub(super) fn responses(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let direction = self.response_direction();
        let nothing = &Value::Null;
        let lists = [old, new].map(|endpoint| endpoint.operation.get("responses").unwrap_or(nothing));
        let statuses = lists.iter().filter_map(|list| list.as_object()).flat_map(|list| list.keys());
        let statuses: Vec<&str> = statuses.map(String::as_str).filter(|key| !key.starts_with("x-")).collect();
        let at = [old, new].map(|endpoint| join(&endpoint.pointer, "responses"));
        self.rest(&statuses, (lists[0], &at[0]), (lists[1], &at[1]));
        let [old, new] = [old, new].map(|endpoint| Followed::of(endpoint.operation, &endpoint.pointer));
        // 2XX is a success like 200; `default` covers failures.
        let class = |status: &str| status.bytes().next().unwrap_or_default();
        self.each(
            (Kind::Response, "responses"),
            [&old, &new],
            Walk::response,
            |status, _| {
                let success = class(status) == b'2';
                let rule = if success { part_rules::SUCCESS_STATUS_REMOVED } else { part_rules::OTHER_STATUS_REMOVED };
                (rule.on(direction), "the status is removed")
            },
            |status, _| {
                let success = matches!(class(status), b'1'..=b'3');
                let rule = if success { part_rules::SUCCESS_STATUS_ADDED } else { part_rules::FAILURE_STATUS_ADDED };
                (rule.on(direction), "the status is added")
            },
        );
    }

    fn response(&mut self, old: &Followed<'a>, new: &Followed<'a>) {
        let direction = self.response_direction();
        self.unjudged(&["headers", "content", "links"], old, new);
        self.each(
            (Kind::Header, "headers"),
            [old, new],
            Walk::header,
            |_, header| {
                let required = header.flag("required");
                let rule = if required { part_rules::REQUIRED_PART_REMOVED } else { part_rules::PART_REMOVED };
                (rule.on(direction), "the header is removed")
            },
            |_, header| {
                let required = header.flag("required");
                let rule = if required { part_rules::PART_ADDED_REQUIRED } else { part_rules::PART_ADDED };
                (rule.on(direction), "the header is added")
            },
        );
        self.content(old, new, direction);
        self.each(
            (Kind::Link, "links"),
            [old, new],
            Walk::link,
            |_, _| (rules::LINK_REMOVED, "the link is removed"),
            |_, _| (rules::LINK_ADDED, "the link is added"),
        );
    }

    fn header(&mut self, old: &Followed<'a>, new: &Followed<'a>) {
        let direction = self.response_direction();
        let becomes =
            [part_rules::PART_BECAME_REQUIRED, part_rules::PART_BECAME_OPTIONAL].map(|rule| rule.on(direction));
        self.required([old, new], [old.flag("required"), new.flag("required")], becomes);
        self.part(HEADER, old, new);
        self.serialization(old, new, "header", direction, false);
        self.described(old, new, direction);
    }

    fn link(&mut self, old: &Followed<'a>, new: &Followed<'a>) {
        self.unjudged(LINK, old, new);
        for key in LINK {
            let values = [old.value.get(key), new.value.get(key)];
            if values[0] != values[1] {
                let at = [join(&old.at, key), join(&new.at, key)];
                let sentence = format!("`{key}` of the link changes");
                self.step(*key, |walk| walk.report_values(rules::LINK_CHANGED, at, sentence, values));
            }
        }
    }
}

pub(super) fn flag(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}
