//! A contract for a part of its paths: what a server says of itself when some of them are answered elsewhere.

use crate::{Contract, pointer};

impl Contract {
    /// The contract's text without these paths. `yaml` is the text that it was loaded from; all else, comments
    /// included, stays as it is written. Components that only the cut paths used stay too.
    pub fn without_paths(&self, yaml: &str, paths: &[String]) -> String {
        let line_of = |pointer: &str| self.position(pointer).map(|position| position.line);
        // Wherever a path or a top-level member begins, the one before it ends.
        let top = self.document().as_object().into_iter().flat_map(|top| top.keys()).map(|key| pointer::join("", key));
        let all = self.document()["paths"].as_object().into_iter().flat_map(|paths| paths.keys());
        let begins: Vec<usize> =
            top.chain(all.map(|path| pointer::join("/paths", path))).filter_map(|pointer| line_of(&pointer)).collect();
        let cut: Vec<(usize, usize)> = paths
            .iter()
            .filter_map(|path| line_of(&pointer::join("/paths", path)))
            .map(|begin| (begin, begins.iter().copied().filter(|line| *line > begin).min().unwrap_or(usize::MAX)))
            .collect();
        let kept = yaml.split_inclusive('\n').enumerate().filter(|(index, _)| {
            let line = index + 1;
            !cut.iter().any(|(begin, end)| (*begin..*end).contains(&line))
        });
        kept.map(|(_, line)| line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "openapi: 3.1.0\ninfo: { title: T, version: 1.0.0 }\nsecurity: []\npaths:\n  /a:\n    get:\n      \
                        operationId: a\n      responses:\n        '204': { description: A. }\n  # of b\n  /b:\n    get:\n      \
                        operationId: b\n      responses:\n        '204': { description: B. }\ncomponents: {}\n";

    fn ids(yaml: &str) -> Vec<String> {
        let contract = Contract::load("a.yaml", yaml).unwrap();
        contract.operations().iter().map(|operation| operation.id.clone()).collect()
    }

    #[test]
    fn what_is_left_is_a_contract() {
        let contract = Contract::load("a.yaml", YAML).unwrap();
        assert_eq!(ids(&contract.without_paths(YAML, &["/a".into()])), ["b"]);
        assert_eq!(ids(&contract.without_paths(YAML, &["/b".into(), "/c".into()])), ["a"]);
        assert_eq!(contract.without_paths(YAML, &[]), YAML);
    }
}
