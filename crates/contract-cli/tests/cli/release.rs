//! `contract release`.

use std::fs;

use super::{NOTES, contract, edited, run_in, summary, text};

#[test]
fn a_release_needs_an_approval_for_a_break_and_uses_it_up() {
    let broken = edited("maxLength: 100", "maxLength: 90").replace("version: 0.1.0", "version: 0.2.0");
    let (_, output) = contract(&[("old", NOTES), ("new", &broken)], &["diff", "old", "new"]);
    let fingerprint = output.lines().find_map(|line| line.trim().strip_prefix("fingerprint: ")).unwrap();
    let approval = format!("# names are shorter\n{fingerprint}  # maxLength\n");
    let files = [("openapi.released.yaml", NOTES), ("openapi.yaml", &*broken), ("openapi.approvals", &*approval)];
    let (code, output) = contract(&files[..2], &["release"]);
    assert_eq!((code, summary(&output)), (Some(1), "1 error"), "{output}");

    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    let output = run_in(folder.path(), &["release"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("openapi.yaml is released as openapi.released.yaml"), "{}", text(&output));
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("openapi.released.yaml"), broken);
    assert_eq!(read("openapi.approvals"), "# names are shorter\n");
}

#[test]
fn the_first_release_has_nothing_to_compare_with() {
    let (code, output) = contract(&[("openapi.yaml", NOTES)], &["release"]);
    assert_eq!(code, Some(0), "{output}");
}

#[test]
fn versions_that_are_not_semver_can_be_released() {
    let dated = |day: &str| edited("version: 0.1.0", &format!("version: '{day}'"));
    let files = [("openapi.released.yaml", &*dated("2026-06-01")), ("openapi.yaml", &*dated("2026-07-01"))];
    let (code, output) = contract(&files, &["release"]);
    assert_eq!(code, Some(0), "{output}");
}
