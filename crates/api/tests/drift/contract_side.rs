//! What the contract is told to say: references that stay references, and names that are spelt right.

use openapi_drift::fixes::{Side, apply, page};
use serde_json::json;

use super::{changed, drifts, drifts_of, edits, generated, only};

/// A reference that is gone comes back as one, though the component that it led to strays too: that is told for itself.
#[test]
fn a_response_that_is_missing_is_referred_to_whatever_is_wrong_inside_it() {
    let not_found = "        '404': { $ref: '#/components/responses/NotFound' }";
    let etag = "            ETag: { $ref: '#/components/headers/ETag' }";
    for (gone, strayed) in [
        (not_found, ("        maxLength: 64\n", "        maxLength: 65\n")),
        (etag, ("        pattern: '^\"[0-9]+\"$'\n", "        pattern: '^\"[0-9]*\"$'\n")),
    ] {
        let yaml = changed(&[(&format!("{gone}\n"), ""), strayed]);
        let told = drifts(&yaml);
        assert_eq!(told.len(), 2, "{}", page(&told));
        assert_eq!(edits(&told[0], Side::Contract)[0].text, gone, "{}", page(&told));
        let mended = apply(&yaml, edits(&told[0], Side::Contract));
        assert_eq!(drifts(&mended).len(), 1, "{mended}");
    }
}

/// What utoipa cannot say of a header stays, even where the code has another one than the contract.
#[test]
fn a_header_that_is_written_out_is_as_required_as_its_namesake() {
    let yaml = changed(&[("        '404': { $ref: '#/components/responses/NotFound' }\n", "")]);
    let mut generated = generated();
    let header = &mut generated["paths"]["/users/{id}"]["get"]["responses"]["404"]["headers"]["X-Request-Id"];
    header["schema"]["maxLength"] = json!(10);
    let told = drifts_of(&yaml, &generated);
    let block = &edits(&told[0], Side::Contract)[0].text;
    let header = block.split("X-Request-Id:\n").nth(1).expect("the header");
    assert!(
        header.trim_start().starts_with("description: |\n                The id of this request, in the logs"),
        "{block}"
    );
    assert!(
        header.contains("              required: true\n              schema:\n                type: string\n"),
        "{block}"
    );
}

/// A slip of the fingers in a list of names is the contract's alone: no code is to change for it.
#[test]
fn a_misspelt_name_in_required_is_spelt_right() {
    let drift = only(&[("required: [id, name, email, created_at", "required: [id, name, emial, created_at")]);
    let told = drift.detail(0, 0);
    assert_eq!(edits(&drift, Side::Contract)[0].text, "      required: [id, name, email, created_at, updated_at]");
    assert!(told.ends_with("\nnote: there is no property `emial`: `email` is meant\n"), "{told}");
    assert!(!told.contains("change the code"), "{told}");

    // What else differs in the list is still told of both sides.
    let drift = only(&[("required: [name, email]", "required: [nam]")]);
    assert!(edits(&drift, Side::Code)[0].text.contains("pub email: Option<EmailAddress>"), "{}", drift.detail(0, 0));
    assert!(edits(&drift, Side::Code).iter().all(|edit| !edit.text.contains("pub name")), "{}", drift.detail(0, 0));
}
