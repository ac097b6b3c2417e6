//! Parameters: which there are, where they are carried, and what each says.

use std::collections::HashSet;

use serde_json::Value;

use crate::exchange::flag;
use crate::operations::SamePath;
use crate::walk::Walk;
use crate::{Direction, rules};
use openapi_contract::Kind;
use openapi_contract::equivalence::folded;
use openapi_contract::operation::is_planned;
use openapi_contract::paths::{self, Declared, Endpoint, Path};
use openapi_contract::pointer::join;

/// What is judged of a parameter.
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

impl<'a> Walk<'a> {
    pub(super) fn parameters(&mut self, path: &SamePath<'_, 'a>, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let mine = path.old.parameters(self.old.document(), old);
        let others = path.new.parameters(self.new.document(), new);
        self.declared(path, mine, others, [&old.pointer, &new.pointer]);
    }

    /// The parameters of a path that none of its operations takes from there: each has its own of that name, or there is
    /// none.
    pub(super) fn parameters_by_default(&mut self, path: &SamePath<'_, 'a>) {
        let idle = |document: &'a Value, path: &Path<'a>| {
            let mut idle = paths::declared(document, path.item, &path.pointer);
            for endpoint in path.endpoints().filter(|endpoint| !is_planned(endpoint.operation)) {
                let taken: HashSet<String> =
                    path.parameters(document, &endpoint).into_iter().map(|taken| taken.site).collect();
                idle.retain(|one| !taken.contains(&one.site));
            }
            idle.into_iter().map(|one| one.site).collect::<HashSet<String>>()
        };
        let (old, new) = (self.old.document(), self.new.document());
        let idle = [idle(old, path.old), idle(new, path.new)];
        if idle.iter().all(HashSet::is_empty) {
            return;
        }
        let mut mine = paths::declared(old, path.old.item, &path.old.pointer);
        let mut others = paths::declared(new, path.new.item, &path.new.pointer);
        let idle_keys: HashSet<(String, String)> = mine
            .iter()
            .filter(|one| idle[0].contains(&one.site))
            .chain(others.iter().filter(|one| idle[1].contains(&one.site)))
            .map(owned_key)
            .collect();
        mine.retain(|one| idle_keys.contains(&owned_key(one)));
        others.retain(|one| idle_keys.contains(&owned_key(one)));
        self.quietly(rules::OVERRIDDEN_CHANGED, |walk| {
            walk.declared(path, mine, others, [&path.old.pointer, &path.new.pointer]);
        });
    }

    /// Holds two lists of parameters against each other; `owners` are what has them, or what they are listed for.
    fn declared(
        &mut self,
        path: &SamePath<'_, 'a>,
        mine: Vec<Declared<'a>>,
        mut rest: Vec<Declared<'a>>,
        owners: [&str; 2],
    ) {
        let name_then = |one: &Declared<'a>| match one.location {
            "path" => path.renamed.get(one.name).copied().unwrap_or(one.name),
            _ => one.name,
        };
        let key_then =
            |one: &Declared<'a>| (one.location.to_owned(), folded(kind_of(one), name_then(one)).into_owned());
        let mut gone = Vec::new();
        for mine in mine {
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
        let listed = |one: &Declared<'a>, has: &str, other: &str, path: &Path<'a>| {
            let own = one.site.strip_prefix(has).is_some_and(|rest| rest.starts_with("/parameters/"));
            join(if own { other } else { &path.pointer }, "parameters")
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
                    let would_be = listed(&mine, owners[0], owners[1], path.new);
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
            let would_be = listed(&other, owners[1], owners[0], path.old);
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
        self.part(PARAMETER, &old_found, &new_found);
        self.serialization(&old_found, &new_found, new.location, Direction::Request);
        self.described(&old_found, &new_found, Direction::Request);
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
