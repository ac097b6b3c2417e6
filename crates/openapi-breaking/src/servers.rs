//! Servers: an operation's own, else its path's, else the document's.

use serde_json::Value;

use crate::operations::SamePath;
use crate::rules;
use crate::walk::Walk;
use openapi_contract::operation::is_planned;
use openapi_contract::paths::{Endpoint, Path};
use openapi_contract::pointer::join;

impl<'a> Walk<'a> {
    /// The servers of an operation: its own, else its path's, else the document's.
    pub(super) fn servers_of(&mut self, path: &SamePath<'_, 'a>, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let of = |document: &'a Value, item: &'a Value, item_at: &str, endpoint: &Endpoint<'a>| {
            let levels = [(endpoint.operation, endpoint.pointer.as_str()), (item, item_at), (document, "")];
            let level = levels.into_iter().find(|(owner, _)| owner.get("servers").is_some());
            let (owner, at) = level.unwrap_or((document, ""));
            (listed(owner), join(at, "servers"))
        };
        let old = of(self.old.document(), path.old.item, &path.old.pointer, old);
        let new = of(self.new.document(), path.new.item, &path.new.pointer, new);
        self.servers(old, new);
    }

    /// The servers of a path, whether or not an operation inherits them.
    pub(super) fn servers_of_path(&mut self, old: &Path<'a>, new: &Path<'a>) {
        let of = |path: &Path<'a>| (listed(path.item), join(&path.pointer, "servers"));
        let is_overridden = |path: &Path<'a>| {
            let mut implemented = path.endpoints().filter(|endpoint| !is_planned(endpoint.operation));
            implemented.all(|endpoint| endpoint.operation.get("servers").is_some())
        };
        let [has, has_now] = [old, new].map(|path| path.item.get("servers").is_some());
        self.as_rule(rules::OVERRIDDEN_CHANGED, |walk| match (has, has_now) {
            (true, true) => walk.servers(of(old), of(new)),
            (true, false) if is_overridden(old) => {
                walk.report(rules::SERVER_REMOVED, [of(old).1, of(new).1], "the servers of the path are removed")
            }
            (false, true) if is_overridden(new) => {
                walk.report(rules::SERVER_ADDED, [of(old).1, of(new).1], "servers of the path are added")
            }
            _ => {}
        });
    }

    /// The servers of the document, whether or not an operation inherits them.
    pub(super) fn default_servers(&mut self) {
        let of = |document: &'a Value| (listed(document), "/servers".to_owned());
        let (old, new) = (of(self.old.document()), of(self.new.document()));
        self.as_rule(rules::OVERRIDDEN_CHANGED, |walk| walk.servers(old, new));
    }

    fn servers(&mut self, (mine, old_at): (&'a [Value], String), (others, new_at): (&'a [Value], String)) {
        // A slash at the end of a URL has no effect; without servers the URL is `/`.
        let url =
            |server: &'a Value| server.get("url").and_then(Value::as_str).unwrap_or_default().trim_end_matches('/');
        let urls = |servers: &'a [Value]| if servers.is_empty() { vec![""] } else { servers.iter().map(url).collect() };
        let (known, named) = (urls(mine), urls(others));
        let at = |list: &str, index: usize| join(list, &index.to_string());
        self.step("servers", |walk| {
            for (index, one) in known.iter().enumerate() {
                let would_be = join(&new_at, one);
                match named.iter().position(|other| other == one) {
                    None => {
                        let sentence = format!("the server `{one}/` is removed");
                        walk.report(rules::SERVER_REMOVED, [at(&old_at, index), would_be], sentence);
                    }
                    Some(place) => {
                        let [Some(old), Some(new)] = [mine.get(index), others.get(place)] else { continue };
                        let at = [at(&old_at, index), at(&new_at, place)];
                        walk.rest(&["url", "variables"], (old, &at[0]), (new, &at[1]));
                        let variables = [old.get("variables"), new.get("variables")];
                        if variables[0] != variables[1] {
                            let sentence = format!("the variables of `{one}/` change");
                            walk.report_values(rules::SERVER_CHANGED, at, sentence, variables);
                        }
                    }
                }
            }
            let both = |urls: &[&'a str], others: &[&'a str]| {
                urls.iter().filter(|url| others.contains(url)).copied().collect::<Vec<_>>()
            };
            if both(&known, &named) != both(&named, &known) {
                let at = [old_at.clone(), new_at.clone()];
                let values = [Value::from(known.clone()), Value::from(named.clone())];
                let sentence = "the order of the servers changes: many clients use the first";
                walk.report_values(rules::PROSE_CHANGED, at, sentence, [Some(&values[0]), Some(&values[1])]);
            }
            for (index, other) in named.iter().enumerate().filter(|(_, other)| !known.contains(other)) {
                let sentence = format!("the server `{other}/` is added");
                walk.report(rules::SERVER_ADDED, [join(&old_at, other), at(&new_at, index)], sentence);
            }
        });
    }
}

fn listed(owner: &Value) -> &[Value] {
    owner.get("servers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
