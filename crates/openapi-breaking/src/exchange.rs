//! What an operation takes and answers, around the schemas: bodies, media types, statuses, headers, links.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::rules::Rule;
use crate::view::{Schema, View};
use crate::walk::Walk;
use crate::{Direction, rules};
use openapi_contract::Kind;
use openapi_contract::equivalence::{folded, same};
use openapi_contract::paths::Endpoint;
use openapi_contract::pointer::{self, join};

/// What is judged of a header.
const HEADER: &[&str] = &["required", "deprecated", "style", "explode", "schema", "content"];

/// What is judged of a link.
const LINK: &[&str] = &["operationId", "operationRef", "parameters", "requestBody", "server"];

/// A node with the references at its head followed.
pub(super) struct Found<'a> {
    pub(super) value: &'a Value,
    /// The references that lead to it, and where they are written: prose may stand beside them.
    references: Vec<(&'a Value, String)>,
    /// Where it stands.
    pub(super) at: String,
    /// Where it is listed, which may be a reference to where it stands: the place of a thing that comes or goes.
    site: String,
}

/// The rule by which something comes or goes, and the sentence that says so.
type Told = (&'static Rule, &'static str);

impl<'a> Walk<'a> {
    pub(super) fn found(&mut self, is_old: bool, value: &'a Value, site: String) -> Found<'a> {
        let document = if is_old { self.old.document() } else { self.new.document() };
        let references = pointer::references(document, value, &site);
        for at in references.iter().map(|(_, at)| at) {
            self.visit(is_old, at);
        }
        let (value, at) = pointer::resolve(document, value, site.clone()).unwrap_or_else(|| (value, site.clone()));
        self.visit(is_old, &at);
        Found { value, references, at, site }
    }

    /// The members of both objects under `key`, brought together by name.
    fn members(
        &mut self,
        kind: Kind,
        key: &str,
        old: &Found<'a>,
        new: &Found<'a>,
    ) -> Vec<(&'a str, Option<Found<'a>>, Option<Found<'a>>)> {
        let mut all: BTreeMap<String, (&'a str, Option<Found<'a>>, Option<Found<'a>>)> = BTreeMap::new();
        for (is_old, owner) in [(true, old), (false, new)] {
            let at = join(&owner.at, key);
            let members = owner.value.get(key).and_then(Value::as_object).into_iter().flatten();
            for (name, value) in members.filter(|(name, _)| kind != Kind::Response || !name.starts_with("x-")) {
                let entry = all.entry(folded(kind, name).into_owned()).or_insert((name, None, None));
                let found = Some(self.found(is_old, value, join(&at, name)));
                if is_old { entry.1 = found } else { entry.2 = found }
            }
        }
        all.into_values().collect()
    }

    /// Deprecation and prose of a parameter or header.
    pub(super) fn part(&mut self, judged: &[&str], old: &Found<'a>, new: &Found<'a>) {
        let at = [join(&old.at, "deprecated"), join(&new.at, "deprecated")];
        match (flag(old.value, "deprecated"), flag(new.value, "deprecated")) {
            (false, true) => self.report(rules::PART_DEPRECATED, at, "deprecated"),
            (true, false) => self.report(rules::PART_REVIVED, at, "no longer deprecated"),
            _ => {}
        }
        self.unjudged(judged, old, new);
    }

    /// What drives nothing: all members but those that are judged, and what stands beside references.
    fn unjudged(&mut self, judged: &[&str], old: &Found<'a>, new: &Found<'a>) {
        self.rest(judged, (old.value, &old.at), (new.value, &new.at));
        self.beside([&old.references, &new.references], [&old.site, &new.site]);
    }

    /// What is written beside references, each with the one that leads to the same thing.
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

    /// How a parameter or header is written: `style` and `explode`, whose defaults follow its location, or `content`.
    pub(super) fn serialization(&mut self, old: &Found<'a>, new: &Found<'a>, location: &str, direction: Direction) {
        let style = |one: &Found<'a>| {
            let default = if matches!(location, "path" | "header") { "simple" } else { "form" };
            one.value.get("style").and_then(Value::as_str).unwrap_or(default).to_owned()
        };
        let explode =
            |one: &Found<'a>| one.value.get("explode").and_then(Value::as_bool).unwrap_or_else(|| style(one) == "form");
        let by_content = |one: &Found<'a>| one.value.get("content").is_some();
        let scalar = |one: &Found<'a>, document: &'a Value| {
            View::of(document, &Schema::member(one.value, &one.at, "schema")).types().is_scalar()
        };
        let changed = match direction {
            Direction::Response => rules::HEADER_SERIALIZATION_CHANGED,
            _ => rules::PARAMETER_SERIALIZATION_CHANGED,
        };
        let at = |key: &str| [join(&old.at, key), join(&new.at, key)];
        if by_content(old) != by_content(new) {
            let sentence = if by_content(new) {
                "`content` takes the place of `schema`"
            } else {
                "`schema` takes the place of `content`"
            };
            self.report(changed, at("content"), sentence);
        } else if style(old) != style(new) {
            let sentence = format!("`style` changes from {} to {}", style(old), style(new));
            let values = [Value::from(style(old)), Value::from(style(new))];
            self.step("style", |walk| {
                walk.report_values(changed, at("style"), sentence, [Some(&values[0]), Some(&values[1])]);
            });
        } else if explode(old) != explode(new) {
            let scalar = scalar(old, self.old.document()) && scalar(new, self.new.document());
            let respelled = match direction {
                Direction::Response => rules::HEADER_SERIALIZATION_SPELLED,
                _ => rules::PARAMETER_SERIALIZATION_SPELLED,
            };
            let rule = if scalar { respelled } else { changed };
            let sentence = format!("`explode` changes from {} to {}", explode(old), explode(new));
            self.step("explode", |walk| walk.report(rule, at("explode"), sentence));
        }
    }

    /// The schema of what is described by `schema` or by `content`.
    pub(super) fn described(&mut self, old: &Found<'a>, new: &Found<'a>, direction: Direction) {
        let schema = |one: &Found<'a>| Schema::member(one.value, &one.at, "schema");
        if old.value.get("content").is_none() && new.value.get("content").is_none() {
            self.schema_unless_free(direction, schema(old), schema(new));
        } else if old.value.get("content").is_some() && new.value.get("content").is_some() {
            self.content(old, new, direction);
        }
    }

    pub(super) fn body(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let of = |walk: &mut Self, is_old: bool, endpoint: &Endpoint<'a>| {
            let body = endpoint.operation.get("requestBody")?;
            Some(walk.found(is_old, body, join(&endpoint.pointer, "requestBody")))
        };
        let sides = [of(self, true, old), of(self, false, new)];
        let would_be = [join(&old.pointer, "requestBody"), join(&new.pointer, "requestBody")];
        let [old_would_be, new_would_be] = would_be;
        self.step("body", |walk| match sides {
            [Some(old), Some(new)] => {
                let at = [join(&old.at, "required"), join(&new.at, "required")];
                match (flag(old.value, "required"), flag(new.value, "required")) {
                    (false, true) => walk.report(rules::BODY_BECAME_REQUIRED, at, "it must be there"),
                    (true, false) => walk.report(rules::BODY_BECAME_OPTIONAL, at, "it may be left out"),
                    _ => {}
                }
                walk.unjudged(&["required", "content"], &old, &new);
                walk.content(&old, &new, Direction::Request);
            }
            [None, Some(new)] if flag(new.value, "required") => {
                walk.report(rules::BODY_ADDED_REQUIRED, [old_would_be, new.site], "a body must be sent");
            }
            [None, Some(new)] => walk.report(rules::BODY_ADDED, [old_would_be, new.site], "a body may be sent"),
            [Some(old), None] => {
                walk.report(rules::BODY_REMOVED, [old.site, new_would_be], "no body is taken any more")
            }
            [None, None] => {}
        });
    }

    /// Holds the members of both under `key` against each other: `both` what both have, and what only one has is told.
    fn each(
        &mut self,
        (kind, key): (Kind, &str),
        [old, new]: [&Found<'a>; 2],
        both: impl Fn(&mut Self, &Found<'a>, &Found<'a>),
        gone: impl Fn(&str, &Found<'a>) -> Told,
        come: impl Fn(&str) -> Told,
    ) {
        let would_be = |owner: &Found<'a>, name: &str| join(&join(&owner.at, key), name);
        for (name, mine, other) in self.members(kind, key, old, new) {
            let label = match kind {
                Kind::Header => format!("header {name}"),
                Kind::Link => format!("link {name}"),
                _ => name.to_owned(),
            };
            self.step(label, |walk| match (mine, other) {
                (Some(mine), Some(other)) => both(walk, &mine, &other),
                (Some(mine), None) => {
                    let (rule, sentence) = gone(name, &mine);
                    walk.report(rule, [mine.site, would_be(new, name)], sentence);
                }
                (None, Some(other)) => {
                    let (rule, sentence) = come(name);
                    walk.report(rule, [would_be(old, name), other.site], sentence);
                }
                (None, None) => {}
            });
        }
    }

    /// Media types.
    fn content(&mut self, old: &Found<'a>, new: &Found<'a>, direction: Direction) {
        self.each(
            (Kind::MediaType, "content"),
            [old, new],
            |walk, mine, other| walk.media_type(mine, other, direction),
            |_, _| (rules::MEDIA_TYPE_REMOVED.on(direction), "the media type is gone"),
            |_| (rules::MEDIA_TYPE_ADDED.on(direction), "the media type is added"),
        );
    }

    fn media_type(&mut self, old: &Found<'a>, new: &Found<'a>, direction: Direction) {
        self.unjudged(&["schema", "encoding"], old, new);
        let schema = |one: &Found<'a>| Schema::member(one.value, &one.at, "schema");
        self.schema_unless_free(direction, schema(old), schema(new));
        let rule = rules::ENCODING_CHANGED.on(direction);
        let encodings = [old.value.get("encoding"), new.value.get("encoding")];
        let nothing = Value::Object(serde_json::Map::new());
        let [a, b] = encodings.map(|encoding| encoding.unwrap_or(&nothing));
        if !same(a, b) {
            let at = [join(&old.at, "encoding"), join(&new.at, "encoding")];
            self.report_values(rule, at, "parts are encoded in another way", encodings);
        }
        let written = encodings.map(|encoding| encoding.into_iter().collect());
        self.step("encoding", |walk| walk.behind(rule, "encoding", written));
    }

    pub(super) fn responses(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let nothing = &Value::Null;
        let lists = [old, new].map(|endpoint| endpoint.operation.get("responses").unwrap_or(nothing));
        let statuses = lists.iter().filter_map(|list| list.as_object()).flat_map(|list| list.keys());
        let statuses: Vec<&str> = statuses.map(String::as_str).filter(|key| !key.starts_with("x-")).collect();
        let at = [old, new].map(|endpoint| join(&endpoint.pointer, "responses"));
        self.rest(&statuses, (lists[0], &at[0]), (lists[1], &at[1]));
        let [old, new] = [old, new].map(|endpoint| Found {
            value: endpoint.operation,
            references: Vec::new(),
            at: endpoint.pointer.clone(),
            site: endpoint.pointer.clone(),
        });
        // 2XX is a success like 200; `default` is what is left: failures.
        let class = |status: &str| status.bytes().next().unwrap_or_default();
        self.each(
            (Kind::Response, "responses"),
            [&old, &new],
            Walk::response,
            |status, _| {
                let rule = if class(status) == b'2' { rules::SUCCESS_REMOVED } else { rules::STATUS_REMOVED };
                (rule, "the status is no longer answered")
            },
            |status| {
                let success = matches!(class(status), b'1'..=b'3');
                (if success { rules::SUCCESS_ADDED } else { rules::FAILURE_ADDED }, "the status is new")
            },
        );
    }

    fn response(&mut self, old: &Found<'a>, new: &Found<'a>) {
        self.unjudged(&["headers", "content", "links"], old, new);
        self.each(
            (Kind::Header, "headers"),
            [old, new],
            Walk::header,
            |_, header| {
                let required = flag(header.value, "required");
                let rule = if required { rules::HEADER_REMOVED } else { rules::OPTIONAL_HEADER_REMOVED };
                (rule, "the header is gone")
            },
            |_| (rules::HEADER_ADDED, "the header is added"),
        );
        self.content(old, new, Direction::Response);
        self.each(
            (Kind::Link, "links"),
            [old, new],
            Walk::link,
            |_, _| (rules::LINK_REMOVED, "the link is gone"),
            |_| (rules::LINK_ADDED, "the link is added"),
        );
    }

    fn header(&mut self, old: &Found<'a>, new: &Found<'a>) {
        let at = [join(&old.at, "required"), join(&new.at, "required")];
        match (flag(old.value, "required"), flag(new.value, "required")) {
            (true, false) => self.report(rules::HEADER_BECAME_OPTIONAL, at, "it may be missing"),
            (false, true) => self.report(rules::HEADER_BECAME_REQUIRED, at, "it is always there"),
            _ => {}
        }
        self.part(HEADER, old, new);
        self.serialization(old, new, "header", Direction::Response);
        self.described(old, new, Direction::Response);
    }

    fn link(&mut self, old: &Found<'a>, new: &Found<'a>) {
        self.unjudged(LINK, old, new);
        for key in LINK {
            let values = [old.value.get(key), new.value.get(key)];
            if values[0] != values[1] {
                let at = [join(&old.at, key), join(&new.at, key)];
                let sentence = format!("`{key}` of the link is another");
                self.step(*key, |walk| walk.report_values(rules::LINK_CHANGED, at, sentence, values));
            }
        }
    }
}

pub(super) fn flag(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}
