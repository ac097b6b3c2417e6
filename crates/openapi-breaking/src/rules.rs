//! Every rule by which a change is judged: the one list from which the documents and the tests derive.
//!
//! A schema's keyword has two rules, one for each way ([`Twofold`]); what narrows is breaking in a request and safe in a
//! response, what widens the other way round. Where a pair departs from that, its sentences say why.

use crate::{Direction, Severity, Step};

/// How one kind of change is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its id: stable, in kebab case.
    pub id: &'static str,
    /// What such a change does to clients.
    pub severity: Severity,
    /// On which way it shows.
    pub direction: Direction,
    /// The least step of the version that it asks for.
    pub step: Step,
    /// What changed and why that is judged so, in one sentence.
    pub sentence: &'static str,
    /// What would make it safe; empty where it is.
    pub remedy: &'static str,
}

/// The rules of one change of a schema, by the way on which the schema travels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Twofold {
    pub(super) request: &'static Rule,
    pub(super) response: &'static Rule,
}

impl Twofold {
    pub(super) const fn on(self, direction: Direction) -> &'static Rule {
        match direction {
            Direction::Response => self.response,
            Direction::Request | Direction::Api => self.request,
        }
    }
}

/// How a rule judges: severity and step go together.
#[derive(Clone, Copy)]
enum Judged {
    Breaking,
    Possibly,
    /// Safe, and something new that clients may use.
    Addition,
    Safe,
    Prose,
}

const fn rule(
    id: &'static str,
    judged: Judged,
    direction: Direction,
    sentence: &'static str,
    remedy: &'static str,
) -> Rule {
    let (severity, step) = match judged {
        Judged::Breaking => (Severity::Breaking, Step::Major),
        Judged::Possibly => (Severity::PossiblyBreaking, Step::Minor),
        Judged::Addition => (Severity::Safe, Step::Minor),
        Judged::Safe => (Severity::Safe, Step::Patch),
        Judged::Prose => (Severity::Prose, Step::None),
    };
    Rule { id, severity, direction, step, sentence, remedy }
}

/// Names each rule and lists them all, so that none can be left out of the list.
macro_rules! rules {
    (
        one_way {
            $($name:ident: $id:literal $judged:ident $direction:ident, $sentence:literal, $remedy:literal;)*
        }
        both_ways {
            $($both:ident: $request:literal $request_judged:ident $request_sentence:literal, $request_remedy:literal
            | $response:literal $response_judged:ident $response_sentence:literal, $response_remedy:literal;)*
        }
    ) => {
        $(pub(super) const $name: &Rule = &rule($id, Judged::$judged, Direction::$direction, $sentence, $remedy);)*
        $(pub(super) const $both: Twofold = Twofold {
            request: &rule($request, Judged::$request_judged, Direction::Request, $request_sentence, $request_remedy),
            response:
                &rule($response, Judged::$response_judged, Direction::Response, $response_sentence, $response_remedy),
        };)*

        /// Every rule, in the order of the documents.
        pub const RULES: &[Rule] = &[$(*$name,)* $(*$both.request, *$both.response,)*];
    };
}

rules! {
    one_way {
    // Operations
    OPERATION_ADDED: "operation-added" Addition Api,
        "An operation is new: nobody called it before.", "";
    OPERATION_REMOVED: "operation-removed" Breaking Api,
        "An operation that was never deprecated is gone: its callers get 404 or 405.",
        "keep it, mark it `deprecated: true` with an `x-sunset`, and remove it once that day has come";
    OPERATION_REMOVED_WITHOUT_SUNSET: "operation-removed-without-sunset" Breaking Api,
        "A deprecated operation is gone, though nobody was told when it would go.",
        "keep it, give it an `x-sunset`, and remove it once that day has come";
    OPERATION_REMOVED_BEFORE_SUNSET: "operation-removed-before-sunset" Breaking Api,
        "A deprecated operation is gone before the day that its `x-sunset` promised.",
        "keep it until that day";
    OPERATION_REMOVED_AFTER_SUNSET: "operation-removed-after-sunset" Safe Api,
        "A deprecated operation is gone, and the day that its `x-sunset` told has come.", "";
    OPERATION_WITHDRAWN: "operation-withdrawn" Breaking Api,
        "An operation that was built is now only planned: its callers get 404 or 405.",
        "take `x-status: planned` away";
    OPERATION_BUILT: "operation-built" Addition Api,
        "An operation that was planned is now built.", "";
    PLANNED_CHANGED: "planned-operation-changed" Prose Api,
        "A planned operation is added, changed or removed: nothing answers to it yet.", "";
    OPERATION_ID_CHANGED: "operation-id-changed" Possibly Api,
        "An operation has another `operationId`: nothing changes on the wire, but generated clients name their functions after it.",
        "keep the old `operationId`";
    PATH_PARAMETER_RENAMED: "path-parameter-renamed" Possibly Api,
        "A path parameter has another name: nothing changes on the wire, but generated clients name arguments after it.",
        "keep the old name";
    OPERATION_DEPRECATED: "operation-deprecated" Addition Api,
        "An operation is deprecated and says until when it stays.", "";
    OPERATION_DEPRECATED_WITHOUT_SUNSET: "operation-deprecated-without-sunset" Possibly Api,
        "An operation is deprecated without an `x-sunset`: its callers do not know how long it stays.",
        "add an `x-sunset`";
    OPERATION_REVIVED: "operation-revived" Addition Api,
        "An operation is no longer deprecated.", "";
    SUNSET_SET: "sunset-set" Addition Api,
        "An operation now says until when it stays.", "";
    SUNSET_IN_THE_PAST: "sunset-in-the-past" Breaking Api,
        "A sunset is set to a day that has already come: the operation could go without notice.",
        "set a day that leaves callers time to move";
    SUNSET_EARLIER: "sunset-earlier" Breaking Api,
        "An operation goes earlier than promised.", "keep the day that was told";
    SUNSET_LATER: "sunset-later" Safe Api,
        "An operation stays longer than promised.", "";
    SUNSET_REMOVED: "sunset-removed" Possibly Api,
        "An operation no longer says until when it stays.", "keep the `x-sunset`";
    PART_DEPRECATED: "part-deprecated" Addition Api,
        "A parameter, header or schema is deprecated.", "";
    PART_REVIVED: "part-revived" Addition Api,
        "A parameter, header or schema is no longer deprecated.", "";
    TAG_REMOVED: "tag-removed" Possibly Api,
        "An operation loses a tag: nothing changes on the wire, but some generators name classes after tags.",
        "keep the tag";
    TAG_ADDED: "tag-added" Prose Api,
        "An operation gains a tag.", "";
    MAX_BODY_LOWERED: "max-body-lowered" Breaking Request,
        "`x-max-body-bytes` is set or lowered: bodies that were accepted are refused.", "keep the old limit";
    MAX_BODY_RAISED: "max-body-raised" Addition Request,
        "`x-max-body-bytes` is raised or lifted.", "";

    // Servers and security
    SERVER_REMOVED: "server-removed" Possibly Api,
        "A server is no longer named: whether it still answers, the contract does not say.", "keep it in `servers`";
    SERVER_ADDED: "server-added" Addition Api,
        "A server is new.", "";
    SERVER_CHANGED: "server-changed" Possibly Api,
        "A server's variables are others: addresses made with the old ones may be gone.", "keep the old variables";
    SECURITY_REQUIRED: "security-required" Breaking Api,
        "An operation that anybody could call asks for credentials.", "keep `{}` among the alternatives";
    SECURITY_SCOPE_ADDED: "security-scope-added" Breaking Api,
        "A way in asks for more scopes than before: credentials that sufficed no longer do.",
        "add an alternative instead, and keep the old one";
    SECURITY_ALTERNATIVE_REMOVED: "security-alternative-removed" Breaking Api,
        "A way in is gone, or asks for one more scheme: credentials that sufficed no longer do.",
        "keep the old alternative beside the new one";
    SECURITY_LIFTED: "security-lifted" Addition Api,
        "Anybody may call what asked for credentials.", "";
    SECURITY_SCOPE_REMOVED: "security-scope-removed" Addition Api,
        "A way in asks for fewer scopes than before.", "";
    SECURITY_ALTERNATIVE_ADDED: "security-alternative-added" Addition Api,
        "There is one more way in.", "";
    SECURITY_IMPLIED_REMOVED: "security-implied-alternative-removed" Safe Api,
        "A way in is gone, and whoever took it may still come in by another that asks for less.", "";
    SECURITY_IMPLIED_ADDED: "security-implied-alternative-added" Addition Api,
        "There is one more way in, and whoever takes it could come in already by another that asks for less.", "";
    SECURITY_SCHEME_CHANGED: "security-scheme-changed" Breaking Api,
        "Credentials are carried or made in another way: those that sufficed no longer do.",
        "add a scheme, and keep the old one as an alternative";
    SECURITY_FLOW_CHANGED: "security-flow-changed" Possibly Api,
        "An OAuth flow, its addresses or its scopes are others: whether the old ones still answer, the contract does not say.",
        "keep the old flow";
    SECURITY_FLOW_ADDED: "security-flow-added" Addition Api,
        "An OAuth flow or scope is new.", "";

    // Parameters and bodies
    PARAMETER_ADDED_REQUIRED: "parameter-added-required" Breaking Request,
        "A required parameter is new: requests without it are refused.", "make it optional";
    PARAMETER_ADDED: "parameter-added-optional" Addition Request,
        "An optional parameter is new.", "";
    QUERY_PARAMETER_REMOVED: "query-parameter-removed" Breaking Request,
        "A query parameter is gone: requests that send it are refused, as unknown parameters are.",
        "keep it, deprecated";
    PARAMETER_REMOVED: "parameter-removed" Possibly Request,
        "A header or cookie parameter is gone: requests that send it are answered as if they did not.",
        "keep it, deprecated";
    PARAMETER_MOVED: "parameter-moved" Breaking Request,
        "A parameter is carried elsewhere: where clients send it, it is not looked for.",
        "keep the old one beside the new one";
    PARAMETER_BECAME_REQUIRED: "parameter-became-required" Breaking Request,
        "A parameter must be there: requests without it are refused.", "keep it optional";
    PARAMETER_BECAME_OPTIONAL: "parameter-became-optional" Addition Request,
        "A parameter may be left out.", "";
    PARAMETER_SERIALIZATION_CHANGED: "parameter-serialization-changed" Breaking Request,
        "A parameter is written in another way (`style`, `explode`, or `content` in place of `schema`): what clients send is misread.",
        "add a parameter of another name";
    PARAMETER_SERIALIZATION_SPELLED: "parameter-serialization-respelled" Safe Request,
        "`explode` is another, which means nothing for a parameter that is a single value.", "";
    PARAMETER_LENIENCY_WITHDRAWN: "parameter-leniency-withdrawn" Breaking Request,
        "`allowReserved` or `allowEmptyValue` is withdrawn: values that were accepted are refused or misread.",
        "keep it";
    PARAMETER_LENIENCY_GRANTED: "parameter-leniency-granted" Addition Request,
        "`allowReserved` or `allowEmptyValue` is granted.", "";
    BODY_ADDED_REQUIRED: "request-body-added-required" Breaking Request,
        "A body must be sent where there was none: requests without it are refused.", "make it optional";
    BODY_ADDED: "request-body-added-optional" Addition Request,
        "A body may be sent where there was none.", "";
    BODY_REMOVED: "request-body-removed" Breaking Request,
        "No body is taken any more: what clients send is refused or ignored.", "keep it, optional";
    BODY_BECAME_REQUIRED: "request-body-became-required" Breaking Request,
        "The body must be there: requests without it are refused.", "keep it optional";
    BODY_BECAME_OPTIONAL: "request-body-became-optional" Addition Request,
        "The body may be left out.", "";

    // Responses
    SUCCESS_REMOVED: "response-success-removed" Breaking Response,
        "A success that clients wait for is no longer answered.", "keep the status";
    SUCCESS_ADDED: "response-success-added" Possibly Response,
        "A success, or a redirection, is new: clients that know only the old ones may take it for none.",
        "answer with the old status";
    STATUS_REMOVED: "response-status-removed" Safe Response,
        "A failure or a redirection is no longer answered.", "";
    FAILURE_ADDED: "response-failure-added" Addition Response,
        "A failure is new: clients treat a status that they do not know as the first of its class (RFC 9110 §15).", "";
    HEADER_REMOVED: "response-header-removed" Breaking Response,
        "A header that every such response carried is gone.", "keep sending it";
    OPTIONAL_HEADER_REMOVED: "response-optional-header-removed" Possibly Response,
        "A header that a response might carry is gone: clients could do without it, if badly.", "keep sending it";
    HEADER_ADDED: "response-header-added" Addition Response,
        "A header is new: clients ignore those that they do not know.", "";
    HEADER_BECAME_OPTIONAL: "response-header-became-optional" Breaking Response,
        "A header that every such response carried may be missing.", "keep sending it always";
    HEADER_BECAME_REQUIRED: "response-header-became-required" Addition Response,
        "A header is always there.", "";
    HEADER_SERIALIZATION_CHANGED: "response-header-serialization-changed" Breaking Response,
        "A header is written in another way (`explode`, or `content` in place of `schema`): clients misread it.",
        "add a header of another name";
    HEADER_SERIALIZATION_SPELLED: "response-header-serialization-respelled" Safe Response,
        "`explode` is another, which means nothing for a header that is a single value.", "";
    LINK_REMOVED: "link-removed" Possibly Response,
        "A link is gone: clients that follow links stop there.", "keep the link";
    LINK_CHANGED: "link-changed" Possibly Response,
        "A link leads elsewhere, or carries other values.", "add a link of another name";
    LINK_ADDED: "link-added" Addition Response,
        "A link is new.", "";

    // Properties
    PROPERTY_ADDED_REQUIRED: "request-property-added-required" Breaking Request,
        "A required property is new: requests without it are refused.", "make it optional";
    PROPERTY_ADDED_REQUIRED_WITH_DEFAULT: "request-property-added-required-with-default" Breaking Request,
        "A required property is new: its default does not help, since requests without it break the contract.",
        "make it optional: the default then stands in";
    PROPERTY_ADDED_OPTIONAL: "request-property-added-optional" Addition Request,
        "An optional property is new.", "";
    REQUEST_PROPERTY_REMOVED: "request-property-removed" Breaking Request,
        "A property is gone from an object that admits no others: requests that send it are refused.",
        "keep it, deprecated";
    REQUEST_PROPERTY_IGNORED: "request-property-removed-from-open" Possibly Request,
        "A property is gone from an object that admits others: requests that send it are accepted, without effect.",
        "keep it, deprecated";
    VARIANT_OVERLAPS: "request-variant-overlaps" Possibly Request,
        "An alternative of `oneOf` is accepted as well, and what fits an old one may fit it too: of `oneOf` only one may fit, so such values would be refused.",
        "tell them apart by a required property with values of its own, or use `anyOf`";
    PROPERTY_BECAME_READ_ONLY: "request-property-became-read-only" Possibly Request,
        "A property can no longer be sent: whether it is refused or ignored, OpenAPI leaves to the server.",
        "keep accepting it";
    PROPERTY_BECAME_REQUIRED: "request-property-became-required" Breaking Request,
        "A property must be there: requests without it are refused.", "keep it optional";
    PROPERTY_BECAME_REQUIRED_WITH_DEFAULT: "request-property-became-required-with-default" Breaking Request,
        "A property must be there: its default does not help, since requests without it break the contract.",
        "keep it optional";
    PROPERTY_BECAME_OPTIONAL: "request-property-became-optional" Addition Request,
        "A property may be left out.", "";
    RESPONSE_PROPERTY_REMOVED: "response-property-removed" Breaking Response,
        "A property that was always there is gone.", "keep sending it";
    RESPONSE_OPTIONAL_PROPERTY_REMOVED: "response-optional-property-removed" Possibly Response,
        "A property that might be there is gone: clients could do without it, if badly.", "keep sending it";
    RESPONSE_PROPERTY_ADDED: "response-property-added" Addition Response,
        "A property is new in an object that admits others: clients ignore those that they do not know.", "";
    RESPONSE_PROPERTY_ADDED_TO_CLOSED: "response-property-added-to-closed" Breaking Response,
        "A property is new in an object that said it had no others: clients that check may refuse it.",
        "open the object first, in a version that clients can get used to";
    RESPONSE_PROPERTY_BECAME_OPTIONAL: "response-property-became-optional" Breaking Response,
        "A property that was always there may be missing.", "keep sending it always";
    RESPONSE_PROPERTY_BECAME_REQUIRED: "response-property-became-required" Addition Response,
        "A property is always there.", "";

    // What no client reads
    PROSE_CHANGED: "prose-changed" Prose Api,
        "A title, description, example, link to documents, or a key that drives nothing.", "";
    UNUSED_COMPONENT_CHANGED: "unused-component-changed" Prose Api,
        "A component that no operation uses, or only where nothing is compared, is added, changed or removed.", "";
    UNSENT_PROPERTY_CHANGED: "unsent-property-changed" Prose Api,
        "A `readOnly` property of what is only sent, or a `writeOnly` one of what is only answered, is added, changed or removed: it never travels.", "";
    OVERRIDDEN_CHANGED: "overridden-default-changed" Prose Api,
        "`security`, `servers` or a parameter is added, changed or removed where it is meant for several operations, and none of them takes it from there.", "";

    }
    both_ways {
    MEDIA_TYPE_REMOVED:
        "request-media-type-removed" Breaking
            "A media type is no longer taken: requests in it are refused.", "keep taking it"
        | "response-media-type-removed" Breaking
            "A media type is no longer answered: clients that ask for it get 406, others read something else.",
            "keep answering it";
    MEDIA_TYPE_ADDED:
        "request-media-type-added" Addition "A media type is taken as well.", ""
        | "response-media-type-added" Addition "A media type is answered as well, to those who ask for it.", "";
    ENCODING_CHANGED:
        "request-encoding-changed" Possibly
            "A part of a form is encoded in another way: what clients send may be refused.", "keep the old encoding"
        | "response-encoding-changed" Possibly
            "A part of a form is encoded in another way: clients may misread it.", "keep the old encoding";
    TYPE_NARROWED:
        "request-type-narrowed" Breaking "Fewer types are accepted.", "keep accepting the old types"
        | "response-type-narrowed" Safe "Fewer types are sent.", "";
    TYPE_WIDENED:
        "request-type-widened" Addition "More types are accepted.", ""
        | "response-type-widened" Breaking "Types are sent that clients do not know.", "add a property of another name";
    TYPE_CHANGED:
        "request-type-changed" Breaking "Another type is asked for: the old one is refused.",
            "accept both, or add a property of another name"
        | "response-type-changed" Breaking "Another type is sent than clients expect.",
            "add a property of another name";
    NULL_REFUSED:
        "request-null-refused" Breaking "`null` is no longer accepted.", "keep accepting it"
        | "response-null-withdrawn" Safe "`null` is no longer sent.", "";
    NULL_ALLOWED:
        "request-null-accepted" Addition "`null` is accepted.", ""
        | "response-null-added" Breaking "`null` may be sent where clients expect a value.", "leave the property out instead, if it is optional";
    FORMAT_ADDED:
        "request-format-added" Breaking "A format is asked for: values that do not have it are refused.", "say it in prose"
        | "response-format-added" Safe "A format is promised.", "";
    FORMAT_REMOVED:
        "request-format-removed" Addition "No format is asked for any more.", ""
        | "response-format-removed" Breaking "A format is no longer promised: values may come that clients cannot read.",
            "keep the format";
    FORMAT_WIDENED:
        "request-format-widened" Addition "A wider format is accepted, such as `int64` for `int32`.", ""
        | "response-format-widened" Breaking "A wider format is sent, such as `int64` for `int32`: values may not fit.",
            "keep the format";
    FORMAT_NARROWED:
        "request-format-narrowed" Breaking "A narrower format is asked for, such as `int32` for `int64`.", "keep the format"
        | "response-format-narrowed" Safe "A narrower format is sent, such as `int32` for `int64`.", "";
    FORMAT_CHANGED:
        "request-format-changed" Breaking "Another format is asked for: values in the old one are refused.", "keep the format"
        | "response-format-changed" Breaking "Another format is sent than clients read.", "keep the format";
    BOUND_TIGHTENED:
        "request-bound-tightened" Breaking "A bound is set or tightened: values that were accepted are refused.",
            "keep the old bound"
        | "response-bound-tightened" Safe "A bound is set or tightened.", "";
    BOUND_LOOSENED:
        "request-bound-loosened" Addition "A bound is loosened or lifted.", ""
        | "response-bound-loosened" Breaking "A bound is loosened or lifted: values may come that clients have no room for.",
            "keep the old bound";
    MULTIPLE_CHANGED:
        "request-multiple-changed" Breaking "`multipleOf` asks for other values: some that were accepted are refused.",
            "choose a divisor of the old one"
        | "response-multiple-changed" Breaking "`multipleOf` promises other values: some may come that could not.",
            "choose a multiple of the old one";
    PATTERN_ADDED:
        "request-pattern-added" Breaking "A pattern is asked for: values that do not match are refused.", "say it in prose"
        | "response-pattern-added" Safe "A pattern is promised.", "";
    PATTERN_REMOVED:
        "request-pattern-removed" Addition "No pattern is asked for any more.", ""
        | "response-pattern-removed" Breaking "A pattern is no longer promised: values may come that clients cannot read.",
            "keep the pattern";
    PATTERN_CHANGED:
        "request-pattern-changed" Possibly "Another pattern is asked for: whether it matches all that the old one did, nobody can tell by rule.",
            "make sure that it does, and approve the change"
        | "response-pattern-changed" Possibly "Another pattern is promised: whether the old one matches all that it does, nobody can tell by rule.",
            "make sure that it does, and approve the change";
    ENUM_INTRODUCED:
        "request-enum-introduced" Breaking "Only listed values are accepted.", "say it in prose"
        | "response-enum-introduced" Safe "Only listed values are sent.", "";
    ENUM_LIFTED:
        "request-enum-lifted" Addition "Values are accepted that are not listed.", ""
        | "response-enum-lifted" Breaking "Values are sent that are not listed.", "keep the list";
    ENUM_VALUE_REMOVED:
        "request-enum-value-removed" Breaking "A value is no longer accepted.", "keep accepting it"
        | "response-enum-value-removed" Safe "A value is no longer sent.", "";
    ENUM_VALUE_ADDED:
        "request-enum-value-added" Addition "A value is accepted as well.", ""
        | "response-enum-value-added" Possibly "A value may be sent that clients do not know; lists are expected to grow, but not every client expects it.",
            "send it only to clients that ask for it";
    ADDITIONAL_NARROWED:
        "request-additional-properties-narrowed" Breaking "Properties that are not listed are refused, or must have a type.",
            "keep the object open"
        | "response-additional-properties-narrowed" Safe "Properties that are not listed are no longer sent, or have a type.", "";
    ADDITIONAL_WIDENED:
        "request-additional-properties-widened" Addition "Properties that are not listed are accepted.", ""
        | "response-additional-properties-widened" Breaking "Properties may be sent that are not listed, or of any type: clients that check may refuse them.",
            "keep the object closed";
    VARIANT_REMOVED:
        "request-variant-removed" Breaking "An alternative is no longer accepted.", "keep accepting it"
        | "response-variant-removed" Safe "An alternative is no longer sent.", "";
    VARIANT_ADDED:
        "request-variant-added" Addition "An alternative is accepted as well.", ""
        | "response-variant-added" Breaking "An alternative may be sent that clients do not know.",
            "send it only to clients that ask for it";
    UNION_CHANGED:
        "request-union-changed" Possibly "`oneOf` and `anyOf` are exchanged: values that match several alternatives are treated differently.",
            "make sure that no value matches two alternatives"
        | "response-union-changed" Possibly "`oneOf` and `anyOf` are exchanged: values that match several alternatives are treated differently.",
            "make sure that no value matches two alternatives";
    DISCRIMINATOR_CHANGED:
        "request-discriminator-changed" Breaking "Another property, or another value of it, tells the alternatives apart.",
            "keep the old one"
        | "response-discriminator-changed" Breaking "Another property, or another value of it, tells the alternatives apart.",
            "keep the old one";
    DISCRIMINATOR_SET:
        "request-discriminator-set" Possibly "A discriminator is added or removed: generated clients have other types.",
            "leave it as it was"
        | "response-discriminator-set" Possibly "A discriminator is added or removed: generated clients have other types.",
            "leave it as it was";
    MAPPING_REMOVED:
        "request-mapping-removed" Breaking "A value of the discriminator is no longer accepted.", "keep accepting it"
        | "response-mapping-removed" Safe "A value of the discriminator is no longer sent.", "";
    MAPPING_ADDED:
        "request-mapping-added" Addition "A value of the discriminator is accepted as well.", ""
        | "response-mapping-added" Possibly "A value of the discriminator may be sent that clients do not know.",
            "send it only to clients that ask for it";
    CONSTRAINT_ADDED:
        "request-constraint-added" Breaking "A keyword that restricts is added (`not`, `uniqueItems`, `contains`, …): values that were accepted are refused.",
            "say it in prose"
        | "response-constraint-added" Safe "A keyword that restricts is added (`not`, `uniqueItems`, `contains`, …).", "";
    CONSTRAINT_REMOVED:
        "request-constraint-removed" Addition "A keyword that restricts is taken away (`not`, `uniqueItems`, `contains`, …).", ""
        | "response-constraint-removed" Breaking "A keyword that restricts is taken away (`not`, `uniqueItems`, `contains`, …): values may come that could not.",
            "keep it";
    CONSTRAINT_CHANGED:
        "request-constraint-changed" Possibly "A keyword says something else, and whether that accepts all that the old one did is not judged.",
            "make sure that it does, and approve the change"
        | "response-constraint-changed" Possibly "A keyword says something else, and whether the old one admits all that it does is not judged.",
            "make sure that it does, and approve the change";
    DEFAULT_CHANGED:
        "request-default-changed" Possibly "What stands in for a value that is left out is another: requests mean something else.",
            "keep the default"
        | "response-default-changed" Safe "The default of what is sent is another: the server sends values, not their absence.", "";
    DEFAULT_ADDED:
        "request-default-added" Safe "It is now said what stands in for a value that is left out.", ""
        | "response-default-added" Safe "A default is named.", "";
    DEFAULT_REMOVED:
        "request-default-removed" Possibly "It is no longer said what stands in for a value that is left out.",
            "keep the default"
        | "response-default-removed" Safe "A default is no longer named.", "";
}
}
