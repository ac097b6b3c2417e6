// The configuration of orval for scripts/sdk.
export default {
  users: {
    input: process.env.SDK_DOCUMENT,
    output: { target: `${process.env.SDK_OUT}/users-api.ts`, client: "fetch" },
  },
};
