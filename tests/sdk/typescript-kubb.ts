// Tests the client that kubb generates: node typescript-kubb.js URL KEY
//
// A call returns `status`, `headers` and `data`, which is typed as the result. The types of the problems have the names of
// the operation and the status.
import assert from "node:assert/strict";
import { setConfig, type ResponseConfig } from "./typescript-kubb/.kubb/fetch.js";
import { createUser, deleteUser, getUser, listUsers, replaceUser, updateUser } from "./typescript-kubb/index.js";
import type { CreateUser409, CreateUser422, GetUser404, ListUsers401, UpdateUser412 } from "./typescript-kubb/index.js";

const [baseURL, key] = process.argv.slice(2);
const configure = (key?: string) =>
    setConfig({ baseURL, headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" } });

/** The problem of a response with this status. */
function problem<T>(status: number, response: ResponseConfig<unknown>): T {
    assert.equal(response.status, status);
    return response.data as T;
}

// With a wrong key.
configure("wrong");
assert.equal(problem<ListUsers401>(401, await listUsers()).type, "/problems/unauthorized");
configure(key);

// Create: the response has the location and the version of the new user. A retry with the same key gets the same response.
const once = { "Idempotency-Key": crypto.randomUUID() };
const input = { name: "Ada Lovelace", email: "ada@example.com" };
const created = await createUser(input, once);
const ada = created.data;
assert.equal(created.status, 201);
assert.equal(created.headers.get("location"), `/users/${ada.id}`);
const retried = await createUser(input, once);
assert.deepEqual(retried.data, ada);
assert.equal(retried.headers.get("idempotency-replayed"), "true");

// Read, and list page by page, newest first.
const read = await getUser(ada.id);
assert.deepEqual(read.data, ada);
assert.equal((await getUser(ada.id, { "If-None-Match": read.headers.get("etag") ?? "" })).status, 304);
const { data: grace } = await createUser({ name: "Grace Hopper", email: "grace@example.com" });
const { data: first } = await listUsers({ limit: 1 });
const { data: second } = await listUsers({ limit: 1, cursor: first.next_cursor });
assert.deepEqual([...first.users, ...second.users], [grace, ada]);
assert.equal(second.next_cursor, undefined);

// Replace the version that was read, after which that version is outdated; then change one property of any version.
const ifRead = { "If-Match": read.headers.get("etag") ?? "" };
const replaced = await replaceUser(ada.id, { name: "Ada King", email: "ada@example.org" }, ifRead);
assert.equal(replaced.data.name, "Ada King");
const outdated = problem<UpdateUser412>(412, await updateUser(ada.id, { name: "Ada" }, ifRead));
assert.equal(outdated.type, "/problems/precondition-failed");
const { data: patched } = await updateUser(ada.id, { name: "Ada, Countess of Lovelace" });
assert.deepEqual([patched.name, patched.email], ["Ada, Countess of Lovelace", "ada@example.org"]);

// Problems: a body with two violations, and an e-mail address in use.
const invalid = problem<CreateUser422>(422, await createUser({ name: " ", email: "ada@localhost" }));
assert.deepEqual(
    invalid.errors?.map(({ pointer, code }) => `${pointer} ${code}`).sort(),
    ["/email pattern", "/name pattern"],
);
const taken = problem<CreateUser409>(409, await createUser({ name: "Ada", email: "GRACE@example.com" }));
assert.equal(taken.errors?.[0]?.code, "not_unique");

// Delete; a later read finds no user.
for (const { id } of [ada, grace]) assert.equal((await deleteUser(id)).status, 204);
const notFound = await getUser(ada.id);
assert.equal(problem<GetUser404>(404, notFound).type, "/problems/not-found");
assert.equal(problem<GetUser404>(404, notFound).request_id, notFound.headers.get("x-request-id"));

console.log("typescript-kubb: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422");
