// Tests the Swagger UI in a browser: creates a user with "Try it out", then reads that user in the same way. With a KEY, the
// first request is sent without it and refused, and the key is entered with "Authorize"; after a reload it is there if
// REMEMBERS is true. Fails on an error or warning in the console, a violation of the content security policy, a failed request,
// and a request to another origin.
// Started by scripts/browser-test: node browser-test.mjs TOOLS BROWSER URL KEY REMEMBERS [SCREENSHOT]
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const [tools, executablePath, url, key, remembers, screenshot] = process.argv.slice(2);
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
let refused = 0; // requests that are to be refused
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(20_000);

  page.on('console', (message) => {
    // The browser reports each refusal, which the next handler judges.
    if (['error', 'warning'].includes(message.type()) && !(key && / 401 /.test(message.text()))) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error}`));
  page.on('requestfailed', (request) => faults.push(`failed: ${request.url()} ${request.failure().errorText}`));
  page.on('response', (response) => {
    if (response.status() === 401 && key) refused += 1;
    else if (response.status() >= 400) faults.push(`status ${response.status()}: ${response.url()}`);
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

  const operationOf = (operationId) => page.locator(`.opblock[id$="-${operationId}"]`);

  // Presses "Try it out" and "Execute" of an operation; returns the status and the body of the displayed response.
  const tryOut = async (operationId, fillIn = async () => {}) => {
    const operation = operationOf(operationId);
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Try it out' }).click();
    await fillIn(operation);
    return execute(operationId);
  };

  // Presses "Execute" of an operation that is open, as above.
  const execute = async (operationId) => {
    const operation = operationOf(operationId);
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

  let created = await tryOut('createUser');
  const authorize = page.locator('.auth-wrapper .btn.authorize');
  if (key) {
    assert.equal(created.status, '401', created.body);
    await authorize.click();
    await page.locator('.auth-container input').fill(key);
    await page.locator('.auth-container button[type="submit"]').click();
    await page.locator('.auth-container .btn-done').click();
    await operationOf('createUser').locator('.btn-clear').click();
    created = await execute('createUser');
  } else {
    assert.equal(await authorize.count(), 0, 'there is nothing to authorize');
  }
  assert.equal(created.status, '201', created.body);
  const { id } = JSON.parse(created.body);

  const readUser = () =>
    tryOut('getUser', (operation) => operation.locator('tr[data-param-name="id"] input').fill(id));
  const read = await readUser();
  assert.equal(read.status, '200', read.body);
  assert.equal(JSON.parse(read.body).id, id);

  if (key) {
    await page.goto(url); // without the anchor of the operation, which would be open
    await page.locator('.opblock').first().waitFor();
    const again = await readUser();
    assert.equal(again.status, remembers === 'true' ? '200' : '401', 'after a reload');
  }

  // On a phone, in either colours, nothing is wider than the screen.
  for (const [colorScheme, background] of [['light', 'rgba(0, 0, 0, 0)'], ['dark', 'rgb(28, 32, 34)']]) {
    // A page without a viewport is 980 pixels wide there.
    const phone = await browser.newPage({ viewport: { width: 375, height: 800 }, isMobile: true, hasTouch: true, colorScheme });
    await phone.goto(`${url}/docs`);
    assert.equal(phone.url(), `${url}/swagger-ui/`, '/docs redirects too');
    await phone.locator('.opblock').first().waitFor();
    for (const summary of await phone.locator('.opblock-summary-control').all()) await summary.click();
    await phone.locator('.responses-inner').last().waitFor();
    const page = await phone.evaluate(() => ({
      title: document.title,
      width: document.documentElement.scrollWidth,
      background: getComputedStyle(document.documentElement).backgroundColor,
    }));
    assert.deepEqual(page, { title: 'Users API', width: 375, background }, colorScheme);
    await phone.evaluate(() => scrollTo(0, 0));
    if (screenshot) await phone.screenshot({ path: screenshot.replace(/[.]png$/, `-phone-${colorScheme}.png`) });
    await phone.close();
  }
  assert.equal(refused, key ? (remembers === 'true' ? 1 : 2) : 0, 'refused requests');
  assert.deepEqual(faults, []);
  const how = key ? `with a key${remembers === 'true' ? ' that is remembered' : ''}` : 'without credentials';
  console.log(`Created and read user ${id} ${how} in Chromium ${browser.version()}: no errors, no violations.`);
} catch (error) {
  console.error(faults.join('\n')); // possible causes of the failed step
  throw error;
} finally {
  await browser.close();
}
