// Sends recorded exchanges through Prism's proxy: node prism-test.mjs PRISM EXCHANGES
//
// The server behind the proxy answers with the recorded response. The proxy reports violations in a header.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import { once } from "node:events";

const [prism, file] = process.argv.slice(2);

const exchanges = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
// Headers of one connection. The proxy sets its own.
const ofConnection = new Set(["connection", "content-length", "transfer-encoding", "host", "keep-alive", "expect"]);
const endToEnd = (lines) => lines.filter(([name]) => !ofConnection.has(name));

const hasCredentials = (lines) => lines.some(([name]) => name === "authorization");

const upstream = http.createServer((request, response) => {
    const { status, responseHeaders, responseBody } = exchanges[request.headers["x-exchange"]];
    request.resume();
    response.writeHead(status, endToEnd(responseHeaders).flat());
    response.end(responseBody);
});
upstream.listen(0, "127.0.0.1");
await once(upstream, "listening");

/** Starts a proxy, and returns its port. */
async function startProxy(...options) {
    const address = `http://127.0.0.1:${upstream.address().port}`;
    const proxy = spawn(
        process.execPath,
        [prism, "proxy", "openapi.yaml", address, "--port", "0", "--cors", "false", ...options],
        { stdio: ["ignore", "pipe", "inherit"] },
    );
    process.on("exit", () => proxy.kill());
    let log = "";
    return new Promise((found, failed) => {
        proxy.stdout.on("data", (chunk) => {
            if (log === undefined) return; // one line for each request
            log += chunk;
            const listening = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(log);
            if (!listening) return;
            log = undefined;
            found(Number(listening[1]));
        });
        proxy.on("exit", () => failed(new Error(`Prism stopped: ${log}`)));
    });
}
// The suite sends many invalid requests, which the server refuses. Prism validates those that the server accepts; of the others
// it gets no body, because it never responds to one with a syntax error or with an invalid media type.
const [accepted, refused] = [await startProxy(), await startProxy("--validate-request", "false")];

const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
function send(id) {
    const { method, target, headers, body, status } = exchanges[id];
    const isAccepted = status < 400;
    const port = isAccepted ? accepted : refused;
    const sent = endToEnd(headers).filter(([name]) => isAccepted || name !== "content-type");
    const lines = [["host", `127.0.0.1:${port}`], ...sent, ["x-exchange", String(id)]];
    if (method !== "GET") lines.push(["content-length", String(isAccepted ? Buffer.byteLength(body) : 0)]);
    return new Promise((resolve, reject) => {
        const request = http.request({ agent, port, method, path: target, headers: lines.flat() }, (response) => {
            response.resume();
            response.on("end", () => resolve(response));
        });
        request.setTimeout(10_000, () => request.destroy(new Error(`no response: ${method} ${target}`)));
        request.on("error", reject);
        request.end(isAccepted ? body : undefined);
    });
}

/** Returns what Prism finds wrong with an exchange. */
async function findingsOf(id) {
    const { method, target, headers, status } = exchanges[id];
    const response = await send(id);
    if (response.statusCode !== status) return [`${method} ${status}: the proxy responds ${response.statusCode}`];
    const header = response.headers["sl-violations"];
    if (header === undefined) return [];
    const violations = header.startsWith("[") ? JSON.parse(header) : [{ location: ["response"], message: header }];
    return violations
        // Credentials are validated with requests that the server refused, too.
        .filter(({ location }) => location[0] !== "request" || status < 400)
        // Some servers of the suite have no credentials, and serve a contract without `security`.
        .filter(({ message }) => message !== "Invalid security scheme used" || hasCredentials(headers))
        .map(({ location, message }) => `${method} ${status} ${location.join(".")}: ${message}`);
}

const findings = new Map();
const recorded = exchanges.length;
const ids = exchanges.keys();
async function work() {
    for (const id of ids) {
        for (const text of await findingsOf(id)) findings.set(text, exchanges[id].target);
    }
}
await Promise.all(Array.from({ length: 8 }, work));
for (const [text, target] of findings) console.error(`${text} (${target})`);
console.log(`Prism checked ${recorded} exchanges.`);

// Prism must find each of these errors in an exchange that has none.
const created = exchanges.find(({ method, target, status }) => `${method} ${target} ${status}` === "POST /users 201");
const edited = (json, edit) => JSON.stringify({ ...JSON.parse(json), ...edit });
const errors = {
    "a property of another type": { responseBody: edited(created.responseBody, { id: 7 }) },
    "no required property": { responseBody: edited(created.responseBody, { id: undefined }) },
    "an undocumented status": { status: 202 },
    "an accepted request without its required properties": { body: "{}" },
};
const missed = [];
for (const [name, edit] of Object.entries(errors)) {
    const id = exchanges.push({ ...created, ...edit }) - 1;
    if ((await findingsOf(id)).length === 0) missed.push(name);
}
for (const name of missed) console.error(`Prism does not report ${name}.`);
process.exit(findings.size + missed.length > 0 ? 1 : 0);
