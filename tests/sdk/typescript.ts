// Tests openapi-fetch with the types that openapi-typescript generates: node typescript.js URL KEY
// A call returns `data` or `error`, typed by the status codes of the contract, and the `response` of fetch.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths, Problem } from "./typescript/users-api.js";

const [baseUrl, key] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

// Without a token.
const anonymous = await createClient<paths>({ baseUrl }).GET("/users");
assert.equal(anonymous.error?.type, "/problems/unauthorized");
assert.equal(anonymous.error.status, 401);

// Create: the response has the location and the version of the new user.
const created = await client.POST("/users", { body: { name: "Ada Lovelace", email: "ada@example.com" } });
assert(created.data);
const ada = created.data;
assert.equal(created.response.status, 201);
assert.equal(created.response.headers.get("location"), `/users/${ada.id}`);
const version = created.response.headers.get("etag");
assert.match(version ?? "", /^"\d+"$/);
const byId = { params: { path: { id: ada.id } } };

// Get.
const read = await client.GET("/users/{id}", byId);
assert.deepEqual(read.data, ada);
assert.equal(read.response.headers.get("etag"), version);

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

// Replace a user, then change one property. The default content type of openapi-fetch is application/json.
const replaced = await client.PUT("/users/{id}", { ...byId, body: { name: "Ada King", email: "ada@example.org" } });
assert.equal(replaced.data?.name, "Ada King");
assert.notEqual(replaced.response.headers.get("etag"), version);
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
assert.deepEqual(problem.errors?.map((violation) => violation.pointer).sort(), ["/email", "/name"]);
const taken = await client.POST("/users", { body: { name: "Ada", email: "GRACE@example.com" } });
assert.equal(taken.error?.type, "/problems/conflict");
assert.equal(taken.error.status, 409);
assert.equal(taken.error.errors?.[0]?.pointer, "/email");

// Delete; a later read finds no user.
for (const { id } of [ada, grace.data]) {
    const deleted = await client.DELETE("/users/{id}", { params: { path: { id } } });
    assert.equal(deleted.response.status, 204);
}
const notFound = await client.GET("/users/{id}", byId);
assert.equal(notFound.error?.type, "/problems/not-found");
assert.equal(notFound.error.status, 404);
assert.equal(notFound.error.request_id, notFound.response.headers.get("x-request-id"));

console.log("typescript: created, read, listed, changed and deleted users; read problems 401, 404, 409 and 422");
