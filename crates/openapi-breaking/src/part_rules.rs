//! Rules of parts of a message, by direction.
//!
//! What clients send is judged by the rules of parameters and request bodies, what they receive by those of response
//! headers and webhooks: the parameters of a webhook are received, the headers of its answer are sent.

use crate::rule::{Rule, Twofold};
use crate::rules::*;

const fn twofold(request: &'static Rule, response: &'static Rule) -> Twofold {
    Twofold { request, response }
}

pub(super) const PART_ADDED_REQUIRED: Twofold = twofold(PARAMETER_ADDED_REQUIRED, HEADER_ADDED);
pub(super) const PART_ADDED: Twofold = twofold(PARAMETER_ADDED, HEADER_ADDED);
pub(super) const REQUIRED_PART_REMOVED: Twofold = twofold(PARAMETER_REMOVED, HEADER_REMOVED);
pub(super) const PART_REMOVED: Twofold = twofold(PARAMETER_REMOVED, OPTIONAL_HEADER_REMOVED);
pub(super) const PART_MOVED: Twofold = twofold(PARAMETER_MOVED, HEADER_REMOVED);
pub(super) const PART_BECAME_REQUIRED: Twofold = twofold(PARAMETER_BECAME_REQUIRED, HEADER_BECAME_REQUIRED);
pub(super) const PART_BECAME_OPTIONAL: Twofold = twofold(PARAMETER_BECAME_OPTIONAL, HEADER_BECAME_OPTIONAL);
pub(super) const PART_SERIALIZATION_CHANGED: Twofold =
    twofold(PARAMETER_SERIALIZATION_CHANGED, HEADER_SERIALIZATION_CHANGED);
pub(super) const PART_SERIALIZATION_SPELLED: Twofold =
    twofold(PARAMETER_SERIALIZATION_SPELLED, HEADER_SERIALIZATION_SPELLED);
pub(super) const PART_LENIENCY_WITHDRAWN: Twofold = twofold(PARAMETER_LENIENCY_WITHDRAWN, CONSTRAINT_CHANGED.response);
pub(super) const PART_LENIENCY_GRANTED: Twofold = twofold(PARAMETER_LENIENCY_GRANTED, CONSTRAINT_CHANGED.response);
pub(super) const BODY_ADDED_REQUIRED: Twofold = twofold(REQUEST_BODY_ADDED_REQUIRED, WEBHOOK_BODY_ADDED);
pub(super) const BODY_ADDED: Twofold = twofold(REQUEST_BODY_ADDED, WEBHOOK_BODY_ADDED);
pub(super) const BODY_REMOVED: Twofold = twofold(REQUEST_BODY_REMOVED, WEBHOOK_BODY_REMOVED);
pub(super) const BODY_BECAME_REQUIRED: Twofold = twofold(REQUEST_BODY_BECAME_REQUIRED, WEBHOOK_BODY_ADDED);
pub(super) const BODY_BECAME_OPTIONAL: Twofold = twofold(REQUEST_BODY_BECAME_OPTIONAL, WEBHOOK_BODY_REMOVED);
pub(super) const SUCCESS_STATUS_REMOVED: Twofold = twofold(WEBHOOK_ANSWER_REMOVED, SUCCESS_REMOVED);
pub(super) const OTHER_STATUS_REMOVED: Twofold = twofold(WEBHOOK_ANSWER_REMOVED, STATUS_REMOVED);
pub(super) const SUCCESS_STATUS_ADDED: Twofold = twofold(WEBHOOK_ANSWER_ADDED, SUCCESS_ADDED);
pub(super) const FAILURE_STATUS_ADDED: Twofold = twofold(WEBHOOK_ANSWER_ADDED, FAILURE_ADDED);
