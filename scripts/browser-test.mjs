// Tests the Swagger UI in a browser: presses "Execute" of every operation, with the values that the page gives. With a KEY, the
// first request is sent without it and refused, the key is entered with "Authorize", and a user is created and read; after a
// reload the key is there if REMEMBERS is true. Fails on an error or warning in the console, a violation of the content
// security policy, a failed request, and a request to another origin.
// Started by scripts/browser-test: node browser-test.mjs TOOLS BROWSER URL KEY REMEMBERS [SCREENSHOTS]
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const [tools, executablePath, url, key, remembers, screenshots] = process.argv.slice(2);
const { chromium } = createRequire(`${tools}/`)('playwright-core');

// In the page: what is wider than its place in an operation that is open. Of a select, the widest option counts, of an input its
// value. Examples of code scroll by themselves.
const cut = () => {
  const context = document.createElement('canvas').getContext('2d');
  const isNarrow = (control) => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(control);
    context.font = font;
    const texts = control.options ? [...control.options].map(({ text }) => text) : [control.value];
    const width = Math.max(...texts.map((text) => context.measureText(text).width));
    return width > control.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  };
  const boxes = [...document.querySelectorAll('.opblock :is(div, section, table, tr, td, pre, button, select, input, textarea)')];
  return boxes.filter((box) => box.getBoundingClientRect().right > innerWidth
    || (box.matches('select, input[type="text"]') ? isNarrow(box) : box.clientWidth && box.scrollWidth > box.clientWidth))
    .map((box) => `${box.closest('.opblock').id}: <${box.localName} class="${box.className}"> ${box.value ?? ''}`);
};

// In the page: buttons and labels whose contrast is less than 4.5 (WCAG 2.2, 1.4.3).
const unreadable = () => {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => channels(colour).slice(0, 3).map((channel) => channel / 255)
    .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4))
    .reduce((sum, channel, index) => sum + channel * [0.2126, 0.7152, 0.0722][index], 0);
  const background = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return (channels(colour)[3] ?? 1) === 1 ? colour : background(element.parentElement);
  };
  return [...document.querySelectorAll('.btn.cancel, .examples-select__section-label, .header-col')].filter((element) => {
    const [light, dark] = [getComputedStyle(element).color, background(element)].map(luminance).sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05) < 4.5;
  }).map((element) => `${element.closest('.opblock').id}: ${element.textContent}`);
};

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

  // Opens an operation, whose request can be sent at once, presses "Execute", and returns what is displayed.
  const tryOut = async (operationId, fillIn = async () => {}) => {
    const operation = operationOf(operationId);
    await operation.locator('.opblock-summary-control').click();
    await fillIn(operation);
    return execute(operationId);
  };

  // Presses "Execute" of an operation that is open, as above.
  const execute = async (operationId) => {
    const operation = operationOf(operationId);
    const clear = operation.locator('.btn-clear');
    if (await clear.count()) await clear.click(); // the response before
    await operation.getByRole('button', { name: 'Execute' }).click();
    const response = operation.locator('.live-responses-table .response').first();
    await response.waitFor();
    const body = response.locator('.response-col_description .highlight-code code').first();
    return {
      status: (await response.locator('.response-col_status').innerText()).trim().split(/\s/)[0],
      body: (await body.count()) ? await body.innerText() : '',
    };
  };

  const openPage = async (where = page, fragment = '') => {
    await where.goto('about:blank'); // otherwise a fragment alone would not load the page
    await where.goto(`${url}/swagger-ui/${fragment}`);
    await where.locator('.opblock').first().waitFor();
  };

  await page.goto(url);
  assert.equal(page.url(), `${url}/swagger-ui/`, 'the root redirects to the Swagger UI');
  await page.locator('.opblock').first().waitFor();
  const contract = await (await fetch(`${url}/openapi.json`)).json();
  const operations = Object.entries(contract.paths).flatMap(([path, item]) =>
    Object.values(item).filter((operation) => operation.operationId).map((operation) => ({ path, ...operation })));
  assert(operations.length >= 13, `${operations.length} operations`);

  // A link to an operation opens it. Ada exists unless a key is needed.
  for (const [name, width] of [['', 1280], ['-phone', 390]]) {
    const linked = await browser.newPage({ viewport: { width, height: 1100 } });
    await openPage(linked, '#/users/getUser');
    const operation = linked.locator('.opblock[id$="-getUser"]');
    await operation.locator('.btn.execute').waitFor();
    if (screenshots) {
      await operation.locator('.btn.execute').click();
      const response = operation.locator('.live-responses-table');
      await response.waitFor();
      // From the operation to the end of the response.
      const [top, bottom] = await Promise.all([operation, response].map((part) => part.boundingBox()))
        .then(([first, last]) => [first.y, last.y + last.height]);
      await linked.setViewportSize({ width, height: Math.max(1100, Math.ceil(bottom - top) + 20) });
      await operation.evaluate((element) => scrollTo(0, element.getBoundingClientRect().top + scrollY - 10));
      await linked.screenshot({ path: `${screenshots}${name}.png` });
    }
    await linked.close();
  }

  const authorize = page.locator('.auth-wrapper .btn.authorize');
  let done;
  if (key) {
    const refusal = await tryOut('createUser');
    assert.equal(refusal.status, '401', refusal.body);
    await authorize.click();
    await page.keyboard.press('Escape');
    await page.locator('.auth-container').waitFor({ state: 'detached' });
    await authorize.click();
    await page.locator('.auth-container input').fill(key);
    await page.locator('.auth-container button[type="submit"]').click();
    await page.locator('.auth-container .btn-done').click();
    const created = await execute('createUser');
    assert.equal(created.status, '201', created.body);
    const { id } = JSON.parse(created.body);
    const readUser = () =>
      tryOut('getUser', (operation) => operation.locator('tr[data-param-name="id"] input').fill(id));
    const read = await readUser();
    assert.equal(read.status, '200', read.body);
    assert.equal(JSON.parse(read.body).id, id);
    await openPage();
    const again = await readUser();
    assert.equal(again.status, remembers === 'true' ? '200' : '401', 'after a reload');
    done = `Created and read a user with a key${remembers === 'true' ? ' that is remembered' : ''}`;
  } else {
    assert.equal(await authorize.count(), 0, 'there is nothing to authorize');
    const filter = page.locator('.operation-filter-input');
    await filter.fill('USERS');
    await operationOf('getHealth').waitFor({ state: 'detached' });
    assert(await operationOf('getUser').isVisible(), 'the filter ignores case');
    await filter.fill('nothing');
    await page.getByText('No tag has this text.').waitFor();
    await filter.fill('');
    await operationOf('getHealth').waitFor();
    // Every user is listed: no filter is filled in. Every change is.
    const namesOf = (items) => JSON.parse(items.body).users.map(({ name }) => name);
    const list = await tryOut('listUsers');
    assert.equal(namesOf(list).length, 3, list.body);
    const created = await tryOut('createUser');
    const { name, id } = JSON.parse(created.body);
    assert(namesOf(await execute('listUsers')).includes(name), 'a created user is listed');
    const { changes } = JSON.parse((await tryOut('listUserChanges')).body);
    assert.equal(changes.at(-1).user_id, id, 'a creation is a change');
    await page.locator('tr[data-param-name="email"]').getByText(/^Example: ./).waitFor();
    // The operations below create the user again.
    const deleted = await tryOut('deleteUser', (operation) => operation.locator('tr[data-param-name="id"] input').fill(id));
    assert.equal(deleted.status, '204', deleted.body);
    await openPage();
    // Every operation succeeds with the values that are given, and every response that is displayed is about the operation.
    for (const { operationId, path, responses } of operations) {
      const { status, body } = await tryOut(operationId);
      assert.match(status, /^2\d\d$/, `${operationId}: ${body}`);
      assert(responses[status], `${operationId}: ${status} is not documented`);
      const operation = operationOf(operationId);
      for (const text of ['cURL (bash)', 'cURL (PowerShell)', 'Request duration']) {
        assert(await operation.getByText(text).first().isVisible(), `${operationId}: ${text}`);
      }
      const documented = operation.locator('.responses-table:not(.live-responses-table) > tbody > .response');
      assert.equal(await documented.count(), Object.keys(responses).length, operationId);
      for (const response of await documented.all()) {
        const code = await response.getAttribute('data-code');
        if (Number(code) < 400) continue; // api_tests compare the examples with what the server returns
        const text = await response.locator('.highlight-code code').first().innerText();
        const problem = JSON.parse(text);
        assert.equal(problem.status, Number(code), `${operationId} → ${code}: ${text}`);
        assert.match(problem.instance, new RegExp(`^${path.replace('{id}', '[0-9a-f-]{36}')}$`), `${operationId} → ${code}: ${text}`);
      }
      await operation.locator('.opblock-summary-control').click();
    }
    // A request that was changed is another one.
    const other = await tryOut('createUser', (operation) =>
      operation.locator('.body-param textarea').fill('{"name": "Hedy Lamarr", "email": "hedy@example.com"}'));
    assert.equal(other.status, '201', other.body);
    done = `Executed ${operations.length} operations with their examples, without credentials`;
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
    const shown = await phone.evaluate(() => ({
      title: document.title,
      width: document.documentElement.scrollWidth,
      background: getComputedStyle(document.documentElement).backgroundColor,
    }));
    assert.deepEqual(shown, { title: 'Users API', width: 375, background }, colorScheme);
    assert.deepEqual(await phone.evaluate(cut), [], colorScheme);
    if (colorScheme === 'dark') assert.deepEqual(await phone.evaluate(unreadable), []);
    await phone.evaluate(() => scrollTo(0, 0));
    if (screenshots) await phone.screenshot({ path: `${screenshots}-phone-${colorScheme}.png` });
    await phone.close();
  }

  assert.equal(refused, key ? (remembers === 'true' ? 1 : 2) : 0, 'refused requests');
  assert.deepEqual(faults, []);
  console.log(`${done}, in Chromium ${browser.version()}: no errors, no violations.`);
} catch (error) {
  console.error(faults.join('\n')); // possible causes of the failed step
  throw error;
} finally {
  await browser.close();
}
