// The colours of Swagger UI follow those of the system.
const dark = matchMedia('(prefers-color-scheme: dark)');
const apply = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', apply);
apply();

// A client chooses a new key for each change. With the key of the example, a changed request would be refused.
const withNewKey = (request) => {
  const key = request.headers?.['Idempotency-Key'];
  // The document itself is requested before `ui` is there.
  if (key && key === ui.specSelectors.specJson().getIn(['components', 'schemas', 'IdempotencyKey', 'example'])) {
    const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID exists only with HTTPS or on this machine
    request.headers['Idempotency-Key'] = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  return request;
};

// The filter ignores case, and says that it finds nothing: Swagger UI would say that there are no operations.
const filter = {
  fn: {
    opsFilter: (tags, text) => tags.filter((_, tag) => tag.toLowerCase().includes(text.toLowerCase())),
  },
  wrapComponents: {
    operations: (Operations, { React }) => (props) => props.specSelectors.taggedOperations().size
      ? React.createElement(Operations, props)
      : React.createElement('h3', { role: 'status' }, 'No tag has this text.'),
  },
};

document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') ui.authActions.showDefinitions(false); // closes "Authorize"
});

const ui = SwaggerUIBundle({
  dom_id: '#swagger-ui',
  url: './openapi.json', // relative to the page, which a proxy may serve below another path
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  plugins: [filter],
  persistAuthorization: document.documentElement.dataset.rememberAuthorization === 'true',
  requestInterceptor: withNewKey,
  requestSnippetsEnabled: true,
  tryItOutEnabled: true,
  validatorUrl: 'none', // otherwise a public validator gets the document
});
