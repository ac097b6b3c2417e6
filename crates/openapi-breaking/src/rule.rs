//! What a rule is.

use crate::change::{Direction, Severity, Step};

/// How one kind of change is judged.
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
    /// What changed and why it has this severity, in one sentence.
    pub sentence: &'static str,
    /// What would make it safe; empty if it is safe.
    pub remedy: &'static str,
}

/// The rules of one kind of change, by the direction in which the changed part travels.
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

/// How a rule judges: severity and step belong together.
#[derive(Clone, Copy)]
pub(super) enum Judged {
    Breaking,
    Possibly,
    /// Safe, and something new that clients may use.
    Addition,
    Safe,
    Prose,
}

pub(super) const fn rule(
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

/// Defines each rule and lists them all, so that the list is complete.
macro_rules! rules {
    (
        one_direction {
            $($name:ident: $id:literal $judged:ident $direction:ident, $sentence:literal, $remedy:literal;)*
        }
        both_directions {
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

        /// Every rule, in the order of the documentation.
        pub const RULES: &[Rule] = &[$(*$name,)* $(*$both.request, *$both.response,)*];
    };
}

pub(super) use rules;
