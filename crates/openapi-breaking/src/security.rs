//! The alternatives of `security`, and the schemes that they use.
//!
//! A client satisfies one alternative. It still does if some alternative of the new release requires no scheme and no scope
//! beyond that one. So an alternative that requires more than another is implied by it, and `{}` implies all others:
//! adding or removing an implied alternative changes nothing for any client.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::rule::Rule;
use crate::rules::*;
use crate::sides::{Sides, both_same, paired};
use crate::walk::Walk;
use openapi_contract::pointer::join;

/// Scheme → scopes.
type Alternative<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The members that define how credentials are sent and obtained.
const SCHEME: [&str; 5] = ["type", "in", "name", "scheme", "openIdConnectUrl"];

impl<'a> Walk<'a> {
    /// The alternatives of an operation: its own, else the document's.
    pub(super) fn security(&mut self, operation: &Sides<'a>) {
        let root = self.root();
        let owner = |side: usize| if operation.get("security")[side].is_some() { operation } else { &root };
        let owners = [owner(0), owner(1)];
        let lists = [0, 1].map(|side| owners[side].0[side].member("security"));
        let at = lists.each_ref().map(|list| list.at.clone());
        let [old, new] = lists.map(|list| alternatives(list.value));
        let is_added = |other: &Alternative<'a>| !old.iter().any(|one| suffices(other, one));
        let is_removed = |one: &Alternative<'a>| !new.iter().any(|other| suffices(one, other));
        let mut found: Vec<(&Rule, [Option<Value>; 2])> = Vec::new();
        for one in old.iter().filter(|one| !new.contains(one)) {
            let rule = match is_removed(one) {
                true if one.is_empty() => SECURITY_REQUIRED,
                true if new.iter().any(|other| one.keys().eq(other.keys())) => SECURITY_SCOPE_ADDED,
                true => SECURITY_ALTERNATIVE_REMOVED,
                // What is replaced by an alternative that requires less is reported with that one.
                false if new.iter().any(|other| is_added(other) && suffices(one, other)) => continue,
                false => SECURITY_IMPLIED_REMOVED,
            };
            let others = is_removed(one).then(|| Value::from(list(&new)));
            found.push((rule, [Some(Value::from(named(one))), others]));
        }
        for other in new.iter().filter(|other| !old.contains(other)) {
            let rule = match is_added(other) {
                true if other.is_empty() => SECURITY_LIFTED,
                true if old.iter().any(|one| one.keys().eq(other.keys()) && suffices(one, other)) => {
                    SECURITY_SCOPE_REMOVED
                }
                true => SECURITY_ALTERNATIVE_ADDED,
                false if old.iter().any(|one| is_removed(one) && suffices(other, one)) => continue,
                false => SECURITY_IMPLIED_ADDED,
            };
            found.push((rule, [None, Some(Value::from(named(other)))]));
        }
        self.step("security", |walk| {
            for (rule, values) in found {
                walk.report_value(rule, at.clone(), "an alternative", values);
            }
        });
    }

    /// The security schemes of both releases.
    pub(super) fn security_schemes(&mut self) {
        let schemes = self.root().member("components").member("securitySchemes");
        for name in schemes.keys().collect::<BTreeSet<_>>() {
            let scheme = schemes.member(name).followed();
            if scheme.exist() == [true, true] {
                self.step(format!("security {name}"), |walk| walk.security_scheme(&scheme));
            }
        }
    }

    fn security_scheme(&mut self, scheme: &Sides<'a>) {
        for key in SCHEME {
            let values = scheme.get(key);
            let lower = values.map(|value| value.map(|value| value.to_string().to_ascii_lowercase()));
            // Names of schemes (RFC 9110 §11.1) and of headers are case-insensitive.
            let is_same = values[0] == values[1] || matches!(key, "scheme" | "name") && lower[0] == lower[1];
            if !is_same {
                self.changed(SECURITY_SCHEME_CHANGED, scheme, key);
                if key == "type" {
                    // Their other members cannot be compared.
                    return;
                }
            }
        }
        self.rest(|key| key == "flows" || SCHEME.contains(&key), scheme);
        let flows = scheme.member("flows");
        self.rest(|key| flows.get(key).into_iter().flatten().any(Value::is_object), &flows);
        for (path, values) in paired(flows.map(|flows| entries(flows.value))) {
            let at = flows.map(|flows| path.iter().fold(flows.at.clone(), |at, token| join(&at, token)));
            let rule = match values {
                _ if both_same(values) => continue,
                [None, _] => SECURITY_FLOW_ADDED,
                // The description of a scope.
                [Some(_), Some(_)] if path.len() > 2 => PROSE_CHANGED,
                _ => SECURITY_FLOW_CHANGED,
            };
            self.report_value(rule, at, &format!("`{}`", path.join(" → ")), values.map(|value| value.cloned()));
        }
    }
}

/// Every URL and scope of every flow, by its path.
fn entries(flows: &Value) -> BTreeMap<Vec<&str>, &Value> {
    let mut entries = BTreeMap::new();
    for (flow, members) in flows.as_object().into_iter().flatten() {
        for (key, value) in members.as_object().into_iter().flatten() {
            match value.as_object() {
                Some(scopes) => {
                    entries.extend(scopes.iter().map(|(scope, prose)| (vec![flow.as_str(), key, scope], prose)));
                }
                None => drop(entries.insert(vec![flow.as_str(), key.as_str()], value)),
            }
        }
    }
    entries
}

/// Without any alternative, no credentials are required.
fn alternatives(security: &Value) -> Vec<Alternative<'_>> {
    fn scopes(list: &Value) -> BTreeSet<&str> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
    fn alternative(one: &Value) -> Alternative<'_> {
        one.as_object().into_iter().flatten().map(|(scheme, list)| (scheme.as_str(), scopes(list))).collect()
    }
    match security.as_array() {
        Some(listed) if !listed.is_empty() => listed.iter().map(alternative).collect(),
        _ => vec![Alternative::new()],
    }
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
    match alternative.is_empty() {
        true => "no scheme".to_owned(),
        false => alternative.iter().map(one).collect::<Vec<_>>().join(" and "),
    }
}

fn list(alternatives: &[Alternative<'_>]) -> String {
    let mut all: Vec<String> = alternatives.iter().map(named).collect();
    all.sort();
    all.join(", or ")
}
