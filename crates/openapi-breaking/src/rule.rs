//! What a rule is, and the macro that defines all rules.

use openapi_contract::words;

words! {
    /// What a change does to clients that were written for the old release. The most severe comes first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    Severity {
        /// Some client that follows the old release fails.
        Breaking = "breaking",
        /// Some client may fail; the two documents alone do not decide it.
        PossiblyBreaking = "possibly breaking",
        /// No client that follows the old release fails.
        Safe = "safe",
        /// Documentation only.
        Prose = "prose",
    }
}

words! {
    /// What a change affects.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    Direction {
        /// What clients send.
        Request = "request",
        /// What clients receive.
        Response = "response",
        /// The API as a whole: which operations exist, who may call them, until when.
        Api = "api",
    }
}

words! {
    /// A step of the version. The smallest comes first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    Step {
        /// The version may stay.
        None = "no",
        /// `1.2.3` → `1.2.4`.
        Patch = "patch",
        /// `1.2.3` → `1.3.0`.
        Minor = "minor",
        /// `1.2.3` → `2.0.0`.
        Major = "major",
    }
}

/// How one kind of change is classified, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The id: stable, in kebab case.
    pub id: &'static str,
    /// What such a change does to clients.
    pub severity: Severity,
    /// What such a change affects.
    pub direction: Direction,
    /// The smallest step of the version that it requires.
    pub step: Step,
    /// What changed.
    what: &'static str,
    /// Why it has this severity, if that is not part of `what`.
    reason: &'static str,
    /// What would make it safe; empty if it is safe.
    pub remedy: &'static str,
}

impl Rule {
    /// What changed and why it has this severity, in one sentence.
    pub fn sentence(&self) -> String {
        self.what.to_owned() + self.reason
    }
}

/// The rules of one kind of change, by the direction in which the changed part travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByDirection {
    pub(super) request: &'static Rule,
    pub(super) response: &'static Rule,
}

impl ByDirection {
    pub(super) const fn on(self, direction: Direction) -> &'static Rule {
        match direction {
            Direction::Response => self.response,
            Direction::Request | Direction::Api => self.request,
        }
    }
}

/// What a change does: severity and step belong together.
#[derive(Clone, Copy)]
pub(super) enum Effect {
    Breaking,
    Possibly,
    /// Safe, and something new that clients may use.
    Addition,
    Safe,
    Prose,
}

use Effect::{Addition, Breaking, Possibly, Safe};

const REJECTED: &str = ": what clients send may be rejected.";
const VALID: &str = ": what clients send stays valid.";
const UNEXPECTED: &str = ": clients may receive what they do not expect.";
const NOTHING_NEW: &str = ": clients receive nothing new.";

/// What a kind of change does to requests and to responses, each with the reason.
pub(super) type Kind = [(Effect, &'static str); 2];

pub(super) const NARROWS: Kind = [(Breaking, REJECTED), (Safe, NOTHING_NEW)];
pub(super) const REQUIRES: Kind = [(Breaking, REJECTED), (Addition, ": it is always sent.")];
pub(super) const WIDENS: Kind = [(Addition, VALID), (Breaking, UNEXPECTED)];
/// Lists are expected to grow.
pub(super) const GROWS: Kind = [(Addition, VALID), (Possibly, ": not every client handles unknown values.")];
pub(super) const ADDS: Kind = [(Addition, VALID), (Addition, ": clients ignore what is unknown.")];
pub(super) const BREAKS: Kind = [(Breaking, REJECTED), (Breaking, UNEXPECTED)];
pub(super) const UNDECIDED: Kind = [
    (Possibly, ": whether what clients send keeps its effect is not computed."),
    (Possibly, ": whether clients receive what they do not expect is not computed."),
];
/// Of values that clients may omit.
pub(super) const DEFAULTS: Kind = [
    (Possibly, ": requests without the value may mean something else."),
    (Safe, ": the server sends the value itself."),
];
pub(super) const SAME: Kind = [(Safe, VALID), (Safe, NOTHING_NEW)];

pub(super) const fn rule(
    id: &'static str,
    (effect, reason): (Effect, &'static str),
    direction: Direction,
    what: &'static str,
    remedy: &'static str,
) -> Rule {
    let (severity, step) = match effect {
        Effect::Breaking => (Severity::Breaking, Step::Major),
        Effect::Possibly => (Severity::PossiblyBreaking, Step::Minor),
        Effect::Addition => (Severity::Safe, Step::Minor),
        Effect::Safe => (Severity::Safe, Step::Patch),
        Effect::Prose => (Severity::Prose, Step::None),
    };
    let is_safe = matches!(severity, Severity::Safe | Severity::Prose);
    Rule { id, severity, direction, step, what, reason, remedy: if is_safe { "" } else { remedy } }
}

/// The ids of both rules of one kind of change.
macro_rules! ids {
    ($id:literal) => {
        [concat!("request-", $id), concat!("response-", $id)]
    };
    ($request:literal $response:literal) => {
        [$request, $response]
    };
}

/// Defines each rule and lists them all, so that the list is complete.
macro_rules! rules {
    (
        one_direction {
            $($name:ident $effect:ident $direction:ident $id:literal $sentence:literal $(, $remedy:literal)?;)*
        }
        both_directions {
            $($both:ident $kind:ident $($both_id:literal)/+, $what:literal $(, $both_remedy:literal)?;)*
        }
    ) => {
        $(pub(super) const $name: &Rule =
            &rule($id, (Effect::$effect, ""), Direction::$direction, $sentence, concat!($($remedy)?));)*
        $(pub(super) const $both: ByDirection = ByDirection {
            request: &rule(ids!($($both_id)+)[0], $kind[0], Direction::Request, $what, concat!($($both_remedy)?)),
            response: &rule(ids!($($both_id)+)[1], $kind[1], Direction::Response, $what, concat!($($both_remedy)?)),
        };)*

        /// Every rule, in the order of the documentation.
        pub const RULES: &[Rule] = &[$(*$name,)* $(*$both.request, *$both.response,)*];
    };
}

pub(super) use {ids, rules};
