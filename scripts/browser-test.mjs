// Tests the Swagger UI in a browser: creates a user with "Try it out", then reads that user in the same way. Fails on an
// error or warning in the console, a violation of the content security policy, a failed request, and a request to another
// origin.
// Started by scripts/browser-test: node browser-test.mjs TOOLS BROWSER URL [SCREENSHOT]
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const [tools, executablePath, url, screenshot] = process.argv.slice(2);
const { chromium } = createRequire(`${tools}/`)('playwright-core');

const browser = await chromium.launch({
  executablePath,
  args: [
    '--no-sandbox', // the sandbox is unavailable to root and in containers; only pages of this server are opened
    '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});
const faults = [];
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(20_000);

  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error}`));
  page.on('requestfailed', (request) => faults.push(`failed: ${request.url()} ${request.failure().errorText}`));
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`status ${response.status()}: ${response.url()}`);
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== url && !['data:', 'blob:'].includes(protocol)) faults.push(`other origin: ${request.url()}`);
  });
  await page.exposeFunction('reportViolation', (violation) => faults.push(`policy: ${violation}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportViolation(`${event.violatedDirective} blocked ${event.blockedURI} ${event.sample}`);
    });
  });

  // Presses "Try it out" and "Execute" of an operation; returns the status and the body of the displayed response.
  const tryOut = async (operationId, fillIn = async () => {}) => {
    const operation = page.locator(`.opblock[id$="-${operationId}"]`);
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Try it out' }).click();
    await fillIn(operation);
    await operation.getByRole('button', { name: 'Execute' }).click();
    const response = operation.locator('.live-responses-table .response').first();
    await response.waitFor();
    return {
      status: (await response.locator('.response-col_status').innerText()).trim(),
      body: await response.locator('.response-col_description .highlight-code code').first().innerText(),
    };
  };

  await page.goto(url);
  assert.equal(page.url(), `${url}/swagger-ui/`, 'the root redirects to the Swagger UI');
  await page.locator('.opblock').first().waitFor();
  if (screenshot) {
    await page.evaluate(() => { document.body.style.zoom = 0.75; }); // so that the screenshot includes the operations
    await page.screenshot({ path: screenshot });
    await page.evaluate(() => { document.body.style.zoom = 1; });
  }

  const created = await tryOut('createUser');
  assert.equal(created.status, '201', created.body);
  const { id } = JSON.parse(created.body);

  const read = await tryOut('getUser', (operation) => operation.locator('tr[data-param-name="id"] input').fill(id));
  assert.equal(read.status, '200', read.body);
  assert.equal(JSON.parse(read.body).id, id);

  assert.deepEqual(faults, []);
  console.log(`Created and read user ${id} in Chromium ${browser.version()}: no errors, no violations.`);
} catch (error) {
  console.error(faults.join('\n')); // possible causes of the failed step
  throw error;
} finally {
  await browser.close();
}
