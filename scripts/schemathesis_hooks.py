"""Corrects entity tags that schemathesis generates, and limits the statuses of valid requests.

Its coverage phase fills headers with letters and digits. An entity tag has quotes, so the phase sends the number 0 instead in
every request, also in those that it regards as valid, and no such request would reach the validation of the body.

Every phase repeats few idempotency keys, so that most valid requests would be refused. Three of four get a key of their own.
"""

import itertools

import schemathesis

# Preconditions that every user meets.
ENTITY_TAGS = {"If-Match": "*", "If-None-Match": '"0"'}
NUMBERS = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    mode = case.meta and case.meta.generation.mode
    if mode and mode.is_positive and "Idempotency-Key" in case.headers and (number := next(NUMBERS)) % 4:
        case.headers["Idempotency-Key"] = f"key-{number}"
    phase = case.meta and case.meta.phase
    if not phase or phase.name.value != "coverage":
        return
    tests_headers = getattr(phase.data, "parameter_location", None) == "header" and case.meta.generation.mode.is_negative
    for name, value in ENTITY_TAGS.items():
        if not tests_headers and case.headers.get(name) in (0, "0"):
            case.headers[name] = value


@schemathesis.check
def only_a_reused_key_makes_a_valid_body_unprocessable(context, response, case):
    """Generated requests repeat idempotency keys, so schemathesis.toml accepts 422. This accepts no other cause."""
    mode = case.meta and case.meta.generation.mode
    if mode and mode.is_positive and response.status_code == 422:
        problem = response.json()
        assert problem["type"] == "/problems/idempotency-key-reused", problem["detail"]
