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
    let is_safe = matches!(severity, Severity::Safe | Severity::Prose);
    Rule { id, severity, direction, step, sentence, remedy: if is_safe { "" } else { remedy } }
}

/// Both rules of one kind of change: their effects follow from what the change does to the set of valid values.
macro_rules! by_direction {
    ($id:literal; $kind:ident $($row:tt)*) => {
        by_direction!($kind, concat!("request-", $id), concat!("response-", $id), $($row)*)
    };
    ($request:literal, $response:literal; $kind:ident $($row:tt)*) => {
        by_direction!($kind, $request, $response, $($row)*)
    };
    (Narrows, $($row:tt)*) => {
        by_direction!(@ Breaking ": what clients send may be rejected.", Safe ": clients receive nothing new.", $($row)*)
    };
    (Requires, $($row:tt)*) => {
        by_direction!(@ Breaking ": what clients send may be rejected.", Addition ": it is always sent.", $($row)*)
    };
    (Widens, $($row:tt)*) => {
        by_direction!(@ Addition ": what clients send stays valid.",
            Breaking ": clients may receive what they do not expect.", $($row)*)
    };
    // Lists are expected to grow.
    (Grows, $($row:tt)*) => {
        by_direction!(@ Addition ": what clients send stays valid.",
            Possibly ": not every client handles unknown values.", $($row)*)
    };
    (Breaks, $($row:tt)*) => {
        by_direction!(@ Breaking ": what clients send may be rejected.",
            Breaking ": clients may receive what they do not expect.", $($row)*)
    };
    (Undecided, $($row:tt)*) => {
        by_direction!(@ Possibly ": whether what clients send keeps its effect is not computed.",
            Possibly ": whether clients receive what they do not expect is not computed.", $($row)*)
    };
    (Adds, $($row:tt)*) => {
        by_direction!(@ Addition ": what clients send stays valid.", Addition ": clients ignore what is unknown.", $($row)*)
    };
    // Of values that clients may omit.
    (Defaults, $($row:tt)*) => {
        by_direction!(@ Possibly ": requests without the value may mean something else.",
            Safe ": the server sends the value itself.", $($row)*)
    };
    (Same, $($row:tt)*) => {
        by_direction!(@ Safe ": what clients send stays valid.", Safe ": clients receive nothing new.", $($row)*)
    };
    (@ $effect:ident $why:literal, $other:ident $other_why:literal,
        $request:expr, $response:expr, $sentence:literal, $remedy:expr) => { ByDirection {
        request: &rule($request, Effect::$effect, Direction::Request, concat!($sentence, $why), $remedy),
        response: &rule($response, Effect::$other, Direction::Response, concat!($sentence, $other_why), $remedy),
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
