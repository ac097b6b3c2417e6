//! The codes of violations: what a program distinguishes violations by.

use serde::Serialize;
use utoipa::ToSchema;

/// The rule that a value violates. A value that violates several is reported with the first of them in this order, because a
/// value of the wrong type or length seldom matches a pattern either, and a pattern has a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViolationCode {
    /// A property or a parameter that must be present is missing.
    Required,
    /// The object has no such property.
    UnknownProperty,
    /// The operation has no such parameter.
    UnknownParameter,
    /// The parameter is present several times.
    Repeated,
    /// The parameter is not UTF-8 after percent-decoding.
    NotUtf8,
    /// The value has another JSON type.
    Type,
    /// The value is none of those that are listed.
    Enum,
    /// The number is less than `limit`.
    Minimum,
    /// The number is greater than `limit`.
    Maximum,
    /// The number is not a multiple of `limit`.
    MultipleOf,
    /// The text has more than `limit` characters.
    TooLong,
    /// The array has fewer than `limit` items.
    TooFewItems,
    /// The array has more than `limit` items.
    TooManyItems,
    /// The array has equal items.
    DuplicateItems,
    /// The object has fewer than `limit` properties.
    TooFewProperties,
    /// The object has more than `limit` properties.
    TooManyProperties,
    /// The text does not match the pattern, which `detail` describes.
    Pattern,
    /// The text does not have the format.
    Format,
    /// The text has fewer than `limit` characters.
    TooShort,
    /// Another resource has the value.
    NotUnique,
    /// The value violates a rule that `detail` describes.
    Invalid,
}
