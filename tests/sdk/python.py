"""Tests the client that openapi-python-client generates: python python.py URL KEY

`sync_detailed` returns a response; its `parsed` is the result or a Problem, typed by the contract.
"""

import sys
from uuid import UUID, uuid4

from users_api_client import AuthenticatedClient
from users_api_client.api.users import create_user, delete_user, get_user, list_users, replace_user, update_user
from users_api_client.models import Problem, User, UserInput, UserList, UserPatch, ViolationCode
from users_api_client.types import UNSET, Unset

url, key = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key, raise_on_unexpected_status=True)

# With a wrong key.
refused = list_users.sync(client=AuthenticatedClient(base_url=url, token="unknown"))
assert isinstance(refused, Problem), refused
assert (refused.type_, refused.status) == ("/problems/unauthorized", 401)

# Create: the response has the location and the version of the new user. A retry with the same key gets the same response.
new, once = UserInput(name="Ada Lovelace", email="ada@example.com"), str(uuid4())
created = create_user.sync_detailed(client=client, body=new, idempotency_key=once)
ada = created.parsed
assert isinstance(ada, User), ada
assert created.status_code == 201
assert created.headers["Location"] == f"/users/{ada.id}"
version = created.headers["ETag"]
assert version.strip('"').isdigit()
retried = create_user.sync_detailed(client=client, body=new, idempotency_key=once)
assert retried.parsed == ada
assert retried.headers["Idempotency-Replayed"] == "true"

# Get. `sync` is `sync_detailed` without status and headers.
assert get_user.sync(ada.id, client=client) == ada
unchanged = get_user.sync_detailed(ada.id, client=client, if_none_match=version)
assert (unchanged.status_code, unchanged.parsed) == (304, None)

# List, page by page, newest first.
grace = create_user.sync(client=client, body=UserInput(name="Grace Hopper", email="grace@example.com"))
assert isinstance(grace, User), grace
names = []
cursor: UUID | Unset | None = None
while cursor is not UNSET:
    page = list_users.sync(client=client, limit=1, cursor=cursor or UNSET)
    assert isinstance(page, UserList), page
    assert len(page.users) == 1
    names += [user.name for user in page.users]
    cursor = page.next_cursor
assert names == ["Grace Hopper", "Ada Lovelace"]

# Replace the version that was read, after which that version is outdated; then change one property of any version.
king = UserInput(name="Ada King", email="ada@example.org")
replaced = replace_user.sync_detailed(ada.id, client=client, body=king, if_match=version)
assert isinstance(replaced.parsed, User), replaced
assert replaced.parsed.name == "Ada King"
assert replaced.headers["ETag"] != version
outdated = update_user.sync(ada.id, client=client, body=UserPatch(name="Ada"), if_match=version)
assert isinstance(outdated, Problem), outdated
assert (outdated.type_, outdated.status) == ("/problems/precondition-failed", 412)
patched = update_user.sync(ada.id, client=client, body=UserPatch(name="Ada, Countess of Lovelace"))
assert isinstance(patched, User), patched
assert (patched.name, patched.email) == ("Ada, Countess of Lovelace", "ada@example.org")

# Problems: a body with two violations, and an e-mail address in use.
problem = create_user.sync(client=client, body=UserInput(name=" ", email="ada@localhost"))
assert isinstance(problem, Problem)
assert (problem.type_, problem.status) == ("/problems/validation", 422)
codes = {violation.pointer: violation.code for violation in problem.errors or []}
assert codes == {"/name": ViolationCode.PATTERN, "/email": ViolationCode.PATTERN}
taken = create_user.sync(client=client, body=UserInput(name="Ada", email="GRACE@example.com"))
assert isinstance(taken, Problem)
assert (taken.type_, taken.status) == ("/problems/conflict", 409)
assert [violation.code for violation in taken.errors or []] == [ViolationCode.NOT_UNIQUE]

# Delete; a later read finds no user.
for user in (ada, grace):
    assert delete_user.sync_detailed(user.id, client=client).status_code == 204
not_found = get_user.sync_detailed(ada.id, client=client)
assert isinstance(not_found.parsed, Problem)
assert (not_found.parsed.type_, not_found.parsed.status) == ("/problems/not-found", 404)
assert not_found.parsed.request_id == not_found.headers["X-Request-Id"]

print("python: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422")
