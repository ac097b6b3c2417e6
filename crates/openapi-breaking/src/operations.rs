//! Operations: which there are, how long they stay, and what is said of each as a whole.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::fingerprint::without_names;
use crate::moves::Moves;
use crate::rules;
use crate::walk::Walk;
use crate::{Day, Rule};
use openapi_contract::equivalence::whole;
use openapi_contract::method::Method;
use openapi_contract::operation::is_planned;
use openapi_contract::paths::{self, Endpoint, Path};
use openapi_contract::pointer::{self, join};

/// A path that both have, and what its parameters were called.
pub(super) struct SamePath<'p, 'a> {
    pub(super) old: &'p Path<'a>,
    pub(super) new: &'p Path<'a>,
    /// New name of a path parameter → old name.
    pub(super) renamed: HashMap<&'a str, &'a str>,
}

/// What is judged of an operation.
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
    pub(super) fn document(&mut self) {
        self.leftovers();
        self.paths();
    }

    fn paths(&mut self) {
        let old: Vec<Path<'a>> = items(self.old.document()).collect();
        let mut rest: BTreeMap<&str, Path<'a>> = items(self.new.document()).map(|path| (path.template, path)).collect();
        // The same words first: only what is left over may have been renamed.
        let mut same: Vec<Option<Path<'a>>> = old.iter().map(|path| rest.remove(path.template)).collect();
        let mut nameless: HashMap<String, Vec<&str>> = HashMap::new();
        for template in rest.keys() {
            nameless.entry(without_names(template)).or_default().push(template);
        }
        for (path, found) in old.iter().zip(&mut same).filter(|(_, found)| found.is_none()) {
            let template = nameless.get_mut(&without_names(path.template)).and_then(Vec::pop);
            *found = template.and_then(|template| rest.remove(template));
        }
        let pairs = || old.iter().zip(&same);
        let come = pairs().filter_map(|(path, found)| Some((found.as_ref()?, Some(path))));
        let come = come.chain(rest.values().map(|path| (path, None)));
        self.moves = Moves::between(pairs().map(|(path, found)| (path, found.as_ref())), come);
        for (path, found) in old.iter().zip(&same) {
            match found {
                Some(other) => self.path(path, other),
                None => {
                    for endpoint in path.endpoints() {
                        let at = [endpoint.pointer.clone(), join("/paths", path.template)];
                        self.step(label(path, &endpoint), |walk| walk.removed(&endpoint, at));
                    }
                    self.empty_path(path, "the path, which has no operation, is gone");
                }
            }
        }
        for path in rest.values() {
            for endpoint in path.endpoints() {
                let at = [join(&join("/paths", path.template), endpoint.method.key()), endpoint.pointer.clone()];
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
            let sentence = format!("`{}` is now written `{}`", old.template, new.template);
            self.step(new.template, |walk| {
                let at = [old.site.clone(), new.site.clone()];
                walk.report_values(rules::PATH_PARAMETER_RENAMED, at, sentence, [Some(&values[0]), Some(&values[1])]);
            });
        }
        let judged: Vec<&str> =
            Method::ALL.iter().map(|method| method.key()).chain(["parameters", "servers"]).collect();
        let references = [self.references_of(true, old), self.references_of(false, new)];
        let path = SamePath { old, new, renamed };
        self.step(new.template, |walk| {
            walk.rest(&judged, (old.item, &old.pointer), (new.item, &new.pointer));
            walk.beside([&references[0], &references[1]], [&old.site, &new.site]);
            walk.parameters_by_default(&path);
            walk.servers_of_path(old, new);
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
        let deprecated = endpoint.operation.get("deprecated") == Some(&Value::Bool(true));
        let (rule, sentence) = match (deprecated, sunset(endpoint)) {
            (false, _) => (rules::OPERATION_REMOVED, "the operation is gone".to_owned()),
            (true, None) => (rules::OPERATION_REMOVED_WITHOUT_SUNSET, "the deprecated operation is gone".to_owned()),
            (true, Some((day, text))) if day > self.today => {
                (rules::OPERATION_REMOVED_BEFORE_SUNSET, format!("the operation is gone, though its sunset is {text}"))
            }
            (true, Some((_, text))) => {
                (rules::OPERATION_REMOVED_AFTER_SUNSET, format!("the operation is gone, as its sunset {text} told"))
            }
        };
        let sentence = match self.moves.from(endpoint) {
            Some((id, is)) => {
                at[1] = is.pointer;
                format!("{sentence}: `{id}` is now at {}", is.label)
            }
            None => sentence,
        };
        self.report(rule, at, sentence);
    }

    fn operation(&mut self, path: &SamePath<'_, 'a>, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let at = |key: &str| [join(&old.pointer, key), join(&new.pointer, key)];
        match (is_planned(old.operation), is_planned(new.operation)) {
            (true, true) => {
                if old.operation != new.operation {
                    let at = [old.pointer.clone(), new.pointer.clone()];
                    let plans = [Some(old.operation), Some(new.operation)];
                    self.report_values(rules::PLANNED_CHANGED, at, "the plan changes", plans);
                }
                return;
            }
            (true, false) => return self.report(rules::OPERATION_BUILT, at("x-status"), "the operation is built"),
            (false, true) => {
                return self.report(rules::OPERATION_WITHDRAWN, at("x-status"), "the operation is only planned");
            }
            (false, false) => {}
        }
        self.identity(old, new);
        self.lifecycle(old, new);
        self.body_limit(old, new);
        self.rest(OPERATION, (old.operation, &old.pointer), (new.operation, &new.pointer));
        let callbacks = [old.operation.get("callbacks"), new.operation.get("callbacks")];
        self.not_judged("callbacks", at("callbacks"), callbacks);
        self.security(old, new);
        self.servers_of(path, old, new);
        self.parameters(path, old, new);
        self.body(old, new);
        self.responses(old, new);
    }

    fn identity(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let ids = [old.operation.get("operationId"), new.operation.get("operationId")];
        let at = |key: &str| [join(&old.pointer, key), join(&new.pointer, key)];
        if ids[0] != ids[1] {
            let text = |id: Option<&Value>| id.and_then(Value::as_str).unwrap_or("nothing").to_owned();
            let sentence = format!("`operationId` changes from {} to {}", text(ids[0]), text(ids[1]));
            self.step("operationId", |walk| {
                walk.report_values(rules::OPERATION_ID_CHANGED, at("operationId"), sentence, ids);
            });
        }
        let tags = |endpoint: &Endpoint<'a>| {
            endpoint.operation.get("tags").and_then(Value::as_array).into_iter().flatten().collect::<Vec<_>>()
        };
        let (mine, others) = (tags(old), tags(new));
        self.step("tags", |walk| {
            for tag in mine.iter().filter(|tag| !others.contains(tag)) {
                walk.report_values(rules::TAG_REMOVED, at("tags"), format!("the tag {tag} is gone"), [Some(tag), None]);
            }
            for tag in others.iter().filter(|tag| !mine.contains(tag)) {
                walk.report_values(rules::TAG_ADDED, at("tags"), format!("the tag {tag} is added"), [None, Some(tag)]);
            }
        });
    }

    /// Deprecation (RFC 9745) and sunset (RFC 8594).
    fn lifecycle(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let deprecated = |endpoint: &Endpoint<'a>| endpoint.operation.get("deprecated") == Some(&Value::Bool(true));
        let at = |key: &str| [join(&old.pointer, key), join(&new.pointer, key)];
        let sunsets = [sunset(old), sunset(new)];
        let has_come = |day: Day| day <= self.today;
        let mut found: Vec<(&'static Rule, &str, String)> = Vec::new();
        match (deprecated(old), deprecated(new)) {
            (false, true) => found.push(match &sunsets[1] {
                Some((_, text)) => {
                    (rules::OPERATION_DEPRECATED, "deprecated", format!("deprecated, and stays until {text}"))
                }
                None => (
                    rules::OPERATION_DEPRECATED_WITHOUT_SUNSET,
                    "deprecated",
                    "deprecated, and nobody says until when it stays".to_owned(),
                ),
            }),
            (true, false) => found.push((rules::OPERATION_REVIVED, "deprecated", "no longer deprecated".to_owned())),
            _ => {}
        }
        match &sunsets {
            [None, Some((day, text))] => {
                if has_come(*day) {
                    found.push((
                        rules::SUNSET_IN_THE_PAST,
                        "x-sunset",
                        format!("the sunset is set to {text}, which has come"),
                    ));
                } else if deprecated(old) || !deprecated(new) {
                    found.push((rules::SUNSET_SET, "x-sunset", format!("it stays until {text}")));
                }
            }
            [Some((_, text)), None] if deprecated(new) || !deprecated(old) => {
                found.push((rules::SUNSET_REMOVED, "x-sunset", format!("the sunset {text} is taken away")));
            }
            [Some((before, from)), Some((after, to))] if before != after => {
                let rule = if after < before { rules::SUNSET_EARLIER } else { rules::SUNSET_LATER };
                found.push((rule, "x-sunset", format!("the sunset moves from {from} to {to}")));
            }
            _ => {}
        }
        let values = [old.operation.get("x-sunset"), new.operation.get("x-sunset")];
        let mut told = false;
        for (rule, key, sentence) in found {
            told |= key == "x-sunset" || rule == rules::OPERATION_DEPRECATED || rule == rules::OPERATION_REVIVED;
            self.step(key, |walk| walk.report_values(rule, at(key), sentence, values));
        }
        if !told {
            // Another hour of the same day, or what is no day at all.
            self.prose(&["x-sunset"], (old.operation, &old.pointer), (new.operation, &new.pointer));
        }
    }

    fn body_limit(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        const KEY: &str = "x-max-body-bytes";
        let values = [old.operation.get(KEY), new.operation.get(KEY)];
        let (rule, sentence) = match values.map(|value| value.and_then(whole)) {
            [None, Some(new)] => (rules::MAX_BODY_LOWERED, format!("bodies may have {new} bytes at most")),
            [Some(old), None] => (rules::MAX_BODY_RAISED, format!("bodies may have more than {old} bytes")),
            [Some(old), Some(new)] if new < old => {
                (rules::MAX_BODY_LOWERED, format!("bodies may have {new} bytes at most, it was {old}"))
            }
            [Some(old), Some(new)] if new > old => {
                (rules::MAX_BODY_RAISED, format!("bodies may have {new} bytes, it was {old}"))
            }
            // What is no number of bytes.
            _ => return self.prose(&[KEY], (old.operation, &old.pointer), (new.operation, &new.pointer)),
        };
        let at = [join(&old.pointer, KEY), join(&new.pointer, KEY)];
        self.step(KEY, |walk| walk.report_values(rule, at, sentence, values));
    }
}

/// The paths of a document that are any: not extensions, nor references that lead nowhere.
pub(super) fn items(document: &Value) -> impl Iterator<Item = Path<'_>> {
    paths::paths(document).filter(|path| path.item.is_object() && !path.template.starts_with("x-"))
}

pub(super) fn label(path: &Path<'_>, endpoint: &Endpoint<'_>) -> String {
    format!("{} {}", endpoint.method, path.template)
}

/// The day on which an operation goes, and how it is written.
fn sunset<'a>(endpoint: &Endpoint<'a>) -> Option<(Day, &'a str)> {
    let text = endpoint.operation.get("x-sunset")?.as_str()?;
    Some((Day::parse(text)?, text))
}
