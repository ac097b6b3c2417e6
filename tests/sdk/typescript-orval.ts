// Tests the client that orval generates: node typescript-orval.js URL KEY
//
// A call returns `status`, `headers` and `data`, which is typed by the status codes of the contract. The functions request a
// path: this program adds the URL of the server and the key to every request.
import assert from "node:assert/strict";
import { createUser, deleteUser, getUser, listUsers, replaceUser, updateUser } from "./typescript-orval/users-api.js";
import { ViolationCode, type Problem } from "./typescript-orval/users-api.js";

const [baseUrl, key] = process.argv.slice(2);
const plainFetch = globalThis.fetch;
globalThis.fetch = (path, options) => {
    const headers = new Headers(options?.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${key}`);
    return plainFetch(`${baseUrl}${String(path)}`, { ...options, headers });
};

// With a wrong key.
const refused = await listUsers({}, { headers: { authorization: "Bearer wrong" } });
assert(refused.status === 401);
assert.equal(refused.data.type, "/problems/unauthorized");

// Create: the response has the location and the version of the new user. A retry with the same key gets the same response.
const once = { headers: { "Idempotency-Key": crypto.randomUUID() } };
const input = { name: "Ada Lovelace", email: "ada@example.com" };
const created = await createUser(input, once);
assert(created.status === 201);
const ada = created.data;
assert.equal(created.headers.get("location"), `/users/${ada.id}`);
const retried = await createUser(input, once);
assert.deepEqual(retried.data, ada);
assert.equal(retried.headers.get("idempotency-replayed"), "true");

// Read, and list page by page, newest first.
const read = await getUser(ada.id);
assert.deepEqual(read.data, ada);
const unchanged = await getUser(ada.id, { headers: { "If-None-Match": read.headers.get("etag") ?? "" } });
assert(unchanged.status === 304);
const { data: grace, status } = await createUser({ name: "Grace Hopper", email: "grace@example.com" });
assert(status === 201);
const first = await listUsers({ limit: 1 });
assert(first.status === 200);
const second = await listUsers({ limit: 1, cursor: first.data.next_cursor });
assert(second.status === 200);
assert.deepEqual([...first.data.users, ...second.data.users], [grace, ada]);
assert.equal(second.data.next_cursor, undefined);

// Replace the version that was read, after which that version is outdated; then change one property of any version.
const ifRead = { headers: { "If-Match": read.headers.get("etag") ?? "" } };
const replaced = await replaceUser(ada.id, { name: "Ada King", email: "ada@example.org" }, ifRead);
assert(replaced.status === 200);
assert.equal(replaced.data.name, "Ada King");
const outdated = await updateUser(ada.id, { name: "Ada" }, ifRead);
assert(outdated.status === 412);
assert.equal(outdated.data.type, "/problems/precondition-failed");
const patched = await updateUser(ada.id, { name: "Ada, Countess of Lovelace" });
assert(patched.status === 200);
assert.deepEqual([patched.data.name, patched.data.email], ["Ada, Countess of Lovelace", "ada@example.org"]);

// Problems: a body with two violations, and an e-mail address in use.
const codes = (problem: Problem) => problem.errors?.map(({ pointer, code }) => `${pointer} ${code}`).sort();
const invalid = await createUser({ name: " ", email: "ada@localhost" });
assert(invalid.status === 422);
assert.deepEqual(codes(invalid.data), [`/email ${ViolationCode.pattern}`, `/name ${ViolationCode.pattern}`]);
const taken = await createUser({ name: "Ada", email: "GRACE@example.com" });
assert(taken.status === 409);
assert.deepEqual(codes(taken.data), [`/email ${ViolationCode.not_unique}`]);

// Delete; a later read finds no user.
for (const { id } of [ada, grace]) assert.equal((await deleteUser(id)).status, 204);
const notFound = await getUser(ada.id);
assert(notFound.status === 404);
assert.equal(notFound.data.type, "/problems/not-found");
assert.equal(notFound.data.request_id, notFound.headers.get("x-request-id"));

console.log("typescript-orval: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422");
