//! Requests and responses around their schemas: parameters, bodies, media types, statuses, headers, links.

use serde_json::Value;

use crate::effective_schema::{EffectiveSchema, PROSE};
use crate::fingerprint::without_names;
use crate::rule::Direction;
use crate::rule::Rule;
use crate::rules::*;
use crate::sides::{Side, Sides, both_same, paired};
use crate::subschema::Subschema;
use crate::types::Types;
use crate::walk::Walk;
use openapi_contract::Kind;
use openapi_contract::equivalence::folded;
use openapi_contract::pointer::join;

/// Members of a parameter or header that have rules; all others are prose.
const PART: &[&str] = &["required", "deprecated", "style", "explode", "schema", "content"];

/// The same, of parameters only.
const PARAMETER: &[&str] = &["name", "in", "allowReserved", "allowEmptyValue"];

/// Members of a link that have rules; all others are prose.
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
            let members = side.members().filter(|(name, _)| kind != Kind::Response || !name.starts_with("x-"));
            members.map(|(name, member)| (folded(kind, name), (name, member))).collect::<Vec<_>>()
        });
        for members in paired(members).into_values() {
            let Some((name, _)) = members.iter().flatten().next().cloned() else { continue };
            let member = Sides::of(members.map(|member| member.map(|(_, member)| member)), &owners, name).followed();
            let label = match kind {
                Kind::MediaType | Kind::Response => name.to_owned(),
                _ => format!("{noun} {name}"),
            };
            self.step(label, |walk| match member.exist() {
                [true, true] => both(walk, &member),
                [_, is_added] => {
                    walk.added_or_removed(rule(name, &member.0[usize::from(is_added)], is_added), &member, noun)
                }
            });
        }
    }

    /// Reports a part that only one release has.
    fn added_or_removed(&mut self, rule: &'static Rule, part: &Sides<'a>, noun: &str) {
        let verb = if part.exist()[1] { "added" } else { "removed" };
        self.report(rule, part.sites(), format!("the {noun} is {verb}"));
    }

    /// The parameters of an operation: its own, and those of its path that it does not override.
    pub(super) fn parameters(&mut self, item: &Sides<'a>, operation: &Sides<'a>, templates: [&str; 2]) {
        let direction = self.request_direction();
        let lists = [0, 1].map(|side: usize| {
            let owners = [operation, item].map(|owner| owner.0[side].member("parameters"));
            let parameters = owners.into_iter().flat_map(|list| list.items()).map(|listed| listed.followed());
            parameters.filter_map(move |parameter| Some((key(&parameter, templates[side])?, parameter)))
        });
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        for pair in paired(lists).into_values() {
            match pair {
                [Some(old), Some(new)] => {
                    self.step(label(&new), |walk| walk.parameter(&Sides([old, new])));
                }
                [old, new] => {
                    removed.extend(old);
                    added.extend(new);
                }
            }
        }
        // In the list of the operation or in that of its path: a parameter of the path is reported once.
        let owner = |one: &Side<'a>| {
            let is_own = operation.at("parameters").iter().any(|list| one.site().starts_with(list));
            if is_own { operation.member("parameters") } else { item.member("parameters") }
        };
        for old in removed {
            let (place, name) = (old.text("in"), old.text("name"));
            let is_moved = |new: &Side<'a>| new.text("in") != place && new.text("name").eq_ignore_ascii_case(name);
            let moved = added.iter().position(is_moved).map(|index| added.remove(index));
            let rule = match old.flag("required") {
                _ if direction == Direction::Request && place == "query" => QUERY_PARAMETER_REMOVED,
                true => REQUIRED_PART_REMOVED.on(direction),
                false => PART_REMOVED.on(direction),
            };
            self.step(label(&old), |walk| match moved {
                Some(new) => {
                    let places = [place, new.text("in")].map(|place| Some(Value::from(place)));
                    let sites = Sides([old, new]).sites();
                    walk.report_value(PART_MOVED.on(direction), sites, "the location", places);
                }
                None => {
                    let owner = owner(&old);
                    walk.added_or_removed(rule, &Sides::of([Some(old), None], &owner, "-"), "parameter");
                }
            });
        }
        for new in added {
            let rule = if new.flag("required") { PART_ADDED_REQUIRED } else { PART_ADDED };
            let (label, owner) = (label(&new), owner(&new));
            let part = Sides::of([None, Some(new)], &owner, "-");
            self.step(label, |walk| walk.added_or_removed(rule.on(direction), &part, "parameter"));
        }
    }

    fn parameter(&mut self, parameter: &Sides<'a>) {
        let direction = self.request_direction();
        let rules = [PART_LENIENCY_GRANTED, PART_LENIENCY_WITHDRAWN].map(|rule| rule.on(direction));
        self.flag(parameter, "allowReserved", rules);
        self.flag(parameter, "allowEmptyValue", rules);
        self.rest(|key| PARAMETER.contains(&key) || PART.contains(&key), parameter);
        self.part(parameter, parameter.0[1].text("in"), direction);
    }

    /// A parameter or header.
    fn part(&mut self, part: &Sides<'a>, location: &str, direction: Direction) {
        // A path parameter is always required.
        if location != "path" {
            let rules = [PART_BECAME_REQUIRED, PART_BECAME_OPTIONAL];
            self.flag(part, "required", rules.map(|rule| rule.on(direction)));
        }
        self.flag(part, "deprecated", [PART_DEPRECATED, PART_REVIVED]);
        let views = part.map(|side| EffectiveSchema::of(&side.schema()));
        let is_query = direction == Direction::Request && location == "query";
        let items = if is_query { items_of_list(part, [&views[0], &views[1]]) } else { None };
        let is_single = items.is_some() || views.iter().all(|view| view.types().is_scalar());
        self.serialization(part, location, direction, is_single);
        match (items, part.get("content").map(|content| content.is_some())) {
            (Some(items), _) => {
                let types = views.map(|view| Some(Value::from(view.types().to_string())));
                let at = part.map(|side| join(&side.schema().at, "type"));
                self.step("type", |walk| walk.report_value(TYPE_WIDENED.on(direction), at, "`type`", types));
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

    /// Compares a flag, with the rules for one that is set and for one that is removed.
    fn flag(&mut self, part: &Sides<'a>, key: &str, [set, removed]: [&'static Rule; 2]) {
        match part.flags(key) {
            [false, true] => self.changed(set, part, key),
            [true, false] => self.changed(removed, part, key),
            _ => {}
        }
    }

    /// How a parameter or header is written: `style` and `explode`, or `content`. `explode` has no effect on one value.
    fn serialization(&mut self, part: &Sides<'a>, location: &str, direction: Direction, is_single: bool) {
        let serializations = part.map(|side| match side.value.get("content") {
            Some(_) => Value::from("content"),
            None => Value::from(format!("style {}, explode {}", side.style(location), side.explode(location))),
        });
        let styles = part.map(|side| (side.style(location), side.value.get("content").is_none()));
        let is_spelling = is_single && styles[0] == styles[1] && styles[0].1;
        let rule = if is_spelling { PART_SERIALIZATION_SPELLED } else { PART_SERIALIZATION_CHANGED };
        if serializations[0] != serializations[1] {
            let at = part.map(|side| side.at.clone());
            self.report_value(rule.on(direction), at, "the serialization", serializations.map(Some));
        }
    }

    pub(super) fn body(&mut self, operation: &Sides<'a>) {
        let direction = self.request_direction();
        let body = operation.member("requestBody").followed();
        self.step("body", |walk| {
            let rule = match (body.exist(), body.flags("required")) {
                ([true, true], _) => {
                    let rules = [BODY_BECAME_REQUIRED, BODY_BECAME_OPTIONAL];
                    walk.flag(&body, "required", rules.map(|rule| rule.on(direction)));
                    walk.rest(|key| matches!(key, "required" | "content"), &body);
                    return walk.content(&body, direction);
                }
                ([false, false], _) => return,
                ([true, false], _) => BODY_REMOVED,
                (_, [_, true]) => BODY_ADDED_REQUIRED,
                (_, [_, false]) => BODY_ADDED,
            };
            walk.added_or_removed(rule.on(direction), &body, "body");
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
                let rule = ENCODING_CHANGED.on(direction);
                let encodings = media_type.get("encoding");
                if !both_same(encodings) {
                    walk.changed(rule, media_type, "encoding");
                }
                let written = encodings.map(|encoding| encoding.into_iter().collect());
                walk.step("encoding", |walk| walk.referred_components(rule, "encoding", written));
            },
            |_, _, is_added| {
                let rule = if is_added { MEDIA_TYPE_ADDED } else { MEDIA_TYPE_REMOVED };
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
                (false, Some(b'2')) => SUCCESS_STATUS_REMOVED,
                (false, _) => OTHER_STATUS_REMOVED,
                (true, Some(b'1'..=b'3')) => SUCCESS_STATUS_ADDED,
                (true, _) => FAILURE_STATUS_ADDED,
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
                    (true, true) => PART_ADDED_REQUIRED,
                    (true, false) => PART_ADDED,
                    (false, true) => REQUIRED_PART_REMOVED,
                    (false, false) => PART_REMOVED,
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
                    walk.changed(LINK_CHANGED, link, key);
                }
            },
            |_, _, is_added| if is_added { LINK_ADDED } else { LINK_REMOVED },
        );
    }
}

/// The items of a list that a single value becomes, if the text of the single value is a list of one: in a query with
/// `style: form` and `explode: true`, `?a=1` is both.
fn items_of_list<'a>(part: &Sides<'a>, [old, new]: [&EffectiveSchema<'a>; 2]) -> Option<Subschema<'a>> {
    let is_form = part.map(|side| side.style("query") == "form" && side.value.get("schema").is_some());
    let limit = |key: &str| new.value(key).and_then(|found| found.value.as_f64());
    let accepts_one = new.has_only(&[PROSE, LIST_OF_ONE].concat())
        && new.unions.is_empty()
        && limit("minItems").is_none_or(|limit| limit <= 1.0)
        && limit("maxItems").is_none_or(|limit| limit >= 1.0);
    let is_single = old.types().is_scalar() && old.types() != Types::NONE && new.types() == Types::ARRAY;
    let is_exploded = is_form == [true, true] && part.0[1].explode("query");
    (is_exploded && is_single && accepts_one).then(|| new.under("items"))
}

/// The identity of a parameter: its location and name; of a path parameter its place in the template, since it may have
/// been renamed.
fn key(parameter: &Side<'_>, template: &str) -> Option<(String, String)> {
    let (location, name) = (parameter.text("in"), parameter.text("name"));
    let kind = if location == "header" { Kind::Header } else { Kind::Parameter };
    let place = template.split_once(&format!("{{{name}}}")).map(|(before, _)| without_names(before));
    let key = place.filter(|_| location == "path").unwrap_or_else(|| folded(kind, name).into_owned());
    (parameter.value.get("in").is_some() && parameter.value.get("name").is_some()).then(|| (location.to_owned(), key))
}

fn label(parameter: &Side<'_>) -> String {
    format!("{} {}", parameter.text("in"), parameter.text("name"))
}
