//! The alternatives of `security`, and the schemes that they use.
//!
//! A client satisfies one alternative. It still does if some alternative of the new release requires no scheme and no scope
//! beyond that one. So an alternative that requires more than another is implied by it, and `{}` implies all others:
//! adding or removing an implied alternative changes nothing for any client.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::rule::Rule;
use crate::rules;
use crate::walk::Walk;
use openapi_contract::paths::Endpoint;
use openapi_contract::pointer::{self, join};

/// Scheme → scopes.
type Alternative<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The members that define how credentials are sent and obtained.
const SCHEME: [&str; 5] = ["type", "in", "name", "scheme", "openIdConnectUrl"];

impl<'a> Walk<'a> {
    pub(super) fn security(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let old = effective(self.old.document(), old);
        let new = effective(self.new.document(), new);
        self.alternatives(old, new);
    }

    /// The `security` of the document, whether or not an operation inherits it.
    pub(super) fn default_security(&mut self) {
        const AT: &str = "/security";
        let [old, new] = [self.old, self.new].map(|release| parsed(release.document().get("security")));
        self.as_rule(rules::OVERRIDDEN_CHANGED, |walk| walk.alternatives((old, AT.to_owned()), (new, AT.to_owned())));
    }

    fn alternatives(
        &mut self,
        (mine, old_at): (Vec<Alternative<'a>>, String),
        (others, new_at): (Vec<Alternative<'a>>, String),
    ) {
        let mut found: Vec<(&'static Rule, String, [Option<Value>; 2])> = Vec::new();
        let (removed, kept): (Vec<&Alternative<'a>>, Vec<_>) =
            mine.iter().partition(|one| !others.iter().any(|other| suffices(one, other)));
        let (added, implied): (Vec<&Alternative<'a>>, Vec<_>) =
            others.iter().partition(|other| !mine.iter().any(|one| suffices(other, one)));
        for one in &removed {
            let scopes_only = others.iter().any(|other| one.keys().eq(other.keys()));
            let name = named(one);
            let (rule, sentence) = if one.is_empty() {
                (rules::SECURITY_REQUIRED, format!("credentials are required: {}", list(&others)))
            } else if scopes_only {
                (rules::SECURITY_SCOPE_ADDED, format!("{name} is no longer sufficient: {}", list(&others)))
            } else {
                (rules::SECURITY_ALTERNATIVE_REMOVED, format!("{name} is no longer sufficient: {}", list(&others)))
            };
            found.push((rule, sentence, [Some(Value::from(name)), Some(Value::from(list(&others)))]));
        }
        // An alternative that an old one implies allows no new clients.
        for other in &added {
            let name = named(other);
            let scopes_only = mine.iter().any(|one| one.keys().eq(other.keys()) && suffices(one, other));
            let (rule, sentence) = if other.is_empty() {
                (rules::SECURITY_LIFTED, "no credentials are required".to_owned())
            } else if scopes_only {
                (rules::SECURITY_SCOPE_REMOVED, format!("{name} is sufficient"))
            } else {
                (rules::SECURITY_ALTERNATIVE_ADDED, format!("{name} is sufficient too"))
            };
            found.push((rule, sentence, [None, Some(Value::from(name))]));
        }
        // What is replaced by an alternative that requires less, or more, is reported with that one.
        for one in kept.into_iter().filter(|one| !others.contains(one) && !added.iter().any(|new| suffices(one, new))) {
            let name = named(one);
            let sentence = format!("{name} is removed, and less is sufficient");
            found.push((rules::SECURITY_IMPLIED_REMOVED, sentence, [Some(Value::from(name)), None]));
        }
        for other in
            implied.into_iter().filter(|other| !mine.contains(other) && !removed.iter().any(|one| suffices(other, one)))
        {
            let name = named(other);
            let sentence = format!("{name} is added, but less is sufficient");
            found.push((rules::SECURITY_IMPLIED_ADDED, sentence, [None, Some(Value::from(name))]));
        }
        self.step("security", |walk| {
            for (rule, sentence, [before, after]) in found {
                let at = [old_at.clone(), new_at.clone()];
                walk.report_values(rule, at, sentence, [before.as_ref(), after.as_ref()]);
            }
        });
    }

    /// The security schemes of both releases.
    pub(super) fn security_schemes(&mut self) {
        const AT: &str = "/components/securitySchemes";
        let all = |document: &'a Value| document.pointer(AT).and_then(Value::as_object);
        let (Some(mine), Some(others)) = (all(self.old.document()), all(self.new.document())) else { return };
        let followed = |document: &'a Value, scheme: &'a Value| {
            pointer::resolve(document, scheme, String::new()).map_or(scheme, |(scheme, _)| scheme)
        };
        for (name, old) in mine {
            let Some(new) = others.get(name) else { continue };
            let at = join(AT, name);
            let [old, new] = [followed(self.old.document(), old), followed(self.new.document(), new)];
            self.step(format!("security {name}"), |walk| walk.security_scheme(old, new, &at));
        }
    }

    fn security_scheme(&mut self, old: &'a Value, new: &'a Value, at: &str) {
        for key in SCHEME {
            let values = [old.get(key), new.get(key)];
            let lower = |value: Option<&Value>| value.map(|value| value.to_string().to_ascii_lowercase());
            // Names of schemes (RFC 9110 §11.1) and of headers are case-insensitive.
            let differs = match key {
                "scheme" | "name" => lower(values[0]) != lower(values[1]),
                _ => values[0] != values[1],
            };
            if differs {
                let at = [join(at, key), join(at, key)];
                let sentence = format!("`{key}` changes");
                self.step(key, |walk| walk.report_values(rules::SECURITY_SCHEME_CHANGED, at, sentence, values));
                if key == "type" {
                    // Their other members cannot be compared.
                    return;
                }
            }
        }
        let judged: Vec<&str> = SCHEME.into_iter().chain(["flows"]).collect();
        self.rest(&judged, (old, at), (new, at));
        self.flows(old, new, &join(at, "flows"));
    }

    fn flows(&mut self, old: &'a Value, new: &'a Value, at: &str) {
        let (mine, others) = (facts(old.get("flows")), facts(new.get("flows")));
        let nothing = &Value::Null;
        let [all, all_now] = [old, new].map(|scheme| scheme.get("flows").unwrap_or(nothing));
        let flows = all.as_object().into_iter().chain(all_now.as_object()).flatten();
        let flows: Vec<&str> = flows.filter(|(_, flow)| flow.is_object()).map(|(key, _)| key.as_str()).collect();
        self.rest(&flows, (all, at), (all_now, at));
        for (place, value) in &mine {
            let here = place.iter().fold(at.to_owned(), |at, token| join(&at, token));
            let pointers = [here.clone(), here];
            let (rule, sentence) = match others.get(place) {
                Some(other) if other == value => continue,
                Some(_) if place.len() > 2 => (rules::PROSE_CHANGED, "the description of the scope changed".to_owned()),
                Some(_) => (rules::SECURITY_FLOW_CHANGED, format!("`{}` changes", place.join(" → "))),
                None => (rules::SECURITY_FLOW_CHANGED, format!("`{}` is removed", place.join(" → "))),
            };
            self.report_values(rule, pointers, sentence, [Some(value), others.get(place).copied()]);
        }
        for place in others.keys().filter(|place| !mine.contains_key(*place)) {
            let here = place.iter().fold(at.to_owned(), |at, token| join(&at, token));
            self.report(rules::SECURITY_FLOW_ADDED, [here.clone(), here], format!("`{}` is added", place.join(" → ")));
        }
    }
}

/// Every URL and scope of every flow, by its path.
fn facts(flows: Option<&Value>) -> BTreeMap<Vec<&str>, &Value> {
    let mut facts = BTreeMap::new();
    for (flow, members) in flows.and_then(Value::as_object).into_iter().flatten() {
        for (key, value) in members.as_object().into_iter().flatten() {
            match value.as_object() {
                Some(scopes) => {
                    facts.extend(scopes.iter().map(|(scope, prose)| (vec![flow.as_str(), key, scope], prose)));
                }
                None => drop(facts.insert(vec![flow.as_str(), key.as_str()], value)),
            }
        }
    }
    facts
}

/// The alternatives of an operation, and their pointer. Without any, no credentials are required.
fn effective<'a>(document: &'a Value, endpoint: &Endpoint<'a>) -> (Vec<Alternative<'a>>, String) {
    let own = endpoint.operation.get("security");
    let at = if own.is_some() { join(&endpoint.pointer, "security") } else { "/security".to_owned() };
    (parsed(own.or_else(|| document.get("security"))), at)
}

fn parsed(security: Option<&Value>) -> Vec<Alternative<'_>> {
    let listed = security.and_then(Value::as_array);
    fn scopes(list: &Value) -> BTreeSet<&str> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
    fn alternative(one: &Value) -> Alternative<'_> {
        one.as_object().into_iter().flatten().map(|(scheme, list)| (scheme.as_str(), scopes(list))).collect()
    }
    let mut alternatives: Vec<Alternative<'_>> = listed.into_iter().flatten().map(alternative).collect();
    if alternatives.is_empty() {
        alternatives.push(Alternative::new());
    }
    alternatives
}

/// Whether the credentials of `has` satisfy `required`.
fn suffices(has: &Alternative<'_>, required: &Alternative<'_>) -> bool {
    required.iter().all(|(scheme, scopes)| has.get(scheme).is_some_and(|has| scopes.is_subset(has)))
}

fn named(alternative: &Alternative<'_>) -> String {
    let one = |(scheme, scopes): (&&str, &BTreeSet<&str>)| match scopes.is_empty() {
        true => (*scheme).to_owned(),
        false => format!("{scheme} ({})", scopes.iter().copied().collect::<Vec<_>>().join(", ")),
    };
    if alternative.is_empty() {
        "nothing".to_owned()
    } else {
        alternative.iter().map(one).collect::<Vec<_>>().join(" and ")
    }
}

fn list(alternatives: &[Alternative<'_>]) -> String {
    let mut all: Vec<String> = alternatives.iter().map(named).collect();
    all.sort();
    all.join(", or ")
}
