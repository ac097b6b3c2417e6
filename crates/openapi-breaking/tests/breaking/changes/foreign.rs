//! Documents of other authors.

use openapi_breaking::changes_between;

use super::{read, today};

/// The integers round to the same float. A response without a description is accepted, too.
#[test]
fn different_integers_beyond_64_bits_are_a_change() {
    let release = |maximum: &str| {
        let yaml = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths: {{ /a: {{ post: {{ responses: {{ 204: {{}} }}, \
             requestBody: {{ content: {{ application/json: {{ schema: {{ type: integer, maximum: {maximum} }} }} }} }} }} }} }}\n"
        );
        read("openapi.yaml", &yaml)
    };
    let rules = |old: &str, new: &str| -> Vec<String> {
        let changes = changes_between(&release(old), &release(new), today());
        changes.iter().map(|change| change.rule.id.to_owned()).collect()
    };
    let (less, more) = ("18446744073709551616", "18446744073709551617");
    assert_eq!(rules(more, less), ["request-bound-tightened"]);
    assert_eq!(rules(less, more), ["request-bound-loosened"]);
    assert_eq!(rules(more, more), Vec::<String>::new());
}
