//! Every way to alter a document in one place.

use serde_json::{Value, json};

use crate::vocabulary::{Context, is_default, mistaken, not_compared, structure, words};

/// The kind of a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operator {
    Remove,
    Change,
    Loosen,
    Tighten,
    Rename,
    Retype,
    Add,
    Duplicate,
    Swap,
}

/// The change of the document.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Remove,
    Set(Value),
    /// Renames a member.
    Rename(String),
    /// Adds the member that the mutation points to, or an item after the last.
    Add(Value),
    /// Repeats the member after the others.
    Duplicate,
}

/// A document altered in one place.
#[derive(Debug, Clone)]
pub(crate) struct Mutation {
    pub(crate) operator: Operator,
    pub(crate) edit: Edit,
    /// The pointer tokens of the altered node, each with the context of its parent.
    pub(crate) path: Vec<(Context, String)>,
    /// The entry of `NOT_COMPARED` that applies to the node, if any.
    pub(crate) not_compared: Option<usize>,
}

pub(crate) fn join(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

impl Mutation {
    /// The JSON pointer of the altered node in the original.
    pub(crate) fn original(&self) -> String {
        self.path.iter().fold(String::new(), |pointer, (_, token)| join(&pointer, token))
    }

    /// The JSON pointer of the parent of the altered node.
    pub(crate) fn parent(&self) -> String {
        let above = &self.path[..self.path.len() - 1];
        above.iter().fold(String::new(), |pointer, (_, token)| join(&pointer, token))
    }

    /// The JSON pointer of the altered node in the mutant.
    pub(crate) fn pointer(&self) -> String {
        match &self.edit {
            Edit::Rename(name) => join(&self.parent(), name),
            _ => self.original(),
        }
    }

    /// The context of the parent, and the name or index of the altered node.
    pub(crate) fn step(&self) -> (Context, &str) {
        let (context, token) = &self.path[self.path.len() - 1];
        (*context, token)
    }

    /// A description for a failed test.
    pub(crate) fn brief(&self) -> String {
        format!("{:?} {:?} #{}", self.operator, self.edit, self.pointer())
    }

    /// Calls a function with the mutant. The document itself is altered and restored, because a copy for each mutant would
    /// take longer than the comparison.
    pub(crate) fn with_mutant<T>(&self, document: &mut Value, use_mutant: impl FnOnce(&Value) -> T) -> T {
        let parent = self.parent();
        let original = document.pointer(&parent).expect("the parent is there").clone();
        self.apply(document.pointer_mut(&parent).expect("the parent is there"));
        let answer = use_mutant(document);
        *document.pointer_mut(&parent).expect("the parent is still there") = original;
        answer
    }

    fn apply(&self, parent: &mut Value) {
        let (_, token) = self.step();
        match parent {
            Value::Object(members) => match &self.edit {
                Edit::Remove => drop(members.remove(token)),
                Edit::Set(value) | Edit::Add(value) => drop(members.insert(token.to_owned(), value.clone())),
                Edit::Rename(name) => {
                    let value = members.remove(token).expect("the member is there");
                    members.insert(name.clone(), value);
                }
                Edit::Duplicate => {}
            },
            Value::Array(items) => match (&self.edit, token.parse::<usize>().expect("an index")) {
                (Edit::Remove, index) => drop(items.remove(index)),
                (Edit::Set(value), index) => items[index] = value.clone(),
                (Edit::Add(value), _) => items.push(value.clone()),
                (Edit::Rename(_) | Edit::Duplicate, _) => unreachable!("only members have names"),
            },
            _ => unreachable!("only collections hold nodes"),
        }
    }
}

/// Every mutation of a document, in the order of its nodes.
pub(crate) fn mutations(document: &Value) -> Vec<Mutation> {
    let mut all = Mutations { document, path: Vec::new(), found: Vec::new() };
    all.node(Context::Object(openapi_contract::Kind::Document), document);
    all.found
}

struct Mutations<'a> {
    document: &'a Value,
    path: Vec<(Context, String)>,
    found: Vec<Mutation>,
}

impl Mutations<'_> {
    fn node(&mut self, context: Context, node: &Value) {
        match node {
            Value::Object(members) => {
                for (key, value) in members {
                    self.at(context, key, |all| {
                        all.member(context, key, value);
                        all.node(context.child(key), value);
                    });
                    let is_free = |name: &&&str| !members.contains_key(**name) && !is_default(context, key, value);
                    for name in mistaken(context, key).iter().filter(is_free) {
                        self.push_at(context, key, Operator::Rename, Edit::Rename((*name).to_owned()));
                    }
                }
                for (key, value) in context.additions() {
                    if !members.contains_key(key) {
                        self.push_at(context, key, Operator::Add, Edit::Add(value));
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let index = index.to_string();
                    self.at(context, &index, |all| {
                        all.value(context, &index, item);
                        all.push(Operator::Remove, Edit::Remove);
                        all.node(context.child(&index), item);
                    });
                }
                let end = items.len().to_string();
                for item in context.items() {
                    self.push_at(context, &end, Operator::Add, Edit::Add(item));
                }
                if let Some(last) = items.last() {
                    self.push_at(context, &end, Operator::Duplicate, Edit::Add(last.clone()));
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, owner: Context, key: &str, value: &Value) {
        if !is_default(owner, key, value) {
            self.push(Operator::Remove, Edit::Remove);
        }
        self.push(Operator::Rename, Edit::Rename(format!("{key}Q")));
        self.push(Operator::Duplicate, Edit::Duplicate);
        match value.as_str().filter(|_| key == "$ref") {
            Some(target) => self.swaps(owner, target),
            None => self.value(owner, key, value),
        }
    }

    /// Other values, and values of other types.
    fn value(&mut self, owner: Context, key: &str, value: &Value) {
        let is_type = owner == Context::Object(openapi_contract::Kind::Schema) && key == "type";
        let mut retypes = vec![json!({"was": value}), Value::Null];
        match value {
            Value::Null => {}
            Value::Bool(flag) => {
                self.push(Operator::Change, Edit::Set(json!(!flag)));
                retypes.extend([json!([value]), json!(flag.to_string()), json!(1)]);
            }
            Value::Number(number) => {
                let upper = key.starts_with("max");
                let below = number.as_i64().map(|number| number - 1).filter(|below| *below >= 0).map(Value::from);
                let above =
                    number.as_i64().map_or_else(|| json!(number.as_f64().unwrap_or_default() + 1.0), |n| json!(n + 1));
                let [less, more] =
                    if upper { [Operator::Tighten, Operator::Loosen] } else { [Operator::Loosen, Operator::Tighten] };
                self.push(more, Edit::Set(above));
                if let Some(below) = below {
                    self.push(less, Edit::Set(below));
                }
                retypes.extend([json!([value]), json!(number.to_string()), json!(true)]);
            }
            Value::String(text) => {
                self.push(Operator::Change, Edit::Set(json!(format!("{text}Q"))));
                for word in words(owner, key).iter().filter(|word| *word != text) {
                    self.push(Operator::Change, Edit::Set(json!(word)));
                }
                // A list of one type is equivalent to that type.
                retypes.push(if is_type { json!([value, "null"]) } else { json!([value]) });
                retypes.extend([json!(7), json!(true)]);
            }
            Value::Array(_) => retypes.push(json!("text")),
            Value::Object(_) => retypes.extend([json!(["text"]), json!("text")]),
        }
        for retyped in retypes {
            self.push(Operator::Retype, Edit::Set(retyped));
        }
    }

    /// References to other components, of the right and of a wrong kind, and to a component that does not exist.
    fn swaps(&mut self, owner: Context, target: &str) {
        let sections = self.document["components"].as_object().expect("components");
        for (section, components) in sections {
            let names: Vec<_> = components.as_object().expect("names").keys().collect();
            let right = target.starts_with(&format!("#/components/{section}/"));
            for name in names.iter().take(if right { names.len() } else { 1 }) {
                let other = format!("#/components/{section}/{name}");
                if other == target {
                    continue;
                }
                self.push(Operator::Swap, Edit::Set(json!(other)));
                let [one, two] = [target, &other].map(|at| {
                    structure(
                        self.document,
                        owner,
                        self.document.pointer(at.trim_start_matches('#')).unwrap_or(&Value::Null),
                    )
                });
                if one == two
                    && let Some(last) = self.found.last_mut()
                {
                    // They differ only in prose.
                    last.not_compared = last.not_compared.or_else(|| not_compared(owner, "description"));
                }
            }
        }
        for retyped in [json!(format!("{target}Q")), json!("other.yaml"), json!(7), json!([target])] {
            self.push(Operator::Change, Edit::Set(retyped));
        }
    }

    fn at(&mut self, context: Context, token: &str, inside: impl FnOnce(&mut Self)) {
        self.path.push((context, token.to_owned()));
        inside(self);
        self.path.pop();
    }

    fn push_at(&mut self, context: Context, token: &str, operator: Operator, edit: Edit) {
        self.at(context, token, |all| all.push(operator, edit));
    }

    fn push(&mut self, operator: Operator, edit: Edit) {
        let not_compared = self.not_compared(&edit);
        self.found.push(Mutation { operator, edit, path: self.path.clone(), not_compared });
    }

    /// The entry of `NOT_COMPARED` by which a mutation here is not reported, if any.
    fn not_compared(&self, edit: &Edit) -> Option<usize> {
        let (last, above) = self.path.split_last()?;
        // Components are not compared only if nothing uses them, as nothing uses a new one.
        let is_new = matches!(edit, Edit::Add(_)) && self.path.len() <= 3;
        let entry = |(owner, token): &(Context, String)| {
            not_compared(*owner, token).filter(|_| is_new || !is_section(*owner, token))
        };
        if let Some(entry) = above.iter().find_map(entry) {
            return Some(entry);
        }
        match edit {
            // A renamed keyword is not compared only if its new name is not compared either.
            Edit::Rename(name) => entry(last).filter(|_| not_compared(last.0, name).is_some()),
            _ => entry(last),
        }
    }
}

/// Whether this is a section of components used by the operations.
fn is_section(owner: Context, token: &str) -> bool {
    owner == Context::Object(openapi_contract::Kind::Components)
        && !["examples", "links", "securitySchemes"].contains(&token)
}
