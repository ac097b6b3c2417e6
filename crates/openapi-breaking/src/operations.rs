//! Operations: which exist, and what each declares besides its messages.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::fingerprint::without_names;
use crate::moves::{Moves, label};
use crate::release::Day;
use crate::rule::Rule;
use crate::rules;
use crate::walk::Walk;
use openapi_contract::equivalence::whole;
use openapi_contract::method::Method;
use openapi_contract::operation::is_planned;
use openapi_contract::paths::{Endpoint, Path};
use openapi_contract::pointer::{self, join};

/// A path of both releases.
pub(super) struct SamePath<'p, 'a> {
    pub(super) old: &'p Path<'a>,
    pub(super) new: &'p Path<'a>,
    /// New name of a path parameter → old name.
    pub(super) renamed: HashMap<&'a str, &'a str>,
}

/// Members of an operation that are judged; all others are prose.
const OPERATION: &[&str] = &[
    "operationId",
    "tags",
    "deprecated",
    "x-sunset",
    "x-status",
    "x-max-body-bytes",
    "security",
    "servers",
    "parameters",
    "requestBody",
    "responses",
    "callbacks",
];

impl<'a> Walk<'a> {
    /// Compares two maps of path items, such as `paths`, that are at these pointers.
    pub(super) fn paths(&mut self, old: Vec<Path<'a>>, new: Vec<Path<'a>>, maps: [&str; 2]) {
        let mut rest: BTreeMap<&str, Path<'a>> = new.into_iter().map(|path| (path.template, path)).collect();
        // Equal templates first: only of the others, path parameters may have been renamed.
        let mut same: Vec<Option<Path<'a>>> = old.iter().map(|path| rest.remove(path.template)).collect();
        if !self.sent_by_server {
            let mut nameless: HashMap<String, Vec<&str>> = HashMap::new();
            for template in rest.keys() {
                nameless.entry(without_names(template)).or_default().push(template);
            }
            for (path, found) in old.iter().zip(&mut same).filter(|(_, found)| found.is_none()) {
                let template = nameless.get_mut(&without_names(path.template)).and_then(Vec::pop);
                *found = template.and_then(|template| rest.remove(template));
            }
            let pairs = || old.iter().zip(&same);
            let added = pairs().filter_map(|(path, found)| Some((found.as_ref()?, Some(path))));
            let added = added.chain(rest.values().map(|path| (path, None)));
            self.moves = Moves::between(pairs().map(|(path, found)| (path, found.as_ref())), added);
        }
        for (path, found) in old.iter().zip(&same) {
            match found {
                Some(other) => self.path(path, other),
                None => {
                    for endpoint in path.endpoints() {
                        let at = [endpoint.pointer.clone(), join(maps[1], path.template)];
                        self.step(label(path, &endpoint), |walk| walk.removed(&endpoint, at));
                    }
                    self.empty_path(path, "the path, which has no operation, is removed");
                }
            }
        }
        for path in rest.values() {
            for endpoint in path.endpoints() {
                let at = [join(&join(maps[0], path.template), endpoint.method.key()), endpoint.pointer.clone()];
                self.step(label(path, &endpoint), |walk| walk.added(&endpoint, at));
            }
            self.empty_path(path, "the path is added, without an operation");
        }
    }

    fn empty_path(&mut self, path: &Path<'a>, sentence: &str) {
        if path.endpoints().next().is_none() {
            let at = [path.site.clone(), path.site.clone()];
            self.step(path.template, |walk| walk.report(rules::PROSE_CHANGED, at, sentence));
        }
    }

    fn path(&mut self, old: &Path<'a>, new: &Path<'a>) {
        let names = |path: &Path<'a>| path.template_names().unwrap_or_default();
        let renamed: HashMap<_, _> = names(new).into_iter().zip(names(old)).filter(|(new, old)| new != old).collect();
        if !renamed.is_empty() {
            let values = [Value::from(old.template), Value::from(new.template)];
            let sentence = format!("`{}` is renamed to `{}`", old.template, new.template);
            self.step(new.template, |walk| {
                let at = [old.site.clone(), new.site.clone()];
                walk.report_values(rules::PATH_PARAMETER_RENAMED, at, sentence, [Some(&values[0]), Some(&values[1])]);
            });
        }
        let mut judged: Vec<&str> = Method::ALL.iter().map(|method| method.key()).chain(["parameters"]).collect();
        if !self.sent_by_server {
            judged.push("servers");
        }
        let references = [self.references_of(true, old), self.references_of(false, new)];
        let path = SamePath { old, new, renamed };
        self.step(new.template, |walk| {
            walk.rest(&judged, (old.item, &old.pointer), (new.item, &new.pointer));
            walk.beside([&references[0], &references[1]], [&old.site, &new.site]);
            walk.inherited_parameters(&path);
            if !walk.sent_by_server {
                walk.servers_of_path(old, new);
            }
        });
        for method in Method::ALL {
            let of = |path: &Path<'a>| path.endpoints().find(|endpoint| endpoint.method == method);
            match (of(old), of(new)) {
                (Some(mine), Some(other)) => self.step(label(new, &other), |walk| walk.operation(&path, &mine, &other)),
                (Some(mine), None) => {
                    let at = [mine.pointer.clone(), join(&new.pointer, method.key())];
                    self.step(label(old, &mine), |walk| walk.removed(&mine, at));
                }
                (None, Some(other)) => {
                    let at = [join(&old.pointer, method.key()), other.pointer.clone()];
                    self.step(label(new, &other), |walk| walk.added(&other, at));
                }
                (None, None) => {}
            }
        }
    }

    /// The references that lead to a path item.
    fn references_of(&mut self, is_old: bool, path: &Path<'a>) -> Vec<(&'a Value, String)> {
        let document = if is_old { self.old.document() } else { self.new.document() };
        self.visit(is_old, &path.pointer);
        let references =
            pointer::find(document, &path.site).map(|item| pointer::references(document, item, &path.site));
        let references = references.unwrap_or_default();
        references.iter().for_each(|(_, at)| self.visit(is_old, at));
        references
    }

    fn added(&mut self, endpoint: &Endpoint<'a>, [old_at, new_at]: [String; 2]) {
        if is_planned(endpoint.operation) {
            self.report(rules::PLANNED_CHANGED, [old_at, new_at], "the operation is planned");
        } else if let Some((id, was)) = self.moves.to(endpoint) {
            let sentence = format!("the operation is added: `{id}` was at {}", was.label);
            self.report(rules::OPERATION_ADDED, [was.pointer, new_at], sentence);
        } else {
            self.report(rules::OPERATION_ADDED, [old_at, new_at], "the operation is added");
        }
    }

    fn removed(&mut self, endpoint: &Endpoint<'a>, mut at: [String; 2]) {
        if is_planned(endpoint.operation) {
            self.report(rules::PLANNED_CHANGED, at, "the operation is no longer planned");
            return;
        }
        let (rule, mut sentence) = match (is_deprecated(endpoint), sunset(endpoint)) {
            (false, _) => (rules::OPERATION_REMOVED, "the operation is removed".to_owned()),
            (true, None) => (rules::OPERATION_REMOVED_WITHOUT_SUNSET, "the deprecated operation is removed".to_owned()),
            (true, Some((day, text))) if day > self.today => {
                (rules::OPERATION_REMOVED_BEFORE_SUNSET, format!("the operation is removed before its sunset {text}"))
            }
            (true, Some((_, text))) => {
                (rules::OPERATION_REMOVED_AFTER_SUNSET, format!("the operation is removed after its sunset {text}"))
            }
        };
        if let Some((id, is)) = self.moves.from(endpoint) {
            sentence = format!("{sentence}: `{id}` is now at {}", is.label);
            at[1] = is.pointer;
        }
        self.report(rule, at, sentence);
    }

    fn operation(&mut self, path: &SamePath<'_, 'a>, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let at = |key: &str| [join(&old.pointer, key), join(&new.pointer, key)];
        match (is_planned(old.operation), is_planned(new.operation)) {
            (true, true) => {
                if old.operation != new.operation {
                    let at = [old.pointer.clone(), new.pointer.clone()];
                    let plans = [Some(old.operation), Some(new.operation)];
                    self.report_values(rules::PLANNED_CHANGED, at, "the planned operation changes", plans);
                }
                return;
            }
            (true, false) => {
                return self.report(rules::OPERATION_BUILT, at("x-status"), "the operation is implemented");
            }
            (false, true) => {
                return self.report(rules::OPERATION_WITHDRAWN, at("x-status"), "the operation becomes planned");
            }
            (false, false) => {}
        }
        self.identity(old, new);
        self.lifecycle(old, new);
        self.rest(OPERATION, (old.operation, &old.pointer), (new.operation, &new.pointer));
        if self.sent_by_server {
            self.sent_operation(old, new);
        } else {
            self.body_limit(old, new);
            self.security(old, new);
            self.servers_of(path, old, new);
        }
        self.parameters(path, old, new);
        self.body(old, new);
        self.responses(old, new);
        self.callbacks(old, new);
    }

    fn identity(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let ids = [old.operation.get("operationId"), new.operation.get("operationId")];
        let at = |key: &str| [join(&old.pointer, key), join(&new.pointer, key)];
        if ids[0] != ids[1] {
            let text = |id: Option<&Value>| id.and_then(Value::as_str).unwrap_or("none").to_owned();
            let sentence = format!("`operationId` changes from {} to {}", text(ids[0]), text(ids[1]));
            // Without an old id there is no old name that generated clients use.
            let rule = if ids[0].is_some() { rules::OPERATION_ID_CHANGED } else { rules::PROSE_CHANGED };
            self.step("operationId", |walk| walk.report_values(rule, at("operationId"), sentence, ids));
        }
        let tags = |endpoint: &Endpoint<'a>| {
            endpoint.operation.get("tags").and_then(Value::as_array).into_iter().flatten().collect::<Vec<_>>()
        };
        let (mine, others) = (tags(old), tags(new));
        self.step("tags", |walk| {
            for tag in mine.iter().filter(|tag| !others.contains(tag)) {
                let sentence = format!("the tag {tag} is removed");
                walk.report_values(rules::TAG_REMOVED, at("tags"), sentence, [Some(tag), None]);
            }
            for tag in others.iter().filter(|tag| !mine.contains(tag)) {
                walk.report_values(rules::TAG_ADDED, at("tags"), format!("the tag {tag} is added"), [None, Some(tag)]);
            }
        });
    }

    /// Deprecation (RFC 9745) and sunset (RFC 8594).
    fn lifecycle(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        const SUNSET: &str = "x-sunset";
        let at = |key: &str| [join(&old.pointer, key), join(&new.pointer, key)];
        let deprecated = [is_deprecated(old), is_deprecated(new)];
        let sunsets = [sunset(old), sunset(new)];
        let mut found: Vec<(&'static Rule, &str, String)> = Vec::new();
        match (deprecated, &sunsets[1]) {
            ([false, true], Some((_, text))) => {
                found.push((rules::OPERATION_DEPRECATED, "deprecated", format!("deprecated, with the sunset {text}")));
            }
            ([false, true], None) => {
                let sentence = "deprecated without a sunset".to_owned();
                found.push((rules::OPERATION_DEPRECATED_WITHOUT_SUNSET, "deprecated", sentence));
            }
            ([true, false], _) => {
                found.push((rules::OPERATION_REVIVED, "deprecated", "no longer deprecated".to_owned()));
            }
            _ => {}
        }
        match &sunsets {
            [None, Some((day, text))] if *day <= self.today => {
                found.push((rules::SUNSET_IN_THE_PAST, SUNSET, format!("the sunset {text} has already passed")));
            }
            [None, Some((_, text))] if deprecated != [false, true] => {
                found.push((rules::SUNSET_SET, SUNSET, format!("the sunset is set to {text}")));
            }
            [Some((_, text)), None] if deprecated != [true, false] => {
                found.push((rules::SUNSET_REMOVED, SUNSET, format!("the sunset {text} is removed")));
            }
            [Some((before, from)), Some((after, to))] if before != after => {
                let rule = if after < before { rules::SUNSET_EARLIER } else { rules::SUNSET_LATER };
                found.push((rule, SUNSET, format!("the sunset moves from {from} to {to}")));
            }
            _ => {}
        }
        let values = [old.operation.get(SUNSET), new.operation.get(SUNSET)];
        let mut is_reported = false;
        for (rule, key, sentence) in found {
            is_reported |= rule != rules::OPERATION_DEPRECATED_WITHOUT_SUNSET;
            self.step(key.to_owned(), |walk| walk.report_values(rule, at(key), sentence, values));
        }
        if !is_reported {
            // Another time of the same day, or a value that is no day.
            self.prose(&[SUNSET], (old.operation, &old.pointer), (new.operation, &new.pointer));
        }
    }

    fn body_limit(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        const KEY: &str = "x-max-body-bytes";
        let values = [old.operation.get(KEY), new.operation.get(KEY)];
        let limits = values.map(|value| value.and_then(whole));
        let (rule, sentence) = match limits {
            [None, Some(new)] => (rules::MAX_BODY_LOWERED, format!("the body limit is set to {new} bytes")),
            [Some(old), None] => (rules::MAX_BODY_RAISED, format!("the body limit of {old} bytes is removed")),
            [Some(old), Some(new)] if new != old => {
                let rule = if new < old { rules::MAX_BODY_LOWERED } else { rules::MAX_BODY_RAISED };
                (rule, format!("the body limit changes from {old} to {new} bytes"))
            }
            // A value that is no number of bytes.
            _ => return self.prose(&[KEY], (old.operation, &old.pointer), (new.operation, &new.pointer)),
        };
        let at = [join(&old.pointer, KEY), join(&new.pointer, KEY)];
        self.step(KEY, |walk| walk.report_values(rule, at, sentence, values));
    }
}

/// The path items of a map, such as `paths`, that is at this pointer; without extensions.
pub(super) fn path_items<'a>(document: &'a Value, map: Option<&'a Value>, at: &str) -> Vec<Path<'a>> {
    let members = map.and_then(Value::as_object).into_iter().flatten().filter(|(name, _)| !name.starts_with("x-"));
    let items = members.filter_map(|(template, listed)| {
        let site = join(at, template);
        let (item, pointer) = pointer::resolve(document, listed, site.clone())?;
        item.is_object().then_some(Path { template, site, item, pointer })
    });
    items.collect()
}

fn is_deprecated(endpoint: &Endpoint<'_>) -> bool {
    endpoint.operation.get("deprecated") == Some(&Value::Bool(true))
}

/// The day of the sunset, and its text.
fn sunset<'a>(endpoint: &Endpoint<'a>) -> Option<(Day, &'a str)> {
    let text = endpoint.operation.get("x-sunset")?.as_str()?;
    Some((Day::parse(text)?, text))
}
