//! Requests and responses around their schemas: parameters, bodies, media types, statuses, headers, links.

use std::collections::HashMap;

use serde_json::Value;

use crate::change::Direction;
use crate::effective_schema::{EffectiveSchema, PROSE};
use crate::operation::deprecation;
use crate::rule::{ByDirection, Rule};
use crate::rules;
use crate::sides::{Side, Sides, both_same, paired};
use crate::subschema::Subschema;
use crate::types::Types;
use crate::walk::{Walk, sentence};
use openapi_contract::Kind;
use openapi_contract::equivalence::folded;
use openapi_contract::paths::{Declared, declared};
use openapi_contract::pointer::join;

/// Members of a parameter or header that are judged; all others are prose.
const PART: &[&str] = &["required", "deprecated", "style", "explode", "schema", "content"];

/// The same, of parameters only.
const PARAMETER: &[&str] = &["name", "in", "allowReserved", "allowEmptyValue"];

/// Members of a link that are judged; all others are prose.
const LINK: &[&str] = &["operationId", "operationRef", "parameters", "requestBody", "server"];

/// Keywords of a list that a single value satisfies, as far as their values allow it. Other keywords, such as `enum`,
/// restrict the list as a whole.
const LIST_OF_ONE: &[&str] = &["type", "items", "minItems", "maxItems", "uniqueItems", "default", "deprecated"];

impl<'a> Walk<'a> {
    /// Compares the members of both objects under `key` by name: members of both with `both`, others by `rule`, which gets
    /// the name, the member and whether it is added. `noun` is the word for a member.
    pub(super) fn members(
        &mut self,
        (kind, key, noun): (Kind, &str, &str),
        owner: &Sides<'a>,
        both: impl Fn(&mut Self, &Sides<'a>),
        rule: impl Fn(&str, &Side<'a>, bool) -> &'static Rule,
    ) {
        let owners = owner.member(key);
        let members = owners.map(|side| {
            let members = side.value.as_object().into_iter().flatten();
            let members = members.filter(|(name, _)| kind != Kind::Response || !name.starts_with("x-"));
            members.map(|(name, value)| (folded(kind, name), (name.as_str(), value))).collect::<Vec<_>>()
        });
        for members in paired(members).into_values() {
            let Some((name, _)) = members[0].or(members[1]) else { continue };
            let label = match kind {
                Kind::MediaType | Kind::Response => name.to_owned(),
                _ => format!("{noun} {name}"),
            };
            let at = |side: usize| join(&owners.0[side].at, members[side].map_or(name, |(name, _)| name));
            let side = |walk: &Self, side: usize| match members[side] {
                Some((_, value)) => Side::follow(walk.documents()[side], value, at(side)),
                None => Side::plain(None, at(side)),
            };
            self.step(label, |walk| match members {
                [Some((_, old)), Some((_, new))] => {
                    let member = walk.follow([(old, at(0)), (new, at(1))]);
                    both(walk, &member);
                }
                [old, _] => {
                    let member = Sides([side(walk, 0), side(walk, 1)]);
                    let listed = &member.0[usize::from(old.is_none())];
                    walk.added_or_removed(rule(name, listed, old.is_none()), &member, noun);
                }
            });
        }
    }

    /// Reports a part that only one release has.
    fn added_or_removed(&mut self, rule: &'static Rule, part: &Sides<'a>, noun: &str) {
        let verb = if part.0[0].value.is_null() { "added" } else { "removed" };
        self.report(rule, part.map(|side| side.site.clone()), format!("the {noun} is {verb}"));
    }

    /// The parameters of an operation: its own, and those of its path that it does not override.
    pub(super) fn parameters(&mut self, item: &Sides<'a>, operation: &Sides<'a>, renamed: &HashMap<&str, &str>) {
        let direction = self.request_direction();
        let documents = self.documents();
        let lists = [0, 1].map(|side: usize| {
            let renamed = (side == 1).then_some(renamed);
            let own = declared(documents[side], operation.0[side].value, &operation.0[side].at);
            let inherited = declared(documents[side], item.0[side].value, &item.0[side].at);
            own.into_iter().chain(inherited).map(move |one| (key(&one, renamed), one))
        });
        let mut one_sided: [Vec<Declared<'a>>; 2] = [Vec::new(), Vec::new()];
        for pair in paired(lists).into_values() {
            match pair {
                [Some(old), Some(new)] => {
                    let parameter = self.follow([(old.listed, old.site.clone()), (new.listed, new.site.clone())]);
                    self.step(label(&new), |walk| walk.parameter(&parameter, new.location));
                }
                [old, new] => {
                    one_sided[0].extend(old);
                    one_sided[1].extend(new);
                }
            }
        }
        // In the list of the operation or in that of its path: a parameter of the path is reported once.
        let would_be = |one: &Declared<'a>, side: usize| {
            let own = one.site.starts_with(&format!("{}/parameters/", operation.0[side].at));
            format!("{}/parameters/-", if own { &operation.0[1 - side].at } else { &item.0[1 - side].at })
        };
        let [removed, mut added] = one_sided;
        for old in removed {
            let is_moved = |new: &Declared<'a>| new.location != old.location && new.name.eq_ignore_ascii_case(old.name);
            if let Some(index) = added.iter().position(is_moved) {
                let new = added.remove(index);
                let sentence = format!("the parameter moves from {} to {}", old.location, new.location);
                let (at, location) = ([old.site.clone(), new.site], Value::from(new.location));
                let rule = rules::PART_MOVED.on(direction);
                self.step(label(&old), |walk| walk.report_values(rule, at, sentence, [None, Some(&location)]));
                continue;
            }
            let side = Side::plain(Some(old.parameter), old.site.clone());
            let rule = match side.flag("required") {
                _ if direction == Direction::Request && old.location == "query" => rules::QUERY_PARAMETER_REMOVED,
                true => rules::REQUIRED_PART_REMOVED.on(direction),
                false => rules::PART_REMOVED.on(direction),
            };
            let part = Sides([side, Side::plain(None, would_be(&old, 0))]);
            self.step(label(&old), |walk| walk.added_or_removed(rule, &part, "parameter"));
        }
        for new in added {
            let side = Side::plain(Some(new.parameter), new.site.clone());
            let rule = if side.flag("required") { rules::PART_ADDED_REQUIRED } else { rules::PART_ADDED };
            let part = Sides([Side::plain(None, would_be(&new, 1)), side]);
            self.step(label(&new), |walk| walk.added_or_removed(rule.on(direction), &part, "parameter"));
        }
    }

    fn parameter(&mut self, parameter: &Sides<'a>, location: &str) {
        let direction = self.request_direction();
        for key in ["allowReserved", "allowEmptyValue"] {
            match parameter.flags(key) {
                [true, false] => self.changed(rules::PART_LENIENCY_WITHDRAWN.on(direction), parameter, key),
                [false, true] => self.changed(rules::PART_LENIENCY_GRANTED.on(direction), parameter, key),
                _ => {}
            }
        }
        self.rest(|key| PARAMETER.contains(&key) || PART.contains(&key), parameter);
        self.part(parameter, location, direction);
    }

    /// A parameter or header.
    fn part(&mut self, part: &Sides<'a>, location: &str, direction: Direction) {
        // A path parameter is always required.
        let required = part.flags("required").map(|required| required || location == "path");
        self.required(part, required, [rules::PART_BECAME_REQUIRED, rules::PART_BECAME_OPTIONAL], direction);
        if let [false, true] | [true, false] = part.flags("deprecated") {
            let is_deprecated = part.0[1].flag("deprecated");
            let rule = if is_deprecated { rules::PART_DEPRECATED } else { rules::PART_REVIVED };
            self.report(rule, part.at("deprecated"), deprecation(is_deprecated));
        }
        let documents = self.documents();
        let views = [0, 1].map(|side| EffectiveSchema::of(documents[side], &part.0[side].schema()));
        let is_query = direction == Direction::Request && location == "query";
        let items = if is_query { items_of_list(part, [&views[0], &views[1]]) } else { None };
        let is_single = items.is_some() || views.iter().all(|view| view.types().is_scalar());
        self.serialization(part, location, direction, is_single);
        match (items, part.get("content").map(|content| content.is_some())) {
            (Some(items), _) => {
                let types = views.map(|view| Value::from(view.types().to_string()));
                let at = part.map(|side| join(&side.schema().at, "type"));
                let sentence = "a list of values is accepted where a single value was";
                let rule = rules::TYPE_WIDENED.on(direction);
                self.step("type", |walk| {
                    walk.report_values(rule, at, sentence, [Some(&types[0]), Some(&types[1])]);
                });
                self.step("items", |walk| walk.text(|walk| walk.schema(direction, [part.0[0].schema(), items])));
            }
            (None, [false, false]) => self.text(|walk| walk.schema(direction, part.map(Side::schema))),
            (None, [true, true]) => self.content(part, direction),
            _ => {}
        }
    }

    /// Compares what is inside as values that are written as text.
    fn text(&mut self, inside: impl FnOnce(&mut Self)) {
        self.text = true;
        inside(self);
        self.text = false;
    }

    /// Compares `required`, with the rules for what becomes required and what becomes optional.
    fn required(&mut self, part: &Sides<'a>, required: [bool; 2], becomes: [ByDirection; 2], direction: Direction) {
        let (rule, sentence) = match required {
            [false, true] => (becomes[0], "now required"),
            [true, false] => (becomes[1], "no longer required"),
            _ => return,
        };
        self.report(rule.on(direction), part.at("required"), sentence);
    }

    /// How a parameter or header is written: `style` and `explode`, or `content`. `explode` has no effect on one value.
    fn serialization(&mut self, part: &Sides<'a>, location: &str, direction: Direction, is_single: bool) {
        let serializations = part.map(|side| match side.value.get("content") {
            Some(_) => Value::from("content"),
            None => Value::from(format!("style {}, explode {}", side.style(location), side.explode(location))),
        });
        let is_same_style = serializations[0] != "content"
            && serializations[1] != "content"
            && part.0[0].style(location) == part.0[1].style(location);
        let rule = match is_single && is_same_style {
            true => rules::PART_SERIALIZATION_SPELLED,
            false => rules::PART_SERIALIZATION_CHANGED,
        };
        if serializations[0] != serializations[1] {
            let values = [Some(&serializations[0]), Some(&serializations[1])];
            let at = part.map(|side| side.at.clone());
            self.report_values(rule.on(direction), at, sentence("the serialization", values), values);
        }
    }

    pub(super) fn body(&mut self, operation: &Sides<'a>) {
        let direction = self.request_direction();
        let at = operation.at("requestBody");
        self.step("body", |walk| match operation.get("requestBody") {
            [Some(old), Some(new)] => {
                let [old_at, new_at] = at;
                let body = walk.follow([(old, old_at), (new, new_at)]);
                let becomes = [rules::BODY_BECAME_REQUIRED, rules::BODY_BECAME_OPTIONAL];
                walk.required(&body, body.flags("required"), becomes, direction);
                walk.rest(|key| matches!(key, "required" | "content"), &body);
                walk.content(&body, direction);
            }
            [None, Some(new)] => {
                let is_required = Side::follow(walk.documents()[1], new, String::new()).flag("required");
                let rule = if is_required { rules::BODY_ADDED_REQUIRED } else { rules::BODY_ADDED };
                walk.report(rule.on(direction), at, "the body is added");
            }
            [Some(_), None] => walk.report(rules::BODY_REMOVED.on(direction), at, "the body is removed"),
            [None, None] => {}
        });
    }

    /// Media types.
    fn content(&mut self, owner: &Sides<'a>, direction: Direction) {
        self.members(
            (Kind::MediaType, "content", "media type"),
            owner,
            |walk, media_type| {
                walk.rest(|key| matches!(key, "schema" | "encoding"), media_type);
                walk.schema(direction, media_type.map(Side::schema));
                let rule = rules::ENCODING_CHANGED.on(direction);
                let encodings = media_type.get("encoding");
                let is_empty = |value: Option<&Value>| {
                    value.is_none_or(|value| value.as_object().is_some_and(|all| all.is_empty()))
                };
                if !both_same(encodings) && !encodings.into_iter().all(is_empty) {
                    walk.changed(rule, media_type, "encoding");
                }
                let written = encodings.map(|encoding| encoding.into_iter().collect());
                walk.step("encoding", |walk| walk.referred_components(rule, "encoding", written));
            },
            |_, _, is_added| {
                let rule = if is_added { rules::MEDIA_TYPE_ADDED } else { rules::MEDIA_TYPE_REMOVED };
                rule.on(direction)
            },
        );
    }

    pub(super) fn responses(&mut self, operation: &Sides<'a>) {
        let direction = self.response_direction();
        let responses = operation.member("responses");
        self.rest(|key| !key.starts_with("x-"), &responses);
        self.members((Kind::Response, "responses", "status"), operation, Walk::response, |status, _, is_added| {
            // 2XX is a success like 200; `default` covers failures.
            let rule = match (is_added, status.bytes().next()) {
                (false, Some(b'2')) => rules::SUCCESS_STATUS_REMOVED,
                (false, _) => rules::OTHER_STATUS_REMOVED,
                (true, Some(b'1'..=b'3')) => rules::SUCCESS_STATUS_ADDED,
                (true, _) => rules::FAILURE_STATUS_ADDED,
            };
            rule.on(direction)
        });
    }

    fn response(&mut self, response: &Sides<'a>) {
        let direction = self.response_direction();
        self.rest(|key| matches!(key, "headers" | "content" | "links"), response);
        self.members(
            (Kind::Header, "headers", "header"),
            response,
            |walk, header| {
                walk.rest(|key| PART.contains(&key), header);
                walk.part(header, "header", direction);
            },
            |_, header, is_added| {
                let rule = match (is_added, header.flag("required")) {
                    (true, true) => rules::PART_ADDED_REQUIRED,
                    (true, false) => rules::PART_ADDED,
                    (false, true) => rules::REQUIRED_PART_REMOVED,
                    (false, false) => rules::PART_REMOVED,
                };
                rule.on(direction)
            },
        );
        self.content(response, direction);
        self.members(
            (Kind::Link, "links", "link"),
            response,
            |walk, link| {
                walk.rest(|key| LINK.contains(&key), link);
                for key in LINK.iter().filter(|key| link.get(key)[0] != link.get(key)[1]) {
                    walk.changed(rules::LINK_CHANGED, link, key);
                }
            },
            |_, _, is_added| if is_added { rules::LINK_ADDED } else { rules::LINK_REMOVED },
        );
    }
}

/// The items of a list that a single value becomes, if the text of the single value is a list of one: in a query with
/// `style: form` and `explode: true`, `?a=1` is both.
fn items_of_list<'a>(part: &Sides<'a>, [old, new]: [&EffectiveSchema<'a>; 2]) -> Option<Subschema<'a>> {
    let is_form = part.map(|side| side.style("query") == "form" && side.value.get("schema").is_some());
    let limit = |key: &str| new.value(key).and_then(|(value, _)| value.as_f64());
    let accepts_one = new.has_only(&[PROSE, LIST_OF_ONE].concat())
        && new.unions.is_empty()
        && limit("minItems").is_none_or(|limit| limit <= 1.0)
        && limit("maxItems").is_none_or(|limit| limit >= 1.0);
    let is_single = old.types().is_scalar() && old.types() != Types::NONE && new.types().is_array();
    let is_exploded = is_form == [true, true] && part.0[1].explode("query");
    (is_exploded && is_single && accepts_one).then(|| new.under("items"))
}

/// The identity of a parameter, with the old name of a path parameter that was renamed.
fn key(one: &Declared<'_>, renamed: Option<&HashMap<&str, &str>>) -> (String, String) {
    let (location, name) = one.key();
    let old_name = renamed.filter(|_| location == "path").and_then(|renamed| renamed.get(&*name).copied());
    (location.to_owned(), old_name.unwrap_or(&name).to_owned())
}

fn label(one: &Declared<'_>) -> String {
    format!("{} {}", one.location, one.name)
}
