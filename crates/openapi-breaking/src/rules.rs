//! Every rule by which a change is classified. The documentation and the tests derive from this list.
//!
//! A keyword of a schema has two rules, one per direction ([`ByDirection`]). What narrows the valid values is breaking in a
//! request and safe in a response; what widens them is safe in a request and breaking in a response.

use crate::rule::*;

rules! {
    one_direction {
        // Operations
        OPERATION_ADDED Addition Api "operation-added"
            "An operation is added: no client calls it yet, and no client waits for a new webhook or callback.";
        OPERATION_REMOVED Breaking Api "operation-removed"
            "An operation that was not deprecated is removed: its callers get 404 or 405; a webhook is no longer received.",
            "deprecate it with an `x-sunset`, and remove it on or after that day";
        OPERATION_REMOVED_WITHOUT_SUNSET Breaking Api "operation-removed-without-sunset"
            "A deprecated operation is removed, but no `x-sunset` announced when.",
            "keep it, add an `x-sunset`, and remove it on or after that day";
        OPERATION_REMOVED_BEFORE_SUNSET Breaking Api "operation-removed-before-sunset"
            "A deprecated operation is removed before the day of its `x-sunset`.", "keep it until that day";
        OPERATION_REMOVED_AFTER_SUNSET Safe Api "operation-removed-after-sunset"
            "A deprecated operation is removed on or after the day of its `x-sunset`.";
        OPERATION_WITHDRAWN Breaking Api "operation-withdrawn"
            "An implemented operation becomes planned: its callers get 404 or 405.", "remove `x-status: planned`";
        OPERATION_BUILT Addition Api "operation-built" "A planned operation is implemented.";
        PLANNED_CHANGED Prose Api "planned-operation-changed"
            "A planned operation is added, changed or removed: it is not implemented, so no client uses it.";
        OPERATION_ID_CHANGED Possibly Api "operation-id-changed"
            "The `operationId` changes: requests stay the same, but generated clients name functions after it.",
            "keep the old `operationId`";
        PATH_PARAMETER_RENAMED Possibly Api "path-parameter-renamed"
            "A path parameter is renamed: requests stay the same, but generated clients name arguments after it.",
            "keep the old name";
        OPERATION_DEPRECATED Addition Api "operation-deprecated"
            "An operation is deprecated, with the day until which it remains.";
        OPERATION_DEPRECATED_WITHOUT_SUNSET Possibly Api "operation-deprecated-without-sunset"
            "An operation is deprecated without an `x-sunset`: how long it remains is not stated.", "add an `x-sunset`";
        OPERATION_REVIVED Addition Api "operation-revived" "An operation is no longer deprecated.";
        SUNSET_SET Addition Api "sunset-set" "The day until which an operation remains is announced.";
        SUNSET_IN_THE_PAST Breaking Api "sunset-in-the-past"
            "A sunset is set to a day that has already passed: the operation could be removed without notice.",
            "set a day that leaves clients time to migrate";
        SUNSET_EARLIER Breaking Api "sunset-earlier"
            "The sunset moves to an earlier day than announced.", "keep the announced day";
        SUNSET_LATER Safe Api "sunset-later" "The sunset moves to a later day than announced.";
        SUNSET_REMOVED Possibly Api "sunset-removed"
            "The sunset is removed: how long the operation remains is no longer stated.", "keep the `x-sunset`";
        PART_DEPRECATED Addition Api "part-deprecated" "A parameter, header or schema is deprecated.";
        PART_REVIVED Addition Api "part-revived" "A parameter, header or schema is no longer deprecated.";
        TAG_REMOVED Possibly Api "tag-removed"
            "An operation loses a tag: requests stay the same, but some generators name classes after tags.",
            "keep the tag";
        TAG_ADDED Prose Api "tag-added" "An operation gains a tag.";
        MAX_BODY_LOWERED Breaking Request "max-body-lowered"
            "`x-max-body-bytes` is set or lowered: larger bodies that were accepted are rejected.",
            "keep the old limit";
        MAX_BODY_RAISED Addition Request "max-body-raised" "`x-max-body-bytes` is raised or removed.";

        // Servers and security
        SERVER_REMOVED Possibly Api "server-removed"
            "A server is no longer listed: whether it still responds is not defined.", "keep it in `servers`";
        SERVER_ADDED Addition Api "server-added" "A server is added.";
        SERVER_CHANGED Possibly Api "server-changed"
            "The variables of a server change: URLs built with the old ones may be invalid.", "keep the old variables";
        SECURITY_REQUIRED Breaking Api "security-required"
            "An operation that needed no credentials now requires them.", "keep `{}` among the alternatives";
        SECURITY_SCOPE_ADDED Breaking Api "security-scope-added"
            "An alternative of `security` requires more scopes: old credentials are no longer sufficient.",
            "add an alternative and keep the old one";
        SECURITY_ALTERNATIVE_REMOVED Breaking Api "security-alternative-removed"
            "An alternative of `security` is removed or requires one more scheme: old credentials are no longer sufficient.",
            "keep the old alternative and add the new one";
        SECURITY_LIFTED Addition Api "security-lifted" "An operation that required credentials no longer does.";
        SECURITY_SCOPE_REMOVED Addition Api "security-scope-removed"
            "An alternative of `security` requires fewer scopes.";
        SECURITY_ALTERNATIVE_ADDED Addition Api "security-alternative-added" "An alternative of `security` is added.";
        SECURITY_IMPLIED_REMOVED Safe Api "security-implied-alternative-removed"
            "An alternative of `security` is removed, and one that requires less remains.";
        SECURITY_IMPLIED_ADDED Addition Api "security-implied-alternative-added"
            "An alternative of `security` is added, and one that requires less exists already.";
        SECURITY_SCHEME_CHANGED Breaking Api "security-scheme-changed"
            "Credentials are sent or obtained in another way: old credentials are no longer sufficient.",
            "add a scheme and keep the old one as an alternative";
        SECURITY_FLOW_CHANGED Possibly Api "security-flow-changed"
            "An OAuth flow, its URLs or its scopes change: whether the old ones still work is not defined.",
            "keep the old flow";
        SECURITY_FLOW_ADDED Addition Api "security-flow-added" "An OAuth flow or scope is added.";

        // Parameters and bodies
        PARAMETER_ADDED_REQUIRED Breaking Request "parameter-added-required"
            "A required parameter, or required header of a response to a webhook, is added: messages without it are rejected.",
            "make it optional";
        QUERY_PARAMETER_REMOVED Breaking Request "query-parameter-removed"
            "A query parameter is removed: requests that send it are rejected, as unknown query parameters are.",
            "keep it, deprecated";
        PARAMETER_MOVED Breaking Request "parameter-moved"
            "A parameter moves to another location: at the old one it is ignored or rejected.",
            "keep the old parameter and add the new one";
        PARAMETER_LENIENCY_WITHDRAWN Breaking Request "parameter-leniency-withdrawn"
            "`allowReserved` or `allowEmptyValue` is removed: values are rejected or misread.", "keep it";
        PARAMETER_LENIENCY_GRANTED Addition Request "parameter-leniency-granted"
            "`allowReserved` or `allowEmptyValue` is set.";
        REQUEST_BODY_ADDED_REQUIRED Breaking Request "request-body-added-required"
            "A required body is added: requests without it are rejected.", "make it optional";
        REQUEST_BODY_ADDED Addition Request "request-body-added-optional" "An optional body is added.";
        REQUEST_BODY_REMOVED Breaking Request "request-body-removed"
            "The body is removed: what clients send is rejected or ignored.", "keep it, optional";
        REQUEST_BODY_BECAME_REQUIRED Breaking Request "request-body-became-required"
            "The body becomes required: requests without it are rejected.", "keep it optional";
        REQUEST_BODY_BECAME_OPTIONAL Addition Request "request-body-became-optional" "The body becomes optional.";

        // Responses
        SUCCESS_REMOVED Breaking Response "response-success-removed"
            "A success status is no longer returned, but clients depend on it.", "keep the status";
        SUCCESS_ADDED Possibly Response "response-success-added"
            "A success or redirection status is added: clients that test for the old ones may treat it as a failure.",
            "return the old status";
        STATUS_REMOVED Safe Response "response-status-removed" "A failure or redirection status is no longer returned.";
        FAILURE_ADDED Addition Response "response-failure-added"
            "A failure status is added: clients treat unknown ones as the first of their class (RFC 9110 §15).";
        HEADER_REMOVED Breaking Response "response-header-removed"
            "A header of a response, or parameter of a webhook, that was always sent is removed.", "keep sending it";
        LINK_REMOVED Possibly Response "link-removed"
            "A link is removed: clients that follow links stop there.", "keep the link";
        LINK_CHANGED Possibly Response "link-changed"
            "The target or the values of a link change.", "add a link with another name";
        LINK_ADDED Addition Response "link-added" "A link is added.";

        // Webhooks and callbacks
        WEBHOOK_BODY_ADDED Addition Response "webhook-body-added"
            "The server sends a body with a webhook or callback, or sends it always.";
        WEBHOOK_BODY_REMOVED Breaking Response "webhook-body-removed"
            "The body of a webhook or callback is removed or becomes optional.", "keep sending it always";
        WEBHOOK_RESPONSE_ADDED Addition Request "webhook-response-added"
            "One more status is accepted as the response to a webhook or callback.";
        WEBHOOK_RESPONSE_REMOVED Breaking Request "webhook-response-removed"
            "A status is no longer accepted as the response to a webhook or callback.", "keep accepting it";
        WEBHOOK_SECURITY_CHANGED Possibly Response "webhook-security-changed"
            "The `security` of a webhook or callback changes: receivers that verify it may reject the request.",
            "keep sending the old credentials";

        // Properties
        PROPERTY_ADDED_REQUIRED Breaking Request "request-property-added-required"
            "A required property is added: requests without it are rejected.", "make it optional";
        PROPERTY_ADDED_REQUIRED_WITH_DEFAULT Breaking Request "request-property-added-required-with-default"
            "A required property is added: its default does not help, since requests without it are invalid.",
            "make it optional, so that the default applies";
        PROPERTY_ADDED_OPTIONAL Addition Request "request-property-added-optional" "An optional property is added.";
        REQUEST_PROPERTY_REMOVED Breaking Request "request-property-removed"
            "A property is removed from an object that allows no others: requests with it are rejected.",
            "keep it, deprecated";
        REQUEST_PROPERTY_IGNORED Possibly Request "request-property-removed-from-open"
            "A property is removed from an object that allows others: its value is accepted and ignored.",
            "keep it, deprecated";
        VARIANT_OVERLAPS Possibly Request "request-variant-overlaps"
            "An alternative is added to `oneOf`: a value that matches it and an old one would be rejected.",
            "distinguish them by a required property, or use `anyOf`";
        MATCHES_TWICE Breaking Request "request-one-of-matches-twice"
            "Values that were valid now match two alternatives of `oneOf`, which allows one match only.",
            "distinguish them by a required property, or use `anyOf`";
        PROPERTY_BECAME_READ_ONLY Possibly Request "request-property-became-read-only"
            "A property becomes `readOnly`: OpenAPI leaves open whether requests that send it are rejected.",
            "keep accepting it";
        PROPERTY_BECAME_REQUIRED_WITH_DEFAULT Breaking Request "request-property-became-required-with-default"
            "A property becomes required: its default does not help, since requests without it are invalid.",
            "keep it optional";
        ENUM_REPLACED Breaking Response "response-enum-replaced"
            "None of the old values of `enum` or `const` is sent: clients may handle none of the new values.",
            "keep sending the old values";
        RESPONSE_PROPERTY_REMOVED Breaking Response "response-property-removed"
            "A property that was always sent is removed.", "keep sending it";
        RESPONSE_OPTIONAL_PROPERTY_REMOVED Possibly Response "response-optional-property-removed"
            "An optional property is removed: clients may depend on it.", "keep sending it";
        RESPONSE_PROPERTY_ADDED Addition Response "response-property-added"
            "A property is added to an object that allows others: clients ignore unknown ones.";
        RESPONSE_PROPERTY_ADDED_TO_CLOSED Breaking Response "response-property-added-to-closed"
            "A property is added to an object that allowed no others: clients that validate may reject it.",
            "allow other properties some releases earlier";

        // What no client notices
        PROSE_CHANGED Prose Api "prose-changed"
            "A title, description, example or external link changes, or a key that has no effect on messages.";
        UNUSED_COMPONENT_CHANGED Prose Api "unused-component-changed"
            "A component that no operation uses is added, changed or removed.";
        UNSENT_PROPERTY_CHANGED Prose Api "unsent-property-changed"
            "A `readOnly` property used in requests only, or a `writeOnly` one used in responses only, differs: it is never sent.";
        OVERRIDDEN_CHANGED Prose Api "overridden-default-changed"
            "`security`, `servers` or a parameter that operations could inherit differs, but every operation overrides it.";
    }
    both_directions {
        PART_ADDED ADDS "parameter-added-optional"/"response-header-added",
            "An optional parameter or a header is added";
        PART_REMOVED UNDECIDED "parameter-removed"/"response-optional-header-removed",
            "A parameter outside the query, or an optional header, is removed", "keep it, deprecated";
        PART_BECAME_REQUIRED REQUIRES "parameter-became-required"/"response-header-became-required",
            "A parameter or header becomes required", "keep it optional";
        PART_BECAME_OPTIONAL WIDENS "parameter-became-optional"/"response-header-became-optional",
            "A parameter or header becomes optional", "keep sending it always";
        PART_SERIALIZATION_CHANGED BREAKS "parameter-serialization-changed"/"response-header-serialization-changed",
            "The serialization changes (`style`, `explode`, `content` for `schema`)", "add a part with another name";
        PART_SERIALIZATION_SPELLED SAME "parameter-serialization-respelled"/"response-header-serialization-respelled",
            "`explode` changes, which has no effect on a single value";
        PROPERTY_BECAME_REQUIRED REQUIRES "property-became-required", "A property becomes required", "keep it optional";
        PROPERTY_BECAME_OPTIONAL WIDENS "property-became-optional",
            "A property becomes optional", "keep sending it always";
        MEDIA_TYPE_REMOVED BREAKS "media-type-removed", "A media type is no longer used", "keep it";
        MEDIA_TYPE_ADDED ADDS "media-type-added", "A media type is added";
        ENCODING_CHANGED UNDECIDED "encoding-changed",
            "The encoding of a part of a form changes", "keep the old encoding";
        TYPE_NARROWED NARROWS "type-narrowed", "Fewer types are valid", "keep the old types";
        TYPE_WIDENED WIDENS "type-widened", "More types are valid", "add a property with another name";
        TYPE_CHANGED BREAKS "type-changed",
            "Another type is valid in place of the old one", "add a property with another name";
        NULL_REFUSED NARROWS "request-null-refused"/"response-null-withdrawn", "`null` is no longer valid", "keep it";
        NULL_ALLOWED WIDENS "request-null-accepted"/"response-null-added",
            "`null` is valid", "omit the property instead, if it is optional";
        FORMAT_ADDED NARROWS "format-added", "A format is required", "describe it in prose";
        FORMAT_REMOVED WIDENS "format-removed", "A format is no longer required", "keep the format";
        FORMAT_WIDENED WIDENS "format-widened",
            "A wider format is valid, such as `int64` for `int32`", "keep the format";
        FORMAT_NARROWED NARROWS "format-narrowed",
            "A narrower format is required, such as `int32` for `int64`", "keep the format";
        FORMAT_CHANGED BREAKS "format-changed", "Another format is required", "keep the format";
        BOUND_TIGHTENED NARROWS "bound-tightened", "A bound is set or tightened", "keep the old bound";
        BOUND_LOOSENED WIDENS "bound-loosened", "A bound is loosened or removed", "keep the old bound";
        MULTIPLE_CHANGED BREAKS "multiple-changed",
            "`multipleOf` is neither a multiple nor a divisor of the old one", "keep the old one";
        PATTERN_ADDED NARROWS "pattern-added", "A pattern is required", "describe it in prose";
        PATTERN_REMOVED WIDENS "pattern-removed", "A pattern is no longer required", "keep the pattern";
        PATTERN_CHANGED UNDECIDED "pattern-changed",
            "The pattern changes", "compare what the patterns match, then approve the change";
        ENUM_INTRODUCED NARROWS "enum-introduced", "Only listed values are valid", "describe them in prose";
        ENUM_LIFTED WIDENS "enum-lifted", "Values that are not listed are valid", "keep the list";
        ENUM_VALUE_REMOVED NARROWS "enum-value-removed", "A value is no longer valid", "keep it";
        ENUM_VALUE_ADDED GROWS "enum-value-added", "One more value is valid", "send it only to clients that request it";
        ADDITIONAL_NARROWED NARROWS "additional-properties-narrowed",
            "Properties that are not listed are excluded, or must match a schema", "keep allowing them";
        ADDITIONAL_WIDENED WIDENS "additional-properties-widened",
            "Properties that are not listed are allowed, or need not match a schema", "keep excluding them";
        VARIANT_REMOVED NARROWS "variant-removed", "An alternative is removed", "keep it";
        VARIANT_ADDED WIDENS "variant-added",
            "One more alternative is valid", "send it only to clients that request it";
        UNION_CHANGED UNDECIDED "union-changed",
            "`oneOf` becomes `anyOf` or the reverse", "make sure that no value matches two alternatives";
        DISCRIMINATOR_CHANGED BREAKS "discriminator-changed",
            "Another property, or another value of it, selects the alternative", "keep the old one";
        DISCRIMINATOR_SET UNDECIDED "discriminator-set",
            "A discriminator is added or removed, and generated clients have other types", "keep it as it was";
        MAPPING_REMOVED NARROWS "mapping-removed", "A value of the discriminator is no longer valid", "keep it";
        MAPPING_ADDED GROWS "mapping-added",
            "One more value of the discriminator is valid", "send it only to clients that request it";
        CONSTRAINT_ADDED NARROWS "constraint-added",
            "A restricting keyword is added or restricts more (`not`, `uniqueItems`, …)", "describe it in prose";
        CONSTRAINT_REMOVED WIDENS "constraint-removed",
            "A restricting keyword is removed or restricts less (`not`, `uniqueItems`, …)", "keep it";
        CONSTRAINT_CHANGED UNDECIDED "constraint-changed",
            "A keyword changes", "compare what it accepts before and after, then approve the change";
        DEFAULT_CHANGED DEFAULTS "default-changed", "The default changes", "keep the default";
        DEFAULT_ADDED SAME "default-added", "A default is documented, which was not before";
        DEFAULT_REMOVED DEFAULTS "default-removed", "The default is no longer documented", "keep the default";
    }
}

/// The rules of parts of a message. What clients send is classified by the rules of parameters and request bodies, what they
/// receive by those of response headers and webhooks: the parameters of a webhook are received, the headers of the
/// response to it are sent.
macro_rules! parts {
    ($($name:ident: $request:expr, $response:expr;)*) => {
        $(pub(super) const $name: ByDirection = ByDirection { request: $request, response: $response };)*
    };
}

parts! {
    PART_ADDED_REQUIRED: PARAMETER_ADDED_REQUIRED, PART_ADDED.response;
    REQUIRED_PART_REMOVED: PART_REMOVED.request, HEADER_REMOVED;
    PART_MOVED: PARAMETER_MOVED, HEADER_REMOVED;
    PART_LENIENCY_WITHDRAWN: PARAMETER_LENIENCY_WITHDRAWN, CONSTRAINT_CHANGED.response;
    PART_LENIENCY_GRANTED: PARAMETER_LENIENCY_GRANTED, CONSTRAINT_CHANGED.response;
    BODY_ADDED_REQUIRED: REQUEST_BODY_ADDED_REQUIRED, WEBHOOK_BODY_ADDED;
    BODY_ADDED: REQUEST_BODY_ADDED, WEBHOOK_BODY_ADDED;
    BODY_REMOVED: REQUEST_BODY_REMOVED, WEBHOOK_BODY_REMOVED;
    BODY_BECAME_REQUIRED: REQUEST_BODY_BECAME_REQUIRED, WEBHOOK_BODY_ADDED;
    BODY_BECAME_OPTIONAL: REQUEST_BODY_BECAME_OPTIONAL, WEBHOOK_BODY_REMOVED;
    SUCCESS_STATUS_REMOVED: WEBHOOK_RESPONSE_REMOVED, SUCCESS_REMOVED;
    OTHER_STATUS_REMOVED: WEBHOOK_RESPONSE_REMOVED, STATUS_REMOVED;
    SUCCESS_STATUS_ADDED: WEBHOOK_RESPONSE_ADDED, SUCCESS_ADDED;
    FAILURE_STATUS_ADDED: WEBHOOK_RESPONSE_ADDED, FAILURE_ADDED;
}
