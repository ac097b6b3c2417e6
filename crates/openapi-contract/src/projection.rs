//! A contract with a part removed: operations that are served elsewhere or not implemented yet, or the credentials, where the
//! server checks none. And a contract with another server.
//!
//! The lines of the removed nodes are cut out of the text, so that everything else is served as written. The remaining
//! text is loaded again, and must be the document without those nodes.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::contract::Contract;
use crate::error::LoadError;
use crate::fields::members;
use crate::nodes::nodes;
use crate::operation::Operation;
use crate::profile::Profile;
use crate::{paths, pointer};

impl Contract {
    /// This contract without some of its operations, and otherwise with the same text.
    ///
    /// Also removes paths that have no other operation and components that nothing else uses.
    ///
    /// # Errors
    /// A node to remove is not on lines of its own, or the result is not a valid contract (a link refers to a removed
    /// operation, for example).
    pub fn without(&self, leave_out: impl Fn(&Operation) -> bool) -> Result<Contract, Vec<LoadError>> {
        self.reduced(self.endpoints(leave_out), &[])
    }

    /// This contract where any client may call every operation: `security: []` in place of each list, and no 401.
    ///
    /// # Errors
    /// Those of [`Contract::without`].
    pub fn without_credentials(&self) -> Result<Contract, Vec<LoadError>> {
        let has_list =
            |at: &String| self.document().pointer(at).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        let operations = self.operations().iter().map(|operation| operation.pointer.as_str());
        let lists = operations.clone().chain([""]).map(|at| format!("{at}/security")).filter(has_list);
        let refusals = self.operations().iter().filter(|operation| !operation.security.is_empty());
        let refusals = refusals.map(|operation| format!("{}/responses/401", operation.pointer));
        let refusals = refusals.filter(|at| self.document().pointer(at).is_some());
        self.reduced(refusals.collect(), &lists.collect::<Vec<_>>())
    }

    /// This contract with the server at this URL in place of `servers`, and otherwise with the same text.
    ///
    /// # Errors
    /// `servers` is not on lines of its own.
    pub fn with_server(&self, url: &str) -> Result<Contract, Vec<LoadError>> {
        let mut expected = self.document().clone();
        if let Some(members) = expected.as_object_mut() {
            members.insert("servers".to_owned(), json!([{ "url": url }]));
        }
        // JSON is YAML.
        let servers = format!("servers: [{{ url: {} }}]\n", Value::from(url));
        let kept = self.cut(&["/servers".to_owned()], &[]);
        // A key at the top level can follow any other.
        let end = if kept.ends_with('\n') { "" } else { "\n" };
        let contract = Contract::load(self.file_name(), &format!("{kept}{end}{servers}"));
        contract.ok().filter(|contract| *contract.document() == expected).ok_or_else(|| {
            let mut errors = self.new_errors();
            errors.unsupported("/servers", "cannot be replaced: start it and the node after it on lines of their own");
            errors.in_order()
        })
    }

    /// This contract without the nodes `cut` and what only they use, and with an empty list for each of `emptied`.
    fn reduced(&self, mut cut: Vec<String>, emptied: &[String]) -> Result<Contract, Vec<LoadError>> {
        let mut rest = self.document().clone();
        remove(&mut rest, &cut);
        for pointer in emptied {
            if let Some(node) = rest.pointer_mut(pointer) {
                *node = Value::Array(Vec::new());
            }
        }
        let (used, still_used) = (used_components(self.document()), used_components(&rest));
        let unused: Vec<_> = used.difference(&still_used).cloned().collect();
        remove(&mut rest, &unused);
        cut.extend(unused);
        empty_sections(&mut rest, &mut cut);
        if cut.is_empty() && emptied.is_empty() {
            return Ok(self.clone());
        }

        let text = self.cut(&cut, emptied);
        let left = Contract::load(self.file_name(), &text);
        match left {
            Ok(contract) if *contract.document() == rest => Ok(contract),
            // The positions of errors in the remaining text are not those of the author's file.
            _ => {
                let mut errors = self.new_errors();
                let message = "cannot be removed from the served documents: start it and the node after it on lines \
                               of their own, and remove links to it";
                cut.iter().chain(emptied).for_each(|pointer| errors.unsupported(pointer, message));
                Err(errors.in_order())
            }
        }
    }

    /// The pointers of the operations to remove, or of a path that has no others.
    fn endpoints(&self, leave_out: impl Fn(&Operation) -> bool) -> Vec<String> {
        let left_out = self.operations().iter().filter(|operation| leave_out(operation));
        let left_out: HashSet<&str> = left_out.map(|operation| operation.pointer.as_str()).collect();
        let cut = paths::paths(self.document()).flat_map(|path| {
            let all: Vec<_> = path.endpoints().map(|endpoint| endpoint.pointer).collect();
            let here: Vec<_> = all.iter().filter(|pointer| left_out.contains(pointer.as_str())).cloned().collect();
            if !here.is_empty() && here.len() == all.len() { vec![path.site] } else { here }
        });
        cut.collect()
    }

    /// The text without the nodes `removed`, and with an empty list for each of `emptied`.
    fn cut(&self, removed: &[String], emptied: &[String]) -> String {
        let lines: Vec<&str> = self.text().split_inclusive('\n').collect();
        let mut kept: Vec<Cow<'_, str>> = lines.iter().copied().map(Cow::Borrowed).collect();
        for pointer in removed.iter().chain(emptied) {
            let Some((begin, end)) = self.source().extent(pointer) else { continue };
            let end = end.map_or(lines.len(), |end| end.line - 1);
            let (begin, indent) = (begin.line - 1, begin.column - 1);
            // A comment above a key is about the key, whether that is removed or comes next.
            let comments = lines.get(..begin).unwrap_or_default().iter().rev();
            let above = comments.take_while(|line| comment_indent(line) == Some(indent)).count();
            let inside = lines.get(begin..end).unwrap_or_default().iter().rev();
            let tail: Vec<_> = inside
                .take_while(|line| line.trim().is_empty() || comment_indent(line).is_some_and(|at| at <= indent))
                .collect();
            let below = tail.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
            if let Some(range) = kept.get_mut(begin - above..end.saturating_sub(below).max(begin)) {
                range.fill(Cow::Borrowed(""));
            }
            if let Some(line) = kept.get_mut(begin).filter(|_| emptied.contains(pointer)) {
                let key = pointer.rsplit('/').next().unwrap_or_default();
                *line = format!("{}{key}: []\n", " ".repeat(indent)).into();
            }
        }
        kept.concat()
    }
}

/// The indentation of a line that is only a comment.
fn comment_indent(line: &str) -> Option<usize> {
    let text = line.trim_start();
    text.starts_with('#').then(|| line.len() - text.len())
}

fn remove(document: &mut Value, pointers: &[String]) {
    for pointer in pointers {
        let tokens: Vec<_> = pointer::tokens(pointer).collect();
        let Some((name, above)) = tokens.split_last() else { continue };
        let parent = above.iter().try_fold(&mut *document, |node, token| node.get_mut(token.as_str()));
        if let Some(members) = parent.and_then(Value::as_object_mut) {
            members.remove(name);
        }
    }
}

/// Removes sections of `components` that became empty, because YAML would read a key without content as null.
fn empty_sections(rest: &mut Value, cut: &mut Vec<String>) {
    let sections = members(rest, "components").map(|(name, _)| pointer::join("/components", name));
    let sections: Vec<String> = sections.collect();
    for section in sections.into_iter().chain(["/components".to_owned()]) {
        let is_empty = rest.pointer(&section).and_then(Value::as_object).is_some_and(Map::is_empty);
        if is_empty && cut.iter().any(|pointer| pointer.starts_with(&format!("{section}/"))) {
            remove(rest, std::slice::from_ref(&section));
            cut.push(section);
        }
    }
}

/// The pointers of the components that the document outside of `components` uses, directly or not.
fn used_components(document: &Value) -> HashSet<String> {
    let component = |pointer: &str| {
        let tokens: Vec<&str> = pointer.split('/').take(4).collect();
        (tokens.len() == 4 && tokens.get(1) == Some(&"components")).then(|| tokens.join("/"))
    };
    let nodes = nodes(document, Profile::Supported);
    let references = nodes.iter().flat_map(|node| node.references(document));
    let edges = references.filter_map(|one| Some((component(&one.site), component(&one.pointer?)?)));
    let edges: Vec<(Option<String>, String)> = edges.collect();
    let mut used = HashSet::new();
    loop {
        let is_used = |owner: &Option<String>| owner.as_ref().is_none_or(|owner| used.contains(owner));
        let more: Vec<&String> = edges.iter().filter(|(owner, _)| is_used(owner)).map(|(_, target)| target).collect();
        let before = used.len();
        used.extend(more.into_iter().cloned());
        if used.len() == before {
            return used;
        }
    }
}
