"""The life of a user, told by the client that openapi-generator writes: python python-openapi-generator.py URL

A call returns the result; a problem is raised, as an exception for each status code whose `data` is a Problem.
"""

import sys
from uuid import UUID

from users_api import ApiClient, Configuration, NewUser, Problem, UserPatch, UsersApi
from users_api.exceptions import ConflictException, NotFoundException, UnprocessableEntityException

users = UsersApi(ApiClient(Configuration(host=sys.argv[1])))

# Create: the answer names the address and the version of the new user. The names of headers are in lower case.
created = users.create_user_with_http_info(NewUser(name="Ada Lovelace", email="ada@example.com"))
ada = created.data
assert created.status_code == 201
assert created.headers and created.headers["location"] == f"/users/{ada.id}"
version = created.headers["etag"]
assert version.strip('"').isdigit()

# Get. Without `_with_http_info` a call returns the result alone.
assert users.get_user(ada.id) == ada

# List, page by page, newest first.
grace = users.create_user(NewUser(name="Grace Hopper", email="grace@example.com"))
names: list[str] = []
cursor: UUID | None = None
while not names or cursor:
    page = users.list_users(limit=1, cursor=cursor)
    assert len(page.users) == 1
    names += [user.name for user in page.users]
    cursor = page.next_cursor
assert names == ["Grace Hopper", "Ada Lovelace"]

# Replace all of a user, then change a part. The client says application/json unless it is told otherwise.
replaced = users.replace_user_with_http_info(ada.id, NewUser(name="Ada King", email="ada@example.org"))
assert replaced.data.name == "Ada King"
assert replaced.headers and replaced.headers["etag"] != version
patch = UserPatch(name="Ada, Countess of Lovelace")
patched = users.update_user(ada.id, patch, _content_type="application/merge-patch+json")
assert (patched.name, patched.email) == ("Ada, Countess of Lovelace", "ada@example.org")

# Problems: a body that breaks the contract in two places, and an address that is taken. The models check the contract
# themselves: `NewUser(name=" ", …)` would raise a ValueError before anything is sent.
try:
    users.create_user(NewUser.model_construct(name=" ", email="ada@localhost"))
    sys.exit("an invalid user was created")
except UnprocessableEntityException as error:
    problem = error.data
assert isinstance(problem, Problem)
assert (problem.type, problem.status) == ("/problems/validation", 422)
assert {violation.pointer for violation in problem.errors or []} == {"/name", "/email"}
try:
    users.create_user(NewUser(name="Ada", email="GRACE@example.com"))
    sys.exit("an address was taken twice")
except ConflictException as error:
    taken = error.data
assert isinstance(taken, Problem)
assert (taken.type, taken.status) == ("/problems/conflict", 409)
assert [violation.pointer for violation in taken.errors or []] == ["/email"]

# Delete; then there is no such user.
for user in (ada, grace):
    assert users.delete_user_with_http_info(user.id).status_code == 204
try:
    users.get_user(ada.id)
    sys.exit("a deleted user was read")
except NotFoundException as error:
    gone, headers = error.data, error.headers
assert isinstance(gone, Problem)
assert (gone.type, gone.status) == ("/problems/not-found", 404)
assert headers and gone.request_id == headers["x-request-id"]

print("python-openapi-generator: created, read, listed, changed and deleted users; read problems 404, 409 and 422")
