//! Files that are not text, not YAML, or not plain YAML.

use super::{SMALL, errors, errors_of, refuses};
use crate::support::load;
use openapi_contract::Contract;

#[test]
fn text_that_is_not_yaml() {
    refuses("operationId: getThing", "operationId: [getThing", "8:17 invalid YAML");
    assert_eq!(errors_of(""), ["1:1 the file is empty"]);
    assert_eq!(errors_of("# nothing\n"), ["1:1 the file is empty"]);
}

#[test]
fn bytes_that_are_not_text() {
    let load = |bytes: &[u8]| Contract::load("openapi.yaml", bytes).map_err(|errors| errors[0].to_string());
    assert_eq!(load(SMALL.as_bytes()).map(|contract| contract.operations().len()), Ok(1));
    let expected = |at: &str, byte: &str| Err(format!("openapi.yaml:{at}: not UTF-8: invalid byte {byte}"));
    let broken = |bytes: &[u8]| load(bytes).map(|_| ());
    assert_eq!(broken(b"\xff\xfeo\0"), expected("1:1", "0xff"));
    assert_eq!(broken("a: b\r\nc: é".as_bytes().split_last().expect("bytes").1), expected("2:4", "0xc3"));
    assert_eq!(broken(b"a: b\nc: \xc3\xa9\xe9"), expected("2:5", "0xe9"));
    assert_eq!(broken(b"a: b\rc: \x80"), expected("2:4", "0x80"));
}

/// Encodings and line ends of other systems are accepted, other forms are errors at their place.
#[test]
fn other_forms_of_the_same_text() {
    for sound in [
        format!("\u{feff}{SMALL}"),
        format!("---\n{SMALL}...\n"),
        format!("%YAML 1.2\n---\n{SMALL}"),
        SMALL.replace('\n', "\r\n"),
        SMALL.trim_end().to_owned(),
        serde_json::to_string_pretty(load(SMALL).document()).expect("JSON"),
    ] {
        assert_eq!(load(&sound).operations().len(), 1, "{sound}");
    }
    refuses("    get:\n", "\tget:\n", "6:2 invalid YAML: tabs disallowed");
    let marked = errors_of(&format!("\u{feff}{}", SMALL.replace("title: Small", "titel: Small")));
    assert!(marked[1].starts_with("2:9 unknown keyword `titel`"), "{marked:?}");
    let large = format!("{SMALL}{}", "# longer than any contract is\n".repeat(2_000_000));
    assert_eq!(errors_of(&large), ["1:1 the file is larger than 16 MiB"]);
    let bytes = Contract::load("openapi.yaml", &vec![0xff; 50_000_000]).expect_err("too large");
    assert_eq!(bytes[0].message, "the file is larger than 16 MiB");
    for deep in ["[", "{a: ", "- ", "? ", "!!seq [", "&a [", "a: [", "'", "{\"a\":"] {
        let errors = errors_of(&deep.repeat(20_000));
        assert!(errors.len() < 300_000 && errors[0].split(' ').next().is_some_and(|at| at.contains(':')), "{deep}");
    }
}

#[test]
fn control_characters() {
    for (character, name) in [('\0', "0000"), ('\x08', "0008"), ('\x1b', "001B"), ('\x7f', "007F"), ('\u{9f}', "009F")]
    {
        let message = format!("2:10 U+{name} is a control character: write it as an escape in double quotes");
        for text in [format!("a: b\nc: 'text{character}'\n"), format!("a: b\r\n# text{character}{character}\r\n")] {
            let at = if text.contains('#') { "2:7" } else { "2:9" };
            assert_eq!(errors_of(&text), [message.replace("2:10", at)]);
        }
    }
    load(&SMALL.replace("title: Small", "title: \"Small\\b\\x7f\t\u{85}é\""));
    load(&SMALL.replace('\n', "\r\n"));
}

#[test]
fn yaml_that_is_not_plain() {
    refuses("type: object\n", "type: object\n      type: object\n", "21:7 duplicate key `type`: first defined at 20:7");
    refuses("{ type: string, maxLength: 9 }", "&name { type: string }", "22:15 anchors are not supported");
    refuses("      properties:\n", "      <<: {}\n      properties:\n", "21:7 merge keys are not supported");
    refuses("maxLength: 9", "maxLength: !!int 9", "22:42 tags are not supported");
    refuses("title: Small", "? { a: b } : Small", "2:11 a key must be");
    let alias = errors("info: { title: Small, version: '1' }", "info: { title: &t Small, version: *t }");
    assert_eq!(alias.len(), 2, "{alias:#?}");
    assert!(alias[0].starts_with("2:16 anchors are not supported"), "{alias:#?}");
    assert!(alias[1].starts_with("2:35 aliases are not supported"), "{alias:#?}");
    let second = errors_of(&format!("{SMALL}---\na: b\n"));
    assert_eq!(second, ["23:1 a second YAML document: a file contains one"]);
}

#[test]
fn documents_that_are_not_openapi_3_1() {
    refuses("openapi: 3.1.0", "swagger: '2.0'", "1:1 Swagger \"2.0\" is not supported");
    refuses("openapi: 3.1.0", "openapi: 3.0.3", "1:1 OpenAPI \"3.0.3\" is not supported: expected 3.1.x");
    refuses("openapi: 3.1.0", "openapi: 3.1", "1:1 OpenAPI 3.1 is not supported: expected 3.1.x, such as \"3.1.0\"");
    assert!(errors_of("[]")[0].starts_with("1:1 not an OpenAPI document"));
    assert!(errors_of("word")[0].starts_with("1:1 not an OpenAPI document"));
}
