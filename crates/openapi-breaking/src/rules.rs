//! Every rule by which a change is judged. The documentation and the tests derive from this list.
//!
//! A keyword of a schema has two rules, one per direction ([`Twofold`]). What narrows the valid values is breaking in a
//! request and safe in a response; what widens them is safe in a request and breaking in a response. Where a pair differs
//! from that, its sentences give the reason.

use crate::change::Direction;
use crate::rule::{Judged, Rule, Twofold, rule, rules};

rules! {
    one_direction {
    // Operations
    OPERATION_ADDED: "operation-added" Addition Api,
        "An operation is added: no client calls it yet, and no client waits for a new webhook or callback.", "";
    OPERATION_REMOVED: "operation-removed" Breaking Api,
        "An operation that was not deprecated is removed: its callers get 404 or 405, and clients no longer receive a removed webhook or callback.",
        "keep it, mark it `deprecated: true` with an `x-sunset`, and remove it on or after that day";
    OPERATION_REMOVED_WITHOUT_SUNSET: "operation-removed-without-sunset" Breaking Api,
        "A deprecated operation is removed, but no `x-sunset` announced when.",
        "keep it, add an `x-sunset`, and remove it on or after that day";
    OPERATION_REMOVED_BEFORE_SUNSET: "operation-removed-before-sunset" Breaking Api,
        "A deprecated operation is removed before the day of its `x-sunset`.",
        "keep it until that day";
    OPERATION_REMOVED_AFTER_SUNSET: "operation-removed-after-sunset" Safe Api,
        "A deprecated operation is removed on or after the day of its `x-sunset`.", "";
    OPERATION_WITHDRAWN: "operation-withdrawn" Breaking Api,
        "An implemented operation becomes planned: its callers get 404 or 405.",
        "remove `x-status: planned`";
    OPERATION_BUILT: "operation-built" Addition Api,
        "A planned operation is implemented.", "";
    PLANNED_CHANGED: "planned-operation-changed" Prose Api,
        "A planned operation is added, changed or removed: it is not implemented, so no client uses it.", "";
    OPERATION_ID_CHANGED: "operation-id-changed" Possibly Api,
        "The `operationId` of an operation changes: the requests stay the same, but generated clients name functions after it.",
        "keep the old `operationId`";
    PATH_PARAMETER_RENAMED: "path-parameter-renamed" Possibly Api,
        "A path parameter is renamed: the requests stay the same, but generated clients name arguments after it.",
        "keep the old name";
    OPERATION_DEPRECATED: "operation-deprecated" Addition Api,
        "An operation is deprecated, with the day until which it remains.", "";
    OPERATION_DEPRECATED_WITHOUT_SUNSET: "operation-deprecated-without-sunset" Possibly Api,
        "An operation is deprecated without an `x-sunset`: the contract does not state how long it remains.",
        "add an `x-sunset`";
    OPERATION_REVIVED: "operation-revived" Addition Api,
        "An operation is no longer deprecated.", "";
    SUNSET_SET: "sunset-set" Addition Api,
        "The day until which an operation remains is announced.", "";
    SUNSET_IN_THE_PAST: "sunset-in-the-past" Breaking Api,
        "A sunset is set to a day that has already passed: the operation could be removed without notice.",
        "set a day that leaves clients time to migrate";
    SUNSET_EARLIER: "sunset-earlier" Breaking Api,
        "The sunset of an operation moves to an earlier day than announced.", "keep the announced day";
    SUNSET_LATER: "sunset-later" Safe Api,
        "The sunset of an operation moves to a later day than announced.", "";
    SUNSET_REMOVED: "sunset-removed" Possibly Api,
        "The sunset of an operation is removed: the contract no longer states how long it remains.", "keep the `x-sunset`";
    PART_DEPRECATED: "part-deprecated" Addition Api,
        "A parameter, header or schema is deprecated.", "";
    PART_REVIVED: "part-revived" Addition Api,
        "A parameter, header or schema is no longer deprecated.", "";
    TAG_REMOVED: "tag-removed" Possibly Api,
        "An operation loses a tag: the requests stay the same, but some generators name classes after tags.",
        "keep the tag";
    TAG_ADDED: "tag-added" Prose Api,
        "An operation gains a tag.", "";
    MAX_BODY_LOWERED: "max-body-lowered" Breaking Request,
        "`x-max-body-bytes` is set or lowered: larger bodies that were accepted are rejected.", "keep the old limit";
    MAX_BODY_RAISED: "max-body-raised" Addition Request,
        "`x-max-body-bytes` is raised or removed.", "";

    // Servers and security
    SERVER_REMOVED: "server-removed" Possibly Api,
        "A server is no longer listed: the contract does not define whether it still responds.", "keep it in `servers`";
    SERVER_ADDED: "server-added" Addition Api,
        "A server is added.", "";
    SERVER_CHANGED: "server-changed" Possibly Api,
        "The variables of a server change: URLs built with the old ones may be invalid.", "keep the old variables";
    SECURITY_REQUIRED: "security-required" Breaking Api,
        "An operation that needed no credentials now requires them.", "keep `{}` among the alternatives";
    SECURITY_SCOPE_ADDED: "security-scope-added" Breaking Api,
        "An alternative of `security` requires more scopes: credentials that were sufficient no longer are.",
        "add an alternative and keep the old one";
    SECURITY_ALTERNATIVE_REMOVED: "security-alternative-removed" Breaking Api,
        "An alternative of `security` is removed or requires one more scheme: credentials that were sufficient no longer are.",
        "keep the old alternative and add the new one";
    SECURITY_LIFTED: "security-lifted" Addition Api,
        "An operation that required credentials no longer does.", "";
    SECURITY_SCOPE_REMOVED: "security-scope-removed" Addition Api,
        "An alternative of `security` requires fewer scopes.", "";
    SECURITY_ALTERNATIVE_ADDED: "security-alternative-added" Addition Api,
        "An alternative of `security` is added.", "";
    SECURITY_IMPLIED_REMOVED: "security-implied-alternative-removed" Safe Api,
        "An alternative of `security` is removed, and another one that requires less remains: the same credentials are sufficient.", "";
    SECURITY_IMPLIED_ADDED: "security-implied-alternative-added" Addition Api,
        "An alternative of `security` is added, and another one that requires less exists already: the same credentials are sufficient.", "";
    SECURITY_SCHEME_CHANGED: "security-scheme-changed" Breaking Api,
        "A security scheme changes how credentials are sent or obtained: old credentials are no longer sufficient.",
        "add a scheme and keep the old one as an alternative";
    SECURITY_FLOW_CHANGED: "security-flow-changed" Possibly Api,
        "An OAuth flow, its URLs or its scopes change: the contract does not define whether the old ones still work.",
        "keep the old flow";
    SECURITY_FLOW_ADDED: "security-flow-added" Addition Api,
        "An OAuth flow or scope is added.", "";

    // Parameters and bodies
    PARAMETER_ADDED_REQUIRED: "parameter-added-required" Breaking Request,
        "A required parameter, or a required header of a response to a webhook, is added: without it the message is rejected.", "make it optional";
    PARAMETER_ADDED: "parameter-added-optional" Addition Request,
        "An optional parameter is added.", "";
    QUERY_PARAMETER_REMOVED: "query-parameter-removed" Breaking Request,
        "A query parameter is removed: requests that send it are rejected, because unknown query parameters are.",
        "keep it, deprecated";
    PARAMETER_REMOVED: "parameter-removed" Possibly Request,
        "A parameter outside the query is removed: requests that send it are accepted and the value is ignored.",
        "keep it, deprecated";
    PARAMETER_MOVED: "parameter-moved" Breaking Request,
        "A parameter moves to another location: at the old one it is ignored or rejected.",
        "keep the old parameter and add the new one";
    PARAMETER_BECAME_REQUIRED: "parameter-became-required" Breaking Request,
        "A parameter becomes required: requests without it are rejected.", "keep it optional";
    PARAMETER_BECAME_OPTIONAL: "parameter-became-optional" Addition Request,
        "A parameter becomes optional.", "";
    PARAMETER_SERIALIZATION_CHANGED: "parameter-serialization-changed" Breaking Request,
        "The serialization of a parameter changes (`style`, `explode`, or `content` instead of `schema`): the server misreads what clients send.",
        "add a parameter with another name";
    PARAMETER_SERIALIZATION_SPELLED: "parameter-serialization-respelled" Safe Request,
        "`explode` changes, which has no effect on a parameter with a single value.", "";
    PARAMETER_LENIENCY_WITHDRAWN: "parameter-leniency-withdrawn" Breaking Request,
        "`allowReserved` or `allowEmptyValue` is removed: values that were accepted are rejected or misread.",
        "keep it";
    PARAMETER_LENIENCY_GRANTED: "parameter-leniency-granted" Addition Request,
        "`allowReserved` or `allowEmptyValue` is set.", "";
    REQUEST_BODY_ADDED_REQUIRED: "request-body-added-required" Breaking Request,
        "A required body is added: requests without it are rejected.", "make it optional";
    REQUEST_BODY_ADDED: "request-body-added-optional" Addition Request,
        "An optional body is added.", "";
    REQUEST_BODY_REMOVED: "request-body-removed" Breaking Request,
        "The body is removed: what clients send is rejected or ignored.", "keep it, optional";
    REQUEST_BODY_BECAME_REQUIRED: "request-body-became-required" Breaking Request,
        "The body becomes required: requests without it are rejected.", "keep it optional";
    REQUEST_BODY_BECAME_OPTIONAL: "request-body-became-optional" Addition Request,
        "The body becomes optional.", "";

    // Responses
    SUCCESS_REMOVED: "response-success-removed" Breaking Response,
        "A success status is no longer returned, but clients depend on it.", "keep the status";
    SUCCESS_ADDED: "response-success-added" Possibly Response,
        "A success or redirection status is added: clients that test for the old statuses may treat it as a failure.",
        "return the old status";
    STATUS_REMOVED: "response-status-removed" Safe Response,
        "A failure or redirection status is no longer returned.", "";
    FAILURE_ADDED: "response-failure-added" Addition Response,
        "A failure status is added: clients treat an unknown status as the first of its class (RFC 9110 §15).", "";
    HEADER_REMOVED: "response-header-removed" Breaking Response,
        "A header of every such response, or a required parameter of a webhook, is removed.", "keep sending it";
    OPTIONAL_HEADER_REMOVED: "response-optional-header-removed" Possibly Response,
        "An optional header of a response, or an optional parameter of a webhook, is removed: clients may depend on it.", "keep sending it";
    HEADER_ADDED: "response-header-added" Addition Response,
        "A header of a response, or a parameter of a webhook, is added: clients ignore unknown ones.", "";
    HEADER_BECAME_OPTIONAL: "response-header-became-optional" Breaking Response,
        "A header of every such response, or a required parameter of a webhook, becomes optional.", "keep sending it always";
    HEADER_BECAME_REQUIRED: "response-header-became-required" Addition Response,
        "A header is always sent.", "";
    HEADER_SERIALIZATION_CHANGED: "response-header-serialization-changed" Breaking Response,
        "The serialization of a header changes (`explode`, or `content` instead of `schema`): clients misread it.",
        "add a header with another name";
    HEADER_SERIALIZATION_SPELLED: "response-header-serialization-respelled" Safe Response,
        "`explode` changes, which has no effect on a header with a single value.", "";
    LINK_REMOVED: "link-removed" Possibly Response,
        "A link is removed: clients that follow links stop there.", "keep the link";
    LINK_CHANGED: "link-changed" Possibly Response,
        "The target or the values of a link change.", "add a link with another name";
    LINK_ADDED: "link-added" Addition Response,
        "A link is added.", "";

    // Webhooks and callbacks
    WEBHOOK_BODY_ADDED: "webhook-body-added" Addition Response,
        "The server sends a body with a webhook or callback, or sends it always.", "";
    WEBHOOK_BODY_REMOVED: "webhook-body-removed" Breaking Response,
        "The body of a webhook or callback is removed or becomes optional.", "keep sending it always";
    WEBHOOK_ANSWER_ADDED: "webhook-answer-added" Addition Request,
        "One more status is accepted as the response to a webhook or callback.", "";
    WEBHOOK_ANSWER_REMOVED: "webhook-answer-removed" Breaking Request,
        "A status is no longer accepted as the response to a webhook or callback.", "keep accepting it";
    WEBHOOK_SECURITY_CHANGED: "webhook-security-changed" Possibly Response,
        "The `security` of a webhook or callback changes: receivers that verify the credentials may reject it.",
        "keep sending the old credentials";

    // Properties
    PROPERTY_ADDED_REQUIRED: "request-property-added-required" Breaking Request,
        "A required property is added: requests without it are rejected.", "make it optional";
    PROPERTY_ADDED_REQUIRED_WITH_DEFAULT: "request-property-added-required-with-default" Breaking Request,
        "A required property is added: its default does not help, because requests without the property are invalid.",
        "make it optional, so that the default applies";
    PROPERTY_ADDED_OPTIONAL: "request-property-added-optional" Addition Request,
        "An optional property is added.", "";
    REQUEST_PROPERTY_REMOVED: "request-property-removed" Breaking Request,
        "A property is removed from an object that allows no others: requests that send it are rejected.",
        "keep it, deprecated";
    REQUEST_PROPERTY_IGNORED: "request-property-removed-from-open" Possibly Request,
        "A property is removed from an object that allows others: requests that send it are accepted, and the value is ignored.",
        "keep it, deprecated";
    VARIANT_OVERLAPS: "request-variant-overlaps" Possibly Request,
        "An alternative is added to `oneOf`, and a value that matches an old one may match it too: `oneOf` allows one match only, so such values would be rejected.",
        "distinguish them by a required property with values of its own, or use `anyOf`";
    MATCHES_TWICE: "request-one-of-matches-twice" Breaking Request,
        "Every value that matched one alternative of `oneOf` now matches two: `oneOf` allows one match only, so such values are rejected.",
        "distinguish them by a required property with values of its own, or use `anyOf`";
    PROPERTY_BECAME_READ_ONLY: "request-property-became-read-only" Possibly Request,
        "A property becomes `readOnly`: OpenAPI leaves open whether the server rejects or ignores it in requests.",
        "keep accepting it";
    PROPERTY_BECAME_REQUIRED: "request-property-became-required" Breaking Request,
        "A property becomes required: requests without it are rejected.", "keep it optional";
    PROPERTY_BECAME_REQUIRED_WITH_DEFAULT: "request-property-became-required-with-default" Breaking Request,
        "A property becomes required: its default does not help, because requests without the property are invalid.",
        "keep it optional";
    PROPERTY_BECAME_OPTIONAL: "request-property-became-optional" Addition Request,
        "A property becomes optional.", "";
    ENUM_REPLACED: "response-enum-replaced" Breaking Response,
        "None of the old values of `enum` or `const` is sent: clients may handle none of the new values.",
        "keep sending the old values";
    RESPONSE_PROPERTY_REMOVED: "response-property-removed" Breaking Response,
        "A property that was always sent is removed.", "keep sending it";
    RESPONSE_OPTIONAL_PROPERTY_REMOVED: "response-optional-property-removed" Possibly Response,
        "An optional property is removed: clients may depend on it.", "keep sending it";
    RESPONSE_PROPERTY_ADDED: "response-property-added" Addition Response,
        "A property is added to an object that allows others: clients ignore unknown ones.", "";
    RESPONSE_PROPERTY_ADDED_TO_CLOSED: "response-property-added-to-closed" Breaking Response,
        "A property is added to an object that allowed no others: clients that validate may reject it.",
        "allow other properties first, some releases earlier";
    RESPONSE_PROPERTY_BECAME_OPTIONAL: "response-property-became-optional" Breaking Response,
        "A property that was always sent becomes optional.", "keep sending it always";
    RESPONSE_PROPERTY_BECAME_REQUIRED: "response-property-became-required" Addition Response,
        "A property is always sent.", "";

    // What no client notices
    PROSE_CHANGED: "prose-changed" Prose Api,
        "A title, description, example or external link changes, or a key that has no effect on messages.", "";
    UNUSED_COMPONENT_CHANGED: "unused-component-changed" Prose Api,
        "A component that no operation uses is added, changed or removed.", "";
    UNSENT_PROPERTY_CHANGED: "unsent-property-changed" Prose Api,
        "A `readOnly` property of a schema used in requests only, or a `writeOnly` one of a schema used in responses only, is added, changed or removed: it is never sent.", "";
    OVERRIDDEN_CHANGED: "overridden-default-changed" Prose Api,
        "`security`, `servers` or a parameter that several operations could inherit is added, changed or removed, and none of them inherits it.", "";

    }
    both_directions {
    MEDIA_TYPE_REMOVED:
        "request-media-type-removed" Breaking
            "A media type is no longer accepted.", "keep accepting it"
        | "response-media-type-removed" Breaking
            "A media type is no longer returned: clients that request it get 406 or another one.",
            "keep returning it";
    MEDIA_TYPE_ADDED:
        "request-media-type-added" Addition "A media type is also accepted.", ""
        | "response-media-type-added" Addition "A media type is also returned, to clients that request it.", "";
    ENCODING_CHANGED:
        "request-encoding-changed" Possibly
            "The encoding of a part of a form changes: what clients send may be rejected.", "keep the old encoding"
        | "response-encoding-changed" Possibly
            "The encoding of a part of a form changes: clients may misread it.", "keep the old encoding";
    TYPE_NARROWED:
        "request-type-narrowed" Breaking "Fewer types are accepted.", "keep accepting the old types"
        | "response-type-narrowed" Safe "Fewer types are sent.", "";
    TYPE_WIDENED:
        "request-type-widened" Addition "More types are accepted.", ""
        | "response-type-widened" Breaking "Types are sent that clients do not expect.", "add a property with another name";
    TYPE_CHANGED:
        "request-type-changed" Breaking "Another type is required: the old one is rejected.",
            "accept both, or add a property with another name"
        | "response-type-changed" Breaking "Another type is sent than clients expect.",
            "add a property with another name";
    NULL_REFUSED:
        "request-null-refused" Breaking "`null` is no longer accepted.", "keep accepting it"
        | "response-null-withdrawn" Safe "`null` is no longer sent.", "";
    NULL_ALLOWED:
        "request-null-accepted" Addition "`null` is accepted.", ""
        | "response-null-added" Breaking "`null` may be sent where clients expect a value.", "omit the property instead, if it is optional";
    FORMAT_ADDED:
        "request-format-added" Breaking "A format is required: values without it are rejected.", "describe it in prose"
        | "response-format-added" Safe "A format is guaranteed.", "";
    FORMAT_REMOVED:
        "request-format-removed" Addition "A format is no longer required.", ""
        | "response-format-removed" Breaking "A format is no longer guaranteed: clients may be unable to read the values.",
            "keep the format";
    FORMAT_WIDENED:
        "request-format-widened" Addition "A wider format is accepted, such as `int64` for `int32`.", ""
        | "response-format-widened" Breaking "A wider format is sent, such as `int64` for `int32`: values may not fit.",
            "keep the format";
    FORMAT_NARROWED:
        "request-format-narrowed" Breaking "A narrower format is required, such as `int32` for `int64`.", "keep the format"
        | "response-format-narrowed" Safe "A narrower format is sent, such as `int32` for `int64`.", "";
    FORMAT_CHANGED:
        "request-format-changed" Breaking "Another format is required: values in the old one are rejected.", "keep the format"
        | "response-format-changed" Breaking "Another format is sent than clients expect.", "keep the format";
    BOUND_TIGHTENED:
        "request-bound-tightened" Breaking "A bound is set or tightened: values that were accepted are rejected.",
            "keep the old bound"
        | "response-bound-tightened" Safe "A bound is set or tightened.", "";
    BOUND_LOOSENED:
        "request-bound-loosened" Addition "A bound is loosened or removed.", ""
        | "response-bound-loosened" Breaking "A bound is loosened or removed: values may exceed what clients can store.",
            "keep the old bound";
    MULTIPLE_CHANGED:
        "request-multiple-changed" Breaking "`multipleOf` changes: some values that were accepted are rejected.",
            "choose a divisor of the old one"
        | "response-multiple-changed" Breaking "`multipleOf` changes: some values may be sent that were excluded.",
            "choose a multiple of the old one";
    PATTERN_ADDED:
        "request-pattern-added" Breaking "A pattern is required: values that do not match are rejected.", "describe it in prose"
        | "response-pattern-added" Safe "A pattern is guaranteed.", "";
    PATTERN_REMOVED:
        "request-pattern-removed" Addition "A pattern is no longer required.", ""
        | "response-pattern-removed" Breaking "A pattern is no longer guaranteed: clients may be unable to read the values.",
            "keep the pattern";
    PATTERN_CHANGED:
        "request-pattern-changed" Possibly "The required pattern changes: whether the new one matches every value that the old one matched is not computed.",
            "verify that it does, then approve the change"
        | "response-pattern-changed" Possibly "The guaranteed pattern changes: whether the old one matches every value that the new one matches is not computed.",
            "verify that it does, then approve the change";
    ENUM_INTRODUCED:
        "request-enum-introduced" Breaking "Only listed values are accepted.", "describe them in prose"
        | "response-enum-introduced" Safe "Only listed values are sent.", "";
    ENUM_LIFTED:
        "request-enum-lifted" Addition "Values that are not listed are accepted.", ""
        | "response-enum-lifted" Breaking "Values that are not listed are sent.", "keep the list";
    ENUM_VALUE_REMOVED:
        "request-enum-value-removed" Breaking "A value is no longer accepted.", "keep accepting it"
        | "response-enum-value-removed" Safe "A value is no longer sent.", "";
    ENUM_VALUE_ADDED:
        "request-enum-value-added" Addition "One more value is accepted.", ""
        | "response-enum-value-added" Possibly "A value may be sent that clients do not handle: lists are expected to grow, but not every client handles unknown values.",
            "send it only to clients that request it";
    ADDITIONAL_NARROWED:
        "request-additional-properties-narrowed" Breaking "Properties that are not listed are rejected, or must match a schema.",
            "keep allowing them"
        | "response-additional-properties-narrowed" Safe "Properties that are not listed are no longer sent, or match a schema.", "";
    ADDITIONAL_WIDENED:
        "request-additional-properties-widened" Addition "Properties that are not listed are accepted.", ""
        | "response-additional-properties-widened" Breaking "Properties may be sent that are not listed, or with any type: clients that validate may reject them.",
            "keep excluding them";
    VARIANT_REMOVED:
        "request-variant-removed" Breaking "An alternative is no longer accepted.", "keep accepting it"
        | "response-variant-removed" Safe "An alternative is no longer sent.", "";
    VARIANT_ADDED:
        "request-variant-added" Addition "One more alternative is accepted.", ""
        | "response-variant-added" Breaking "An alternative may be sent that clients do not handle.",
            "send it only to clients that request it";
    UNION_CHANGED:
        "request-union-changed" Possibly "`oneOf` becomes `anyOf` or the reverse: values that match several alternatives are treated differently.",
            "make sure that no value matches two alternatives"
        | "response-union-changed" Possibly "`oneOf` becomes `anyOf` or the reverse: values that match several alternatives are treated differently.",
            "make sure that no value matches two alternatives";
    DISCRIMINATOR_CHANGED:
        "request-discriminator-changed" Breaking "Another property, or another value of it, selects the alternative.",
            "keep the old one"
        | "response-discriminator-changed" Breaking "Another property, or another value of it, selects the alternative.",
            "keep the old one";
    DISCRIMINATOR_SET:
        "request-discriminator-set" Possibly "A discriminator is added or removed: generated clients have other types.",
            "keep it as it was"
        | "response-discriminator-set" Possibly "A discriminator is added or removed: generated clients have other types.",
            "keep it as it was";
    MAPPING_REMOVED:
        "request-mapping-removed" Breaking "A value of the discriminator is no longer accepted.", "keep accepting it"
        | "response-mapping-removed" Safe "A value of the discriminator is no longer sent.", "";
    MAPPING_ADDED:
        "request-mapping-added" Addition "One more value of the discriminator is accepted.", ""
        | "response-mapping-added" Possibly "A value of the discriminator may be sent that clients do not handle.",
            "send it only to clients that request it";
    CONSTRAINT_ADDED:
        "request-constraint-added" Breaking "A restricting keyword is added or restricts more (`not`, `uniqueItems`, `dependentRequired`, …): values that were accepted are rejected.",
            "describe it in prose"
        | "response-constraint-added" Safe "A restricting keyword is added or restricts more (`not`, `uniqueItems`, `dependentRequired`, …).", "";
    CONSTRAINT_REMOVED:
        "request-constraint-removed" Addition "A restricting keyword is removed or restricts less (`not`, `uniqueItems`, `dependentRequired`, …).", ""
        | "response-constraint-removed" Breaking "A restricting keyword is removed or restricts less (`not`, `uniqueItems`, `dependentRequired`, …): values may be sent that were excluded.",
            "keep it";
    CONSTRAINT_CHANGED:
        "request-constraint-changed" Possibly "A keyword changes: whether it accepts every value that was accepted is not computed.",
            "verify that it does, then approve the change"
        | "response-constraint-changed" Possibly "A keyword changes: whether every value was possible before is not computed.",
            "verify that it was, then approve the change";
    DEFAULT_CHANGED:
        "request-default-changed" Possibly "The default of an omitted value changes: requests without the value mean something else.",
            "keep the default"
        | "response-default-changed" Safe "The default of a value in a response changes: the server sends the value itself.", "";
    DEFAULT_ADDED:
        "request-default-added" Safe "The default of an omitted value is documented.", ""
        | "response-default-added" Safe "A default is documented.", "";
    DEFAULT_REMOVED:
        "request-default-removed" Possibly "The default of an omitted value is no longer documented.",
            "keep the default"
        | "response-default-removed" Safe "A default is no longer documented.", "";
}
}
