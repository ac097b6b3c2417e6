//! YAML text → a JSON value and the position of each of its nodes.
//!
//! One document, string keys, each of them once. Scalars follow the YAML 1.2 core schema (§10.3.2), so `no` and
//! `2026-01-01` are strings. A contract ([`Profile::Supported`]) has no anchors, aliases or merge keys, no integers
//! beyond 64 bits, and no plain scalars that YAML 1.1 reads otherwise; in a document to compare, aliases are expanded and
//! such integers become floats.

mod input;
mod reader;
mod scalar;
mod text;

use crate::error::{Code, LoadError};
use crate::profile::Profile;

pub use reader::Read;
pub use text::MAX_BYTES;

/// Reads one document of YAML, or of JSON. `file` is for messages only.
pub fn read(file: &str, bytes: &[u8], profile: Profile) -> Read {
    match text::decode(bytes) {
        Ok(text) => reader::read(file, &text::as_yaml(text), profile),
        Err((at, message)) => {
            let errors = vec![LoadError::new(Code::Unreadable, file, at, "", message)];
            Read { root: None, errors }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn value(text: &str) -> Value {
        let read = super::read("f", text.as_bytes(), Profile::Supported);
        assert_eq!(read.errors, [], "{text}");
        read.root.expect("a document").0
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        for (text, expected) in [
            ("~", json!(null)),
            ("Null", json!(null)),
            ("TRUE", json!(true)),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("007", json!(7)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("18446744073709551615", json!(18446744073709551615_u64)),
            ("1.0", json!(1.0)),
            (".5", json!(0.5)),
            ("1.", json!(1.0)),
            ("1e3", json!(1000.0)),
            ("1.5E-2", json!(0.015)),
            ("no", json!("no")),
            ("on", json!("on")),
            ("2026-01-01", json!("2026-01-01")),
            ("1.0.0", json!("1.0.0")),
            ("1e", json!("1e")),
            ("inf", json!("inf")),
            (".", json!(".")),
            ("e3", json!("e3")),
            ("0x", json!("0x")),
            ("-0x1", json!("-0x1")),
            ("'12'", json!("12")),
            ("\"true\"", json!("true")),
            ("|\n  12\n", json!("12\n")),
            (">-\n  a\n  b\n", json!("a b")),
        ] {
            assert_eq!(standard(text), expected, "{text}");
        }
    }

    #[test]
    fn plain_scalars_that_yaml_1_1_reads_otherwise_are_refused() {
        let refused = [
            "NO",
            "no",
            "No",
            "y",
            "N",
            "on",
            "Off",
            "2026-01-01",
            "2026-1-2",
            "2026-01-01T10:00:00Z",
            "2001-12-14 21:59:43.10 -5",
            "0144",
            "-017",
            "08",
            "007",
            "190:20:30",
            "12:30",
            "1:30.5",
            "1_000",
            "0x1_F",
            "0b101",
            "-0x1",
            "0o17",
            "1e3",
            "1.5e3",
            "=",
        ];
        for text in refused {
            for document in [format!("enum: [{text}]"), format!("{text}: a")] {
                let read = super::read("f", document.as_bytes(), Profile::Supported);
                let errors: Vec<_> = read.errors.iter().map(ToString::to_string).collect();
                let at = if document.starts_with("enum") { "f:1:8: " } else { "f:1:1: " };
                assert!(
                    errors.first().is_some_and(|error| error.starts_with(at) && error.contains("quote it")),
                    "{document}: {errors:?}"
                );
            }
            let quoted = value(&format!("enum: ['{text}', \"{text}\"]\n'{text}': a\n"));
            assert_eq!(quoted, json!({"enum": [text, text], text: "a"}));
            assert_eq!(standard(&format!("{text}: a")), json!({text: "a"}));
        }
        for text in [
            "nope",
            "yes please",
            "2026-01-01a",
            "2026-01",
            "1.0.0",
            "v1_0",
            "a:b",
            "0",
            "-0.5",
            "1.5e-2",
            "0x1F",
            "12",
            "://",
        ] {
            assert_eq!(super::read("f", text.as_bytes(), Profile::Supported).errors, [], "{text}");
        }
        // A status: every reader makes the same key of it.
        value("200: a\n4XX: b\n");
        for key in ["0x10", "1.5", ".5"] {
            let read = super::read("f", format!("{key}: a").as_bytes(), Profile::Supported);
            assert!(read.errors[0].message.contains("quote it"), "{key}");
        }
    }

    #[test]
    fn tabs_separate_a_key_from_its_value() {
        let text =
            "a:\tb\nc: \t d\ne:\t\t-5\nf:\t[1,\t2]\ng:\t'x\ty'\nh:\t# none\n  - i:\tTRUE\n    j:\t|\n      k:\tl\n";
        let expected = json!({
            "a": "b", "c": "d", "e": -5, "f": [1, 2], "g": "x\ty", "h": [{"i": true, "j": "k:\tl\n"}]
        });
        assert_eq!(value(text), expected);
        for text in ["a:\t- b", "a:\tb: c", "a:\n\tb: c"] {
            assert!(read("f", text.as_bytes(), Profile::Supported).root.is_none(), "{text}");
        }
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_refused() {
        for text in [".inf", "-.INF", ".nan", "1e999"] {
            for profile in [Profile::Supported, Profile::Standard] {
                assert_eq!(read("f", text.as_bytes(), profile).errors.len(), 1, "{text}");
            }
        }
    }

    #[test]
    fn keys_are_strings_as_written() {
        assert_eq!(
            standard("200: a\n0x10: b\ntrue: c\n~: d\n"),
            json!({"200": "a", "0x10": "b", "true": "c", "~": "d"})
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(200);
        let read = read("f", deep.as_bytes(), Profile::Supported);
        assert!(read.root.is_none());
        let block: String = (0..5000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(super::read("f", block.as_bytes(), Profile::Supported).errors[0].message.contains("nested deeper"));
    }

    fn standard(text: &str) -> Value {
        let read = read("f", text.as_bytes(), Profile::Standard);
        assert_eq!(read.errors, [], "{text}");
        read.root.expect("a document").0
    }

    #[test]
    fn a_document_to_compare_may_have_integers_beyond_64_bits() {
        assert_eq!(standard("[18446744073709551616, -9223372036854775809]"), json!([2f64.powi(64), -(2f64.powi(63))]));
        assert_eq!(standard("[0x10000000000000000, 0o4000000000000000000000]"), json!([2f64.powi(64), 2f64.powi(65)]));
        assert_eq!(read("f", b"18446744073709551616", Profile::Supported).errors[0].code, Code::Unsupported);
    }

    #[test]
    fn a_document_to_compare_may_have_aliases_and_merge_keys() {
        let text =
            "a: &a { x: &x 1, y: [2] }\nb: *a\nc: { <<: *a, x: 3 }\nd: { <<: [{ z: 4 }, *a] }\ne: &k f\n*k : *x\n";
        let a = json!({"x": 1, "y": [2]});
        assert_eq!(
            standard(text),
            json!({"a": a, "b": a, "c": {"x": 3, "y": [2]}, "d": {"x": 1, "y": [2], "z": 4}, "e": "f", "f": 1})
        );
        let (_, source) = read("f", text.as_bytes(), Profile::Standard).root.expect("a document");
        let at = |pointer| source.position(pointer).map(|position| (position.line, position.column));
        assert_eq!((at("/b"), at("/b/y/0"), at("/c/y")), (Some((2, 1)), Some((1, 22)), Some((1, 18))));
    }

    #[test]
    fn the_expansion_of_aliases_is_bounded() {
        let level =
            |index: usize| format!("a{}: &a{} [{}]\n", index + 1, index + 1, vec![format!("*a{index}"); 10].join(", "));
        let bomb: String = ["a0: &a0 [x]\n".to_owned()].into_iter().chain((0..20).map(level)).collect();
        let deep: String = ["a0: &a0 [x]\n".to_owned()]
            .into_iter()
            .chain((0..200).map(|i| format!("a{}: &a{} [*a{i}]\n", i + 1, i + 1)))
            .collect();
        for (text, expected) in
            [(bomb, "expand to more than"), (deep, "nested deeper"), ("a: &a [*a]".to_owned(), "inside")]
        {
            let read = read("f", text.as_bytes(), Profile::Standard);
            assert!(read.root.is_none());
            assert!(read.errors[0].message.contains(expected), "{:?}", read.errors);
        }
    }
}
