// How scripts/sdk has @hey-api/openapi-ts write a client. The imports name their files, as Node.js wants them to.
export default {
    input: process.env.SDK_DOCUMENT,
    output: { path: process.env.SDK_OUT, clean: false, module: { extension: ".js" } },
};
