"""Tests the client that openapi-generator generates: python python-openapi-generator.py URL KEY

A call returns the result. A problem is raised as the exception of its status code, with the Problem in `data`.
"""

import sys
from uuid import UUID, uuid4

from users_api import ApiClient, Configuration, Problem, UserInput, UserPatch, UsersApi, ViolationCode
from users_api.exceptions import (
    ApiException,
    ConflictException,
    NotFoundException,
    UnauthorizedException,
    UnprocessableEntityException,
)

url, key = sys.argv[1:]
users = UsersApi(ApiClient(Configuration(host=url, access_token=key)))

# Without a key, and with a wrong one.
for wrong in (None, "wrong"):
    try:
        UsersApi(ApiClient(Configuration(host=url, access_token=wrong))).list_users()
        sys.exit("users were read without a key")
    except UnauthorizedException as error:
        refused = error.data
    assert isinstance(refused, Problem)
    assert (refused.type, refused.status) == ("/problems/unauthorized", 401)

# Create: the response has the location and the version of the new user. A retry with the same key gets the same response.
# Header names are in lower case.
new, once = UserInput(name="Ada Lovelace", email="ada@example.com"), str(uuid4())
created = users.create_user_with_http_info(new, idempotency_key=once)
ada = created.data
assert created.status_code == 201
assert created.headers and created.headers["location"] == f"/users/{ada.id}"
version = created.headers["etag"]
assert version.strip('"').isdigit()
retried = users.create_user_with_http_info(new, idempotency_key=once)
assert retried.data == ada
assert retried.headers and retried.headers["idempotency-replayed"] == "true"

# Get. Without `_with_http_info` a call returns the result alone.
assert users.get_user(ada.id) == ada
try:
    users.get_user(ada.id, if_none_match=version)
    sys.exit("an unchanged user was read")
except ApiException as error:
    assert (error.status, error.data) == (304, None)

# List, page by page, newest first.
grace = users.create_user(UserInput(name="Grace Hopper", email="grace@example.com"))
names: list[str] = []
cursor: UUID | None = None
while not names or cursor:
    page = users.list_users(limit=1, cursor=cursor)
    assert len(page.users) == 1
    names += [user.name for user in page.users]
    cursor = page.next_cursor
assert names == ["Grace Hopper", "Ada Lovelace"]

# Replace the version that was read, after which that version is outdated; then change one property of any version. The
# default content type of the client is application/json.
king = UserInput(name="Ada King", email="ada@example.org")
replaced = users.replace_user_with_http_info(ada.id, king, if_match=version)
assert replaced.data.name == "Ada King"
assert replaced.headers and replaced.headers["etag"] != version
patch = UserPatch(name="Ada, Countess of Lovelace")
try:
    users.update_user(ada.id, patch, if_match=version)
    sys.exit("an outdated version was changed")
except ApiException as error:
    outdated = error.data
assert isinstance(outdated, Problem)
assert (outdated.type, outdated.status) == ("/problems/precondition-failed", 412)
patched = users.update_user(ada.id, patch, _content_type="application/merge-patch+json")
assert (patched.name, patched.email) == ("Ada, Countess of Lovelace", "ada@example.org")

# Problems: a body with two violations, and an e-mail address in use. `UserInput(name=" ", …)` would raise a ValueError
# before a request is sent, because the models check the contract.
try:
    users.create_user(UserInput.model_construct(name=" ", email="ada@localhost"))
    sys.exit("an invalid user was created")
except UnprocessableEntityException as error:
    problem = error.data
assert isinstance(problem, Problem)
assert (problem.type, problem.status) == ("/problems/validation", 422)
codes = {violation.pointer: violation.code for violation in problem.errors or []}
assert codes == {"/name": ViolationCode.PATTERN, "/email": ViolationCode.PATTERN}
try:
    users.create_user(UserInput(name="Ada", email="GRACE@example.com"))
    sys.exit("two users with the same e-mail address were created")
except ConflictException as error:
    taken = error.data
assert isinstance(taken, Problem)
assert (taken.type, taken.status) == ("/problems/conflict", 409)
assert [violation.code for violation in taken.errors or []] == [ViolationCode.NOT_UNIQUE]

# Delete; a later read finds no user.
for user in (ada, grace):
    assert users.delete_user_with_http_info(user.id).status_code == 204
try:
    users.get_user(ada.id)
    sys.exit("a deleted user was read")
except NotFoundException as error:
    not_found, headers = error.data, error.headers
assert isinstance(not_found, Problem)
assert (not_found.type, not_found.status) == ("/problems/not-found", 404)
assert headers and not_found.request_id == headers["x-request-id"]

print("python-openapi-generator: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422")
