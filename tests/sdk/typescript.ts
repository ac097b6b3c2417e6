// Tests openapi-fetch with the types that openapi-typescript generates: node typescript.js URL KEY
// A call returns `data` or `error`, typed by the status codes of the contract, and the `response` of fetch.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths, Problem } from "./typescript/users-api.js";

const [baseUrl, key] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

// Without a key, and with a wrong one.
for (const headers of [{}, { Authorization: "Bearer wrong" }]) {
    const refused = await createClient<paths>({ baseUrl, headers }).GET("/users");
    assert.equal(refused.error?.type, "/problems/unauthorized");
    assert.equal(refused.error.status, 401);
}

// Create: the response has the location and the version of the new user. A retry with the same key gets the same response.
const create = {
    body: { name: "Ada Lovelace", email: "ada@example.com" },
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
};
const created = await client.POST("/users", create);
assert(created.data);
const ada = created.data;
assert.equal(created.response.status, 201);
assert.equal(created.response.headers.get("location"), `/users/${ada.id}`);
const version = created.response.headers.get("etag");
assert.match(version ?? "", /^"\d+"$/);
const byId = { params: { path: { id: ada.id } } };
const retried = await client.POST("/users", create);
assert.deepEqual(retried.data, ada);
assert.equal(retried.response.headers.get("idempotency-replayed"), "true");

// Get.
const read = await client.GET("/users/{id}", byId);
assert.deepEqual(read.data, ada);
assert.equal(read.response.headers.get("etag"), version);
const ifChanged = { params: { ...byId.params, header: { "If-None-Match": version ?? "" } } };
const unchanged = await client.GET("/users/{id}", ifChanged);
assert.equal(unchanged.response.status, 304);
assert(!unchanged.data && !unchanged.error);

// List, page by page, newest first.
const grace = await client.POST("/users", { body: { name: "Grace Hopper", email: "grace@example.com" } });
assert(grace.data);
const names: string[] = [];
let cursor: string | undefined;
do {
    const page = await client.GET("/users", { params: { query: { limit: 1, cursor } } });
    assert(page.data);
    assert.equal(page.data.users.length, 1);
    names.push(...page.data.users.map((user) => user.name));
    cursor = page.data.next_cursor;
} while (cursor);
assert.deepEqual(names, ["Grace Hopper", "Ada Lovelace"]);

// Replace the version that was read, after which that version is outdated; then change one property of any version. The
// default content type of openapi-fetch is application/json.
const ifRead = { params: { ...byId.params, header: { "If-Match": version ?? "" } } };
const replaced = await client.PUT("/users/{id}", { ...ifRead, body: { name: "Ada King", email: "ada@example.org" } });
assert.equal(replaced.data?.name, "Ada King");
assert.notEqual(replaced.response.headers.get("etag"), version);
const outdated = await client.PATCH("/users/{id}", { ...ifRead, body: { name: "Ada" } });
assert.equal(outdated.error?.type, "/problems/precondition-failed");
assert.equal(outdated.error.status, 412);
const patched = await client.PATCH("/users/{id}", {
    ...byId,
    body: { name: "Ada, Countess of Lovelace" },
    headers: { "Content-Type": "application/merge-patch+json" },
});
assert.equal(patched.data?.name, "Ada, Countess of Lovelace");
assert.equal(patched.data.email, "ada@example.org");

// Problems: a body with two violations, and an e-mail address in use.
const invalid = await client.POST("/users", { body: { name: " ", email: "ada@localhost" } });
assert(invalid.error);
const problem: Problem = invalid.error;
assert.equal(problem.type, "/problems/validation");
assert.equal(problem.status, 422);
assert.deepEqual(
    problem.errors?.map(({ pointer, code }) => `${pointer} ${code}`).sort(),
    ["/email pattern", "/name pattern"],
);
const taken = await client.POST("/users", { body: { name: "Ada", email: "GRACE@example.com" } });
assert.equal(taken.error?.type, "/problems/conflict");
assert.equal(taken.error.status, 409);
assert.equal(taken.error.errors?.[0]?.code, "not_unique");

// Delete; a later read finds no user.
for (const { id } of [ada, grace.data]) {
    const deleted = await client.DELETE("/users/{id}", { params: { path: { id } } });
    assert.equal(deleted.response.status, 204);
}
const notFound = await client.GET("/users/{id}", byId);
assert.equal(notFound.error?.type, "/problems/not-found");
assert.equal(notFound.error.status, 404);
assert.equal(notFound.error.request_id, notFound.response.headers.get("x-request-id"));

console.log("typescript: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422");
