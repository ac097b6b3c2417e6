//! What a rule is, and the macro that defines all rules.

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

pub(super) const fn rule(
    id: &'static str,
    effect: Effect,
    direction: Direction,
    sentence: &'static str,
    remedy: &'static str,
) -> Rule {
    let (severity, step) = match effect {
        Effect::Breaking => (Severity::Breaking, Step::Major),
        Effect::Possibly => (Severity::PossiblyBreaking, Step::Minor),
        Effect::Addition => (Severity::Safe, Step::Minor),
        Effect::Safe => (Severity::Safe, Step::Patch),
        Effect::Prose => (Severity::Prose, Step::None),
    };
    Rule { id, severity, direction, step, sentence, remedy }
}

/// Both rules of one kind of change: their effects follow from what the change does to the set of valid values.
macro_rules! by_direction {
    ($id:literal; $kind:ident $($row:tt)*) => {
        by_direction!($kind, concat!("request-", $id), concat!("response-", $id), $($row)*)
    };
    ($request:literal, $response:literal; $kind:ident $($row:tt)*) => {
        by_direction!($kind, $request, $response, $($row)*)
    };
    (Narrows, $request:expr, $response:expr, $s:literal, $remedy:expr) => { ByDirection {
        request: &rule($request, Effect::Breaking, Direction::Request, concat!($s, ": what clients send may be rejected."), $remedy),
        response: &rule($response, Effect::Safe, Direction::Response, concat!($s, ": clients receive nothing new."), ""),
    } };
    (Widens, $request:expr, $response:expr, $s:literal, $remedy:expr) => { ByDirection {
        request: &rule($request, Effect::Addition, Direction::Request, concat!($s, ": what clients send stays valid."), ""),
        response: &rule($response, Effect::Breaking, Direction::Response, concat!($s, ": clients may receive what they do not expect."), $remedy),
    } };
    // Lists are expected to grow.
    (Grows, $request:expr, $response:expr, $s:literal, $remedy:expr) => { ByDirection {
        request: &rule($request, Effect::Addition, Direction::Request, concat!($s, ": what clients send stays valid."), ""),
        response: &rule($response, Effect::Possibly, Direction::Response, concat!($s, ": not every client handles unknown values."), $remedy),
    } };
    (Breaks, $request:expr, $response:expr, $s:literal, $remedy:expr) => { ByDirection {
        request: &rule($request, Effect::Breaking, Direction::Request, concat!($s, ": what clients send may be rejected."), $remedy),
        response: &rule($response, Effect::Breaking, Direction::Response, concat!($s, ": clients may receive what they do not expect."), $remedy),
    } };
    (Undecided, $request:expr, $response:expr, $s:literal, $remedy:expr) => { ByDirection {
        request: &rule($request, Effect::Possibly, Direction::Request, concat!($s, ": whether what clients send stays valid is not computed."), $remedy),
        response: &rule($response, Effect::Possibly, Direction::Response, concat!($s, ": whether clients receive something new is not computed."), $remedy),
    } };
    (Adds, $request:expr, $response:expr, $s:literal, $remedy:expr) => { ByDirection {
        request: &rule($request, Effect::Addition, Direction::Request, concat!($s, ": what clients send stays valid."), $remedy),
        response: &rule($response, Effect::Addition, Direction::Response, concat!($s, ", to clients that request it."), $remedy),
    } };
    // Of values that clients may omit.
    (Defaults, $request:expr, $response:expr, $s:literal, $remedy:expr) => { ByDirection {
        request: &rule($request, Effect::Possibly, Direction::Request, concat!($s, ": requests without the value may mean something else."), $remedy),
        response: &rule($response, Effect::Safe, Direction::Response, concat!($s, ": the server sends the value itself."), ""),
    } };
    (Documents, $request:expr, $response:expr, $s:literal, $remedy:expr) => { ByDirection {
        request: &rule($request, Effect::Safe, Direction::Request, concat!($s, ": it was not documented before."), $remedy),
        response: &rule($response, Effect::Safe, Direction::Response, concat!($s, ": the server sends the value itself."), $remedy),
    } };
}

/// Defines each rule and lists them all, so that the list is complete.
macro_rules! rules {
    (
        one_direction {
            $($name:ident $effect:ident $direction:ident $id:literal $sentence:literal $(, $remedy:literal)?;)*
        }
        both_directions {
            $($both:ident $kind:ident $request:literal $(| $response:literal)? $both_sentence:literal
                $(, $both_remedy:literal)?;)*
        }
    ) => {
        $(pub(super) const $name: &Rule =
            &rule($id, Effect::$effect, Direction::$direction, $sentence, concat!($($remedy)?));)*
        $(pub(super) const $both: ByDirection =
            by_direction!($request $(, $response)?; $kind $both_sentence, concat!($($both_remedy)?));)*

        /// Every rule, in the order of the documentation.
        pub const RULES: &[Rule] = &[$(*$name,)* $(*$both.request, *$both.response,)*];
    };
}

pub(super) use {by_direction, rules};
