// The configuration of @hey-api/openapi-ts for scripts/sdk. Imports have a file extension, as Node.js requires.
export default {
  input: process.env.SDK_DOCUMENT,
  output: { path: process.env.SDK_OUT, clean: false, module: { extension: ".js" } },
};
