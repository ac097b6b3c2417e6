//! Parameters: which exist, where they are sent, and what each accepts.

use std::collections::HashSet;

use serde_json::Value;

use crate::change::Direction;
use crate::messages::{Followed, flag};
use crate::node::Schema;
use crate::operations::SamePath;
use crate::part_rules;
use crate::rules;
use crate::types::Types;
use crate::view::{PROSE, View};
use crate::walk::Walk;
use openapi_contract::Kind;
use openapi_contract::equivalence::folded;
use openapi_contract::operation::is_planned;
use openapi_contract::paths::{self, Declared, Endpoint, Path};
use openapi_contract::pointer::join;

/// Members of a parameter that are judged; all others are prose.
const PARAMETER: &[&str] = &[
    "name",
    "in",
    "required",
    "deprecated",
    "allowReserved",
    "allowEmptyValue",
    "style",
    "explode",
    "schema",
    "content",
];

/// Keywords of a list that a single value satisfies, as far as their values allow it.
const LIST_OF_ONE: &[&str] = &["type", "items", "minItems", "maxItems", "uniqueItems", "default", "deprecated"];

impl<'a> Walk<'a> {
    pub(super) fn parameters(&mut self, path: &SamePath<'_, 'a>, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let mine = path.old.parameters(self.old.document(), old);
        let others = path.new.parameters(self.new.document(), new);
        self.declared(path, mine, others, [&old.pointer, &new.pointer]);
    }

    /// The parameters of a path that none of its operations inherits: each has its own of that name, or there is none.
    pub(super) fn inherited_parameters(&mut self, path: &SamePath<'_, 'a>) {
        let overridden = |document: &'a Value, path: &Path<'a>| {
            let mut overridden = paths::declared(document, path.item, &path.pointer);
            for endpoint in path.endpoints().filter(|endpoint| !is_planned(endpoint.operation)) {
                let inherited: HashSet<String> =
                    path.parameters(document, &endpoint).into_iter().map(|one| one.site).collect();
                overridden.retain(|one| !inherited.contains(&one.site));
            }
            overridden.into_iter().map(|one| one.site).collect::<HashSet<String>>()
        };
        let (old, new) = (self.old.document(), self.new.document());
        let overridden = [overridden(old, path.old), overridden(new, path.new)];
        if overridden.iter().all(HashSet::is_empty) {
            return;
        }
        let mut mine = paths::declared(old, path.old.item, &path.old.pointer);
        let mut others = paths::declared(new, path.new.item, &path.new.pointer);
        let keys: HashSet<(String, String)> = mine
            .iter()
            .filter(|one| overridden[0].contains(&one.site))
            .chain(others.iter().filter(|one| overridden[1].contains(&one.site)))
            .map(owned_key)
            .collect();
        mine.retain(|one| keys.contains(&owned_key(one)));
        others.retain(|one| keys.contains(&owned_key(one)));
        self.as_rule(rules::OVERRIDDEN_CHANGED, |walk| {
            walk.declared(path, mine, others, [&path.old.pointer, &path.new.pointer]);
        });
    }

    /// Compares two lists of parameters. `owners` are the pointers of the operations or paths that have them.
    fn declared(
        &mut self,
        path: &SamePath<'_, 'a>,
        mine: Vec<Declared<'a>>,
        mut rest: Vec<Declared<'a>>,
        owners: [&str; 2],
    ) {
        let old_name = |one: &Declared<'a>| match one.location {
            "path" => path.renamed.get(one.name).copied().unwrap_or(one.name),
            _ => one.name,
        };
        let old_key = |one: &Declared<'a>| (one.location.to_owned(), folded(kind_of(one), old_name(one)).into_owned());
        let mut removed = Vec::new();
        for mine in mine {
            let key = (mine.location.to_owned(), mine.key().1.into_owned());
            match rest.iter().position(|other| old_key(other) == key) {
                Some(index) => {
                    let other = rest.remove(index);
                    self.step(label(&other), |walk| walk.parameter(&mine, &other));
                }
                None => removed.push(mine),
            }
        }
        // In the list of the operation or in that of its path: a parameter of the path is reported once.
        let listed = |one: &Declared<'a>, has: &str, other: &str, path: &Path<'a>| {
            let own = one.site.strip_prefix(has).is_some_and(|rest| rest.starts_with("/parameters/"));
            join(if own { other } else { &path.pointer }, "parameters")
        };
        let direction = self.request_direction();
        let is_request = direction == Direction::Request;
        for mine in removed {
            let moves =
                |other: &Declared<'a>| other.location != mine.location && other.name.eq_ignore_ascii_case(mine.name);
            let moved = rest.iter().position(moves);
            let (rule, sentence, at, to) = match moved {
                Some(index) => {
                    let other = rest.remove(index);
                    let sentence = format!("the parameter moves from {} to {}", mine.location, other.location);
                    (part_rules::PART_MOVED.on(direction), sentence, other.site, Some(Value::from(other.location)))
                }
                None => {
                    let rule = match flag(mine.parameter, "required") {
                        _ if is_request && mine.location == "query" => rules::QUERY_PARAMETER_REMOVED,
                        true => part_rules::REQUIRED_PART_REMOVED.on(direction),
                        false => part_rules::PART_REMOVED.on(direction),
                    };
                    let would_be = listed(&mine, owners[0], owners[1], path.new);
                    (rule, "the parameter is removed".to_owned(), join(&would_be, "-"), None)
                }
            };
            let at = [mine.site.clone(), at];
            self.step(label(&mine), |walk| walk.report_values(rule, at, sentence, [None, to.as_ref()]));
        }
        for other in rest {
            let (rule, sentence) = if flag(other.parameter, "required") {
                (part_rules::PART_ADDED_REQUIRED, "a required parameter is added")
            } else {
                (part_rules::PART_ADDED, "an optional parameter is added")
            };
            let would_be = listed(&other, owners[1], owners[0], path.old);
            let at = [join(&would_be, "-"), other.site.clone()];
            self.step(label(&other), |walk| walk.report(rule.on(direction), at, sentence));
        }
    }

    fn parameter(&mut self, old: &Declared<'a>, new: &Declared<'a>) {
        let direction = self.request_direction();
        let location = new.location;
        let old_side = self.follow(true, old.listed, old.site.clone());
        let new_side = self.follow(false, new.listed, new.site.clone());
        // A path parameter is always required.
        let required = [&old_side, &new_side].map(|side| location == "path" || side.flag("required"));
        let becomes =
            [part_rules::PART_BECAME_REQUIRED, part_rules::PART_BECAME_OPTIONAL].map(|rule| rule.on(direction));
        self.required([&old_side, &new_side], required, becomes);
        for key in ["allowReserved", "allowEmptyValue"] {
            let (rule, verb) = match (old_side.flag(key), new_side.flag(key)) {
                (true, false) => (part_rules::PART_LENIENCY_WITHDRAWN, "removed"),
                (false, true) => (part_rules::PART_LENIENCY_GRANTED, "set"),
                _ => continue,
            };
            let at = [join(&old_side.at, key), join(&new_side.at, key)];
            self.step(key, |walk| walk.report(rule.on(direction), at, format!("`{key}` is {verb}")));
        }
        self.part(PARAMETER, &old_side, &new_side);
        let items = self.items_of_list(&old_side, &new_side, location, direction);
        self.serialization(&old_side, &new_side, location, direction, items.is_some());
        let Some(items) = items else { return self.described(&old_side, &new_side, direction) };
        let at = [join(&old_side.schema().at, "type"), join(&new_side.schema().at, "type")];
        let sentence = "a list of values is accepted where a single value was";
        let types = [(self.old, &old_side), (self.new, &new_side)]
            .map(|(release, side)| Value::from(View::of(release.document(), &side.schema()).types().to_string()));
        let rule = rules::TYPE_WIDENED.on(direction);
        self.step("type", |walk| walk.report_values(rule, at, sentence, [Some(&types[0]), Some(&types[1])]));
        self.step("items", |walk| walk.as_text(|walk| walk.schema(direction, old_side.schema(), items)));
    }

    /// The items of a list that a single value becomes, if the text of the single value is a list of one: in a query with
    /// `style: form` and `explode: true`, `?a=1` is both.
    fn items_of_list(
        &self,
        old: &Followed<'a>,
        new: &Followed<'a>,
        location: &str,
        direction: Direction,
    ) -> Option<Schema<'a>> {
        let is_form =
            [old, new].iter().all(|side| side.style(location) == "form" && side.value.get("schema").is_some());
        if direction != Direction::Request || location != "query" || !is_form || !new.explode(location) {
            return None;
        }
        let view = View::of(self.new.document(), &new.schema());
        let types = View::of(self.old.document(), &old.schema()).types();
        let number = |key: &str| view.value(key).and_then(|(value, _)| value.as_f64());
        // Other keywords, such as `enum`, restrict the list as a whole.
        let keys: Vec<&str> = PROSE.iter().copied().chain(LIST_OF_ONE.iter().copied()).collect();
        let accepts_one = view.has_only(&keys)
            && view.unions.is_empty()
            && number("minItems").is_none_or(|limit| limit <= 1.0)
            && number("maxItems").is_none_or(|limit| limit >= 1.0);
        let single = types.is_scalar() && types != Types::NONE && view.types().is_array();
        (single && accepts_one).then(|| view.under("items"))
    }
}

fn owned_key(one: &Declared<'_>) -> (String, String) {
    let (location, name) = one.key();
    (location.to_owned(), name.into_owned())
}

fn kind_of(one: &Declared<'_>) -> Kind {
    if one.location == "header" { Kind::Header } else { Kind::Parameter }
}

fn label(one: &Declared<'_>) -> String {
    format!("{} {}", one.location, one.name)
}
