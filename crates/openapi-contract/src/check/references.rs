//! Follows every reference.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::error::{Code, Errors};
use crate::grammar::Kind;
use crate::nodes::{Node, Reference};
use crate::pointer::{self, MAX_HOPS};
use crate::profile::Profile;
use crate::suggestions::nearest;

pub(super) fn check(document: &Value, nodes: &[Node<'_>], profile: Profile, errors: &mut Errors<'_>) {
    let kinds = nodes.iter().map(|node| (node.at.as_str(), node.kind)).collect();
    let targets = Targets { document, kinds, profile };
    for reference in nodes.iter().flat_map(|node| node.references(document)) {
        if let Err((code, message)) = targets.follow(&reference) {
            errors.add(code, &reference.site, message);
        }
    }
}

struct Targets<'a> {
    document: &'a Value,
    kinds: HashMap<&'a str, Kind>,
    profile: Profile,
}

impl Targets<'_> {
    fn follow(&self, reference: &Reference<'_>) -> Result<(), (Code, String)> {
        let invalid = |message| Err((Code::Invalid, message));
        let unsupported = |message| Err((Code::Unsupported, message));
        let Reference { kind, target, section, .. } = reference;
        let is_supported = self.profile == Profile::Supported;
        let Some(pointer) = reference.pointer.as_deref() else {
            return unsupported(match target.starts_with('#') {
                true => format!("`{target}` is not a JSON pointer: anchors are not followed; refer to `#/…`"),
                false => format!("`{target}` is not in this file: bundle the document into one file first"),
            });
        };
        if pointer::find(self.document, pointer).is_none() {
            let suggestion = self.suggestion(*kind, pointer);
            return invalid(match section {
                Some(section) => format!("`{target}` is not declared in `components/{section}`{suggestion}"),
                None => format!("`{target}` does not exist{suggestion}"),
            });
        }
        match self.kinds.get(pointer) {
            // A validator is compiled from `components/schemas` only.
            Some(Kind::Schema)
                if *kind == Kind::Schema && is_supported && !pointer.starts_with("/components/schemas/") =>
            {
                unsupported(format!("`{target}` is not under `#/components/schemas/`"))
            }
            Some(found) if found != kind => invalid(format!("`{target}` is {found}; expected {kind}")),
            None if is_supported => invalid(format!("`{target}` is not {kind}")),
            _ => self.chain(reference),
        }
    }

    /// The component that a wrong reference probably means: of the expected kind, with the same name or nearly the same
    /// pointer.
    fn suggestion(&self, kind: Kind, pointer: &str) -> String {
        let is_component = |at: &str| at.starts_with("/components/") && at.split('/').count() == 4;
        let known = self.kinds.iter().filter(|(at, found)| **found == kind && is_component(at));
        let mut known: Vec<&str> = known.map(|(at, _)| *at).collect();
        // The order of a hash map differs from run to run.
        known.sort_unstable();
        let same_name = |at: &&&str| at.rsplit('/').next() == pointer.rsplit('/').next();
        let near = known.iter().find(same_name).copied().or_else(|| nearest(pointer, known.iter().copied()));
        near.map_or_else(String::new, |near| format!(": did you mean `#{near}`?"))
    }

    /// Follows further references, which must end. Those of a cycle that does not come back to this reference are errors
    /// of their own.
    fn chain(&self, Reference { site, target, .. }: &Reference<'_>) -> Result<(), (Code, String)> {
        let at = site.strip_suffix("/$ref").unwrap_or(site);
        let node = pointer::find(self.document, at).unwrap_or(&Value::Null);
        let passed = pointer::references(self.document, node, at);
        if let Some(end) = passed.iter().skip(1).position(|(_, next)| next == at) {
            let cycle: Vec<String> = passed.iter().take(end + 2).map(|(_, next)| format!("`#{next}`")).collect();
            return Err((Code::Invalid, format!("the reference leads back to itself: {}", cycle.join(" → "))));
        }
        let distinct: HashSet<&String> = passed.iter().map(|(_, next)| next).collect();
        if distinct.len() > MAX_HOPS {
            let message = format!("`{target}` leads to more than {MAX_HOPS} references in a row");
            return Err((Code::Unsupported, message));
        }
        Ok(())
    }
}
