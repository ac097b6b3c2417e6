"""Corrects entity tags that schemathesis generates.

Its coverage phase fills headers with letters and digits. An entity tag has quotes, so the phase sends the number 0 instead in
every request, also in those that it regards as valid, and no such request would reach the validation of the body.
"""

import schemathesis

# Preconditions that every user meets.
ENTITY_TAGS = {"If-Match": "*", "If-None-Match": '"0"'}


@schemathesis.hook
def before_call(context, case, kwargs):
    phase = case.meta and case.meta.phase
    if not phase or phase.name.value != "coverage":
        return
    tests_headers = getattr(phase.data, "parameter_location", None) == "header" and case.meta.generation.mode.is_negative
    for name, value in ENTITY_TAGS.items():
        if not tests_headers and case.headers.get(name) in (0, "0"):
            case.headers[name] = value
