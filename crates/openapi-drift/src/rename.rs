//! The names that serde gives to fields.

use heck::{ToLowerCamelCase, ToUpperCamelCase};

/// The name of a field by a rule of `#[serde(rename_all = "…")]`.
pub(crate) fn renamed(rule: &str, field: &str) -> String {
    match rule {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => field.to_ascii_uppercase(),
        "kebab-case" => field.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => field.to_ascii_uppercase().replace('_', "-"),
        "PascalCase" => field.to_upper_camel_case(),
        "camelCase" => field.to_lower_camel_case(),
        _ => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::renamed;

    /// The expected names are those of serde.
    #[test]
    fn fields_are_named_as_serde_names_them() {
        for (rule, expected) in [
            ("", "next_cursor"),
            ("snake_case", "next_cursor"),
            ("lowercase", "next_cursor"),
            ("UPPERCASE", "NEXT_CURSOR"),
            ("SCREAMING_SNAKE_CASE", "NEXT_CURSOR"),
            ("PascalCase", "NextCursor"),
            ("camelCase", "nextCursor"),
            ("kebab-case", "next-cursor"),
            ("SCREAMING-KEBAB-CASE", "NEXT-CURSOR"),
        ] {
            assert_eq!(renamed(rule, "next_cursor"), expected, "{rule}");
        }
    }
}
