// The configuration of kubb for scripts/sdk. Imports have a file extension, as Node.js requires.
import { defineConfig } from "@kubb/core";
import { pluginClient } from "@kubb/plugin-client";
import { pluginOas } from "@kubb/plugin-oas";
import { pluginTs } from "@kubb/plugin-ts";

export default defineConfig({
  root: process.env.SDK_OUT,
  input: { path: process.env.SDK_DOCUMENT },
  output: { path: ".", extension: { ".ts": ".js" }, barrelType: "named", format: false, lint: false },
  plugins: [
    pluginOas({ generators: [] }),
    pluginTs({ output: { path: "models" } }),
    // `full`: a call returns status and headers too. `bundle`: the client depends on no package of kubb.
    pluginClient({ output: { path: "clients" }, client: "fetch", dataReturnType: "full", bundle: true }),
  ],
});
