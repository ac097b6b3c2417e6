//! What an operation takes and answers, around the schemas: parameters, bodies, media types, statuses, headers, links.

use std::collections::BTreeMap;

use serde_json::Value;

use super::operations::SamePath;
use super::view::{Schema, View};
use super::walk::Walk;
use super::{Direction, rules};
use crate::Kind;
use crate::meaning::{folded, same};
use crate::paths::{Declared, Endpoint, Path};
use crate::pointer::{self, join};

/// What only people read on a parameter, header, body, response or media type.
const PROSE: &[&str] = &["description", "summary", "example", "examples"];

/// A node with the references at its head followed.
struct Found<'a> {
    value: &'a Value,
    /// Where it stands.
    at: String,
    /// Where it is listed, which may be a reference to where it stands: the place of a thing that comes or goes.
    site: String,
}

impl<'a> Walk<'a> {
    fn found(&self, old: bool, value: &'a Value, at: String) -> Found<'a> {
        let document = if old { self.old.document() } else { self.new.document() };
        match pointer::resolve(document, value, at.clone()) {
            Some((value, found)) => Found { value, at: found, site: at },
            None => Found { value, site: at.clone(), at },
        }
    }

    /// The members of both objects under `key`, brought together by name.
    fn members(
        &self,
        kind: Kind,
        key: &str,
        old: &Found<'a>,
        new: &Found<'a>,
    ) -> Vec<(&'a str, Option<Found<'a>>, Option<Found<'a>>)> {
        let mut all: BTreeMap<String, (&'a str, Option<Found<'a>>, Option<Found<'a>>)> = BTreeMap::new();
        for (is_old, owner) in [(true, old), (false, new)] {
            let at = join(&owner.at, key);
            for (name, value) in owner.value.get(key).and_then(Value::as_object).into_iter().flatten() {
                let entry = all.entry(folded(kind, name).into_owned()).or_insert((name, None, None));
                let found = Some(self.found(is_old, value, join(&at, name)));
                if is_old { entry.1 = found } else { entry.2 = found }
            }
        }
        all.into_values().collect()
    }

    pub(super) fn parameters(&mut self, path: &SamePath<'_, 'a>, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let mut rest: Vec<Declared<'a>> = path.new.parameters(self.new.document(), new);
        let name_then = |one: &Declared<'a>| match one.location {
            "path" => path.renamed.get(one.name).copied().unwrap_or(one.name),
            _ => one.name,
        };
        let key_then =
            |one: &Declared<'a>| (one.location.to_owned(), folded(kind_of(one), name_then(one)).into_owned());
        let mut gone = Vec::new();
        for mine in path.old.parameters(self.old.document(), old) {
            let key = (mine.location.to_owned(), mine.key().1.into_owned());
            match rest.iter().position(|other| key_then(other) == key) {
                Some(index) => {
                    let other = rest.remove(index);
                    self.step(label(&other), |walk| walk.parameter(&mine, &other));
                }
                None => gone.push(mine),
            }
        }
        // Beside the operation's own, or beside those of all operations of its path: these come and go once.
        let listed = |one: &Declared<'a>, [(has, _), (other, path)]: [(&Endpoint<'a>, &Path<'a>); 2]| {
            let own = one.site.strip_prefix(has.pointer.as_str()).is_some_and(|rest| rest.starts_with("/parameters/"));
            join(if own { &other.pointer } else { &path.pointer }, "parameters")
        };
        for mine in gone {
            let moves =
                |other: &Declared<'a>| other.location != mine.location && other.name.eq_ignore_ascii_case(mine.name);
            let moved = rest.iter().position(moves);
            let (rule, sentence, at, to) = match moved {
                Some(index) => {
                    let other = rest.remove(index);
                    let sentence = format!("the parameter moves from {} to {}", mine.location, other.location);
                    (rules::PARAMETER_MOVED, sentence, other.site, Some(Value::from(other.location)))
                }
                None => {
                    let query = mine.location == "query";
                    let rule = if query { rules::QUERY_PARAMETER_REMOVED } else { rules::PARAMETER_REMOVED };
                    let would_be = listed(&mine, [(old, path.old), (new, path.new)]);
                    (rule, "the parameter is gone".to_owned(), join(&would_be, "-"), None)
                }
            };
            let at = [mine.site.clone(), at];
            self.step(label(&mine), |walk| walk.report_values(rule, at, sentence, [None, to.as_ref()]));
        }
        for other in rest {
            let (rule, sentence) = if flag(other.parameter, "required") {
                (rules::PARAMETER_ADDED_REQUIRED, "a required parameter is added")
            } else {
                (rules::PARAMETER_ADDED, "an optional parameter is added")
            };
            let would_be = listed(&other, [(new, path.new), (old, path.old)]);
            let at = [join(&would_be, "-"), other.site.clone()];
            self.step(label(&other), |walk| walk.report(rule, at, sentence));
        }
    }

    fn parameter(&mut self, old: &Declared<'a>, new: &Declared<'a>) {
        let old_found = self.found(true, old.listed, old.site.clone());
        let new_found = self.found(false, new.listed, new.site.clone());
        let at = |key: &str| [join(&old_found.at, key), join(&new_found.at, key)];
        // A path parameter is always there, whatever is said of it.
        let required = |one: &Declared<'a>| one.location == "path" || flag(one.parameter, "required");
        match (required(old), required(new)) {
            (false, true) => self.report(rules::PARAMETER_BECAME_REQUIRED, at("required"), "it must be there"),
            (true, false) => self.report(rules::PARAMETER_BECAME_OPTIONAL, at("required"), "it may be left out"),
            _ => {}
        }
        for key in ["allowReserved", "allowEmptyValue"] {
            let (rule, verb) = match (flag(old.parameter, key), flag(new.parameter, key)) {
                (true, false) => (rules::PARAMETER_LENIENCY_WITHDRAWN, "withdrawn"),
                (false, true) => (rules::PARAMETER_LENIENCY_GRANTED, "granted"),
                _ => continue,
            };
            self.step(key, |walk| walk.report(rule, at(key), format!("`{key}` is {verb}")));
        }
        self.part(&old_found, &new_found);
        self.serialization(&old_found, &new_found, new.location, Direction::Request);
        self.described(&old_found, &new_found, Direction::Request);
    }

    /// Deprecation and prose of a parameter or header.
    fn part(&mut self, old: &Found<'a>, new: &Found<'a>) {
        let at = [join(&old.at, "deprecated"), join(&new.at, "deprecated")];
        match (flag(old.value, "deprecated"), flag(new.value, "deprecated")) {
            (false, true) => self.report(rules::PART_DEPRECATED, at, "deprecated"),
            (true, false) => self.report(rules::PART_REVIVED, at, "no longer deprecated"),
            _ => {}
        }
        self.prose_of(old, new);
    }

    fn prose_of(&mut self, old: &Found<'a>, new: &Found<'a>) {
        self.prose(PROSE, (old.value, &old.at), (new.value, &new.at));
    }

    /// How a parameter or header is written: `style` and `explode`, whose defaults follow its location, or `content`.
    fn serialization(&mut self, old: &Found<'a>, new: &Found<'a>, location: &str, direction: Direction) {
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
    fn described(&mut self, old: &Found<'a>, new: &Found<'a>, direction: Direction) {
        let schema = |one: &Found<'a>| Schema::member(one.value, &one.at, "schema");
        if old.value.get("content").is_none() && new.value.get("content").is_none() {
            self.schema_unless_free(direction, schema(old), schema(new));
        } else if old.value.get("content").is_some() && new.value.get("content").is_some() {
            self.content(old, new, direction);
        }
    }

    pub(super) fn body(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let of = |walk: &Self, is_old: bool, endpoint: &Endpoint<'a>| {
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
                walk.prose_of(&old, &new);
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

    /// Media types.
    fn content(&mut self, old: &Found<'a>, new: &Found<'a>, direction: Direction) {
        let would_be = |owner: &Found<'a>, name: &str| join(&join(&owner.at, "content"), name);
        for (name, mine, other) in self.members(Kind::MediaType, "content", old, new) {
            self.step(name, |walk| match (mine, other) {
                (Some(mine), Some(other)) => {
                    walk.prose_of(&mine, &other);
                    let schema = |one: &Found<'a>| Schema::member(one.value, &one.at, "schema");
                    walk.schema_unless_free(direction, schema(&mine), schema(&other));
                    let encodings = [mine.value.get("encoding"), other.value.get("encoding")];
                    let nothing = Value::Object(serde_json::Map::new());
                    let [a, b] = encodings.map(|encoding| encoding.unwrap_or(&nothing));
                    if !same(a, b) {
                        let at = [join(&mine.at, "encoding"), join(&other.at, "encoding")];
                        let sentence = "parts are encoded in another way";
                        walk.report_values(rules::ENCODING_CHANGED.on(direction), at, sentence, encodings);
                    }
                }
                (Some(mine), None) => {
                    let at = [mine.site, would_be(new, name)];
                    walk.report(rules::MEDIA_TYPE_REMOVED.on(direction), at, "the media type is gone");
                }
                (None, Some(other)) => {
                    let at = [would_be(old, name), other.site];
                    walk.report(rules::MEDIA_TYPE_ADDED.on(direction), at, "the media type is added");
                }
                (None, None) => {}
            });
        }
    }

    pub(super) fn responses(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let [old, new] = [old, new].map(|endpoint| Found {
            value: endpoint.operation,
            at: endpoint.pointer.clone(),
            site: endpoint.pointer.clone(),
        });
        let would_be = |owner: &Found<'a>, status: &str| join(&join(&owner.at, "responses"), status);
        for (status, mine, other) in self.members(Kind::Response, "responses", &old, &new) {
            // 2XX is a success like 200; `default` is what is left: failures.
            let class = status.bytes().next().unwrap_or_default();
            self.step(status, |walk| match (mine, other) {
                (Some(mine), Some(other)) => {
                    walk.prose_of(&mine, &other);
                    walk.headers(&mine, &other);
                    walk.content(&mine, &other, Direction::Response);
                    walk.links(&mine, &other);
                }
                (Some(mine), None) => {
                    let rule = if class == b'2' { rules::SUCCESS_REMOVED } else { rules::STATUS_REMOVED };
                    walk.report(rule, [mine.site, would_be(&new, status)], "the status is no longer answered");
                }
                (None, Some(other)) => {
                    let success = matches!(class, b'1'..=b'3');
                    let rule = if success { rules::SUCCESS_ADDED } else { rules::FAILURE_ADDED };
                    walk.report(rule, [would_be(&old, status), other.site], "the status is new");
                }
                (None, None) => {}
            });
        }
    }

    fn headers(&mut self, old: &Found<'a>, new: &Found<'a>) {
        let would_be = |owner: &Found<'a>, name: &str| join(&join(&owner.at, "headers"), name);
        for (name, mine, other) in self.members(Kind::Header, "headers", old, new) {
            self.step(format!("header {name}"), |walk| match (mine, other) {
                (Some(mine), Some(other)) => {
                    let at = [join(&mine.at, "required"), join(&other.at, "required")];
                    match (flag(mine.value, "required"), flag(other.value, "required")) {
                        (true, false) => walk.report(rules::HEADER_BECAME_OPTIONAL, at, "it may be missing"),
                        (false, true) => walk.report(rules::HEADER_BECAME_REQUIRED, at, "it is always there"),
                        _ => {}
                    }
                    walk.part(&mine, &other);
                    walk.serialization(&mine, &other, "header", Direction::Response);
                    walk.described(&mine, &other, Direction::Response);
                }
                (Some(mine), None) => {
                    let required = flag(mine.value, "required");
                    let rule = if required { rules::HEADER_REMOVED } else { rules::OPTIONAL_HEADER_REMOVED };
                    walk.report(rule, [mine.site, would_be(new, name)], "the header is gone");
                }
                (None, Some(other)) => {
                    walk.report(rules::HEADER_ADDED, [would_be(old, name), other.site], "the header is added");
                }
                (None, None) => {}
            });
        }
    }

    fn links(&mut self, old: &Found<'a>, new: &Found<'a>) {
        let would_be = |owner: &Found<'a>, name: &str| join(&join(&owner.at, "links"), name);
        for (name, mine, other) in self.members(Kind::Link, "links", old, new) {
            self.step(format!("link {name}"), |walk| match (mine, other) {
                (Some(mine), Some(other)) => {
                    walk.prose_of(&mine, &other);
                    for key in ["operationId", "operationRef", "parameters", "requestBody", "server"] {
                        let values = [mine.value.get(key), other.value.get(key)];
                        if values[0] != values[1] {
                            let at = [join(&mine.at, key), join(&other.at, key)];
                            let sentence = format!("`{key}` of the link is another");
                            walk.step(key, |walk| walk.report_values(rules::LINK_CHANGED, at, sentence, values));
                        }
                    }
                }
                (Some(mine), None) => {
                    walk.report(rules::LINK_REMOVED, [mine.site, would_be(new, name)], "the link is gone")
                }
                (None, Some(other)) => {
                    walk.report(rules::LINK_ADDED, [would_be(old, name), other.site], "the link is added")
                }
                (None, None) => {}
            });
        }
    }
}

fn kind_of(one: &Declared<'_>) -> Kind {
    if one.location == "header" { Kind::Header } else { Kind::Parameter }
}

fn label(one: &Declared<'_>) -> String {
    format!("{} {}", one.location, one.name)
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}
