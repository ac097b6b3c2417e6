"""Tests the client that openapi-generator generates: python python-openapi-generator.py URL KEY

A call returns the result. A problem is raised as the exception of its status code, with the Problem in `data`.
"""

import sys
from uuid import UUID

from users_api import ApiClient, Configuration, UserInput, Problem, UserPatch, UsersApi
from users_api.exceptions import (
    ConflictException,
    NotFoundException,
    UnauthorizedException,
    UnprocessableEntityException,
)

url, key = sys.argv[1:]
users = UsersApi(ApiClient(Configuration(host=url, access_token=key)))

# Without a token.
try:
    UsersApi(ApiClient(Configuration(host=url))).list_users()
    sys.exit("users were read without a token")
except UnauthorizedException as error:
    refused = error.data
assert isinstance(refused, Problem)
assert (refused.type, refused.status) == ("/problems/unauthorized", 401)

# Create: the response has the location and the version of the new user. Header names are in lower case.
created = users.create_user_with_http_info(UserInput(name="Ada Lovelace", email="ada@example.com"))
ada = created.data
assert created.status_code == 201
assert created.headers and created.headers["location"] == f"/users/{ada.id}"
version = created.headers["etag"]
assert version.strip('"').isdigit()

# Get. Without `_with_http_info` a call returns the result alone.
assert users.get_user(ada.id) == ada

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

# Replace a user, then change one property. The default content type of the client is application/json.
replaced = users.replace_user_with_http_info(ada.id, UserInput(name="Ada King", email="ada@example.org"))
assert replaced.data.name == "Ada King"
assert replaced.headers and replaced.headers["etag"] != version
patch = UserPatch(name="Ada, Countess of Lovelace")
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
assert {violation.pointer for violation in problem.errors or []} == {"/name", "/email"}
try:
    users.create_user(UserInput(name="Ada", email="GRACE@example.com"))
    sys.exit("two users with the same e-mail address were created")
except ConflictException as error:
    taken = error.data
assert isinstance(taken, Problem)
assert (taken.type, taken.status) == ("/problems/conflict", 409)
assert [violation.pointer for violation in taken.errors or []] == ["/email"]

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

print("python-openapi-generator: created, read, listed, changed and deleted users; read problems 401, 404, 409 and 422")
