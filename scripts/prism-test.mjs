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

let checked = 0;
const findings = new Map();
async function work(ids) {
    for (const id of ids) {
        const { method, target, headers, status } = exchanges[id];
        const response = await send(id);
        if (response.statusCode !== status) {
            findings.set(`${method} ${status}: the proxy responds ${response.statusCode}`, target);
            continue;
        }
        checked += 1;
        const header = response.headers["sl-violations"];
        if (header === undefined) continue;
        const violations = header.startsWith("[") ? JSON.parse(header) : [{ location: ["response"], message: header }];
        for (const { location, message } of violations) {
            if (location[0] === "request" && status >= 400) continue; // credentials, which are always validated
            // Some servers of the suite have no credentials, and serve a contract without `security`.
            if (message === "Invalid security scheme used" && !hasCredentials(headers)) continue;
            findings.set(`${method} ${status} ${location.join(".")}: ${message}`, target);
        }
    }
}
const ids = exchanges.keys();
await Promise.all(Array.from({ length: 8 }, () => work(ids)));
for (const [text, target] of findings) console.error(`${text} (${target})`);
console.log(`Prism checked ${checked} exchanges.`);
if (checked === 0) throw new Error("no exchange was checked");
process.exit(findings.size > 0 ? 1 : 0);
