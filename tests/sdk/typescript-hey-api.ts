// Tests the client that @hey-api/openapi-ts generates: node typescript-hey-api.js URL KEY
// A call returns `data` or `error`, typed by the status codes of the contract, and the `response` of fetch.
import assert from "node:assert/strict";
import { client } from "./typescript-hey-api/client.gen.js";
import {
    createUser,
    deleteUser,
    getUser,
    listUsers,
    replaceUser,
    updateUser,
    type Problem,
} from "./typescript-hey-api/index.js";

const [baseUrl, key] = process.argv.slice(2);
client.setConfig({ baseUrl });

// Without a key, and with a wrong one.
for (const auth of [undefined, "wrong"]) {
    client.setConfig({ auth });
    const refused = await listUsers();
    assert.equal(refused.error?.type, "/problems/unauthorized");
    assert.equal(refused.error.status, 401);
}
client.setConfig({ auth: key });

// Create: the response has the location and the version of the new user. A retry with the same key gets the same response.
const create = {
    body: { name: "Ada Lovelace", email: "ada@example.com" },
    headers: { "Idempotency-Key": crypto.randomUUID() },
};
const created = await createUser(create);
assert(created.data);
const ada = created.data;
assert.equal(created.response?.status, 201);
assert.equal(created.response?.headers.get("location"), `/users/${ada.id}`);
const version = created.response?.headers.get("etag");
assert.match(version ?? "", /^"\d+"$/);
const path = { id: ada.id };
const retried = await createUser(create);
assert.deepEqual(retried.data, ada);
assert.equal(retried.response?.headers.get("idempotency-replayed"), "true");

// Get.
const read = await getUser({ path });
assert.deepEqual(read.data, ada);
assert.equal(read.response?.headers.get("etag"), version);
const unchanged = await getUser({ path, headers: { "If-None-Match": version ?? "" } });
assert.equal(unchanged.response?.status, 304);
assert.equal(unchanged.data, undefined);

// List, page by page, newest first. With throwOnError a call throws its problem.
const { data: grace } = await createUser({
    body: { name: "Grace Hopper", email: "grace@example.com" },
    throwOnError: true,
});
const names: string[] = [];
let cursor: string | undefined;
do {
    const { data: page } = await listUsers({ query: { limit: 1, cursor }, throwOnError: true });
    assert.equal(page.users.length, 1);
    names.push(...page.users.map((user) => user.name));
    cursor = page.next_cursor;
} while (cursor);
assert.deepEqual(names, ["Grace Hopper", "Ada Lovelace"]);

// Replace the version that was read, after which that version is outdated; then change one property of any version (as
// application/merge-patch+json, the first media type of the contract).
const headers = { "If-Match": version ?? "" };
const replaced = await replaceUser({ path, headers, body: { name: "Ada King", email: "ada@example.org" } });
assert.equal(replaced.data?.name, "Ada King");
assert.notEqual(replaced.response?.headers.get("etag"), version);
const outdated = await updateUser({ path, headers, body: { name: "Ada" } });
assert.equal(outdated.error?.type, "/problems/precondition-failed");
assert.equal(outdated.error.status, 412);
const patched = await updateUser({ path, body: { name: "Ada, Countess of Lovelace" } });
assert.equal(patched.data?.name, "Ada, Countess of Lovelace");
assert.equal(patched.data.email, "ada@example.org");
assert.equal(patched.request?.headers.get("content-type"), "application/merge-patch+json");

// Problems: a body with two violations, and an e-mail address in use.
const invalid = await createUser({ body: { name: " ", email: "ada@localhost" } });
assert(invalid.error);
const problem: Problem = invalid.error;
assert.equal(problem.type, "/problems/validation");
assert.equal(problem.status, 422);
assert.deepEqual(
    problem.errors?.map(({ pointer, code }) => `${pointer} ${code}`).sort(),
    ["/email pattern", "/name pattern"],
);
const taken = await createUser({ body: { name: "Ada", email: "GRACE@example.com" } });
assert.equal(taken.error?.type, "/problems/conflict");
assert.equal(taken.error.status, 409);
assert.equal(taken.error.errors?.[0]?.code, "not_unique");

// Delete; a later read finds no user.
for (const { id } of [ada, grace]) {
    const deleted = await deleteUser({ path: { id } });
    assert.equal(deleted.response?.status, 204);
}
const notFound = await getUser({ path });
assert.equal(notFound.error?.type, "/problems/not-found");
assert.equal(notFound.error.status, 404);
assert.equal(notFound.error.request_id, notFound.response?.headers.get("x-request-id"));

const problems = "401, 404, 409, 412 and 422";
console.log(`typescript-hey-api: created once, read, listed, changed and deleted users; read problems ${problems}`);
