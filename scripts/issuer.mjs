// An issuer of access tokens on a free port, by oidc-provider. It prints its URL. Client `reports` with the secret `secret` gets
// tokens by client credentials: for a resource https://AUDIENCE.example/ALGORITHM as a JWT, for none as an opaque token.
// Started by scripts/issuer-test: node issuer.mjs TOOLS
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { Provider } = createRequire(`${process.argv[2]}/`)('oidc-provider');

const key = (alg, ...parameters) => {
  const { privateKey } = generateKeyPairSync(...parameters);
  return { ...privateKey.export({ format: 'jwk' }), kid: alg, alg, use: 'sig' };
};
const keys = [
  key('RS256', 'rsa', { modulusLength: 2048 }),
  key('PS256', 'rsa', { modulusLength: 2048 }),
  key('ES256', 'ec', { namedCurve: 'P-256' }),
  key('EdDSA', 'ed25519'),
];

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url, {
    clients: [{
      client_id: 'reports',
      client_secret: 'secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }],
    jwks: { keys },
    enabledJWA: { idTokenSigningAlgValues: keys.map(({ alg }) => alg) },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => ({
          scope: 'users:read users:write',
          audience: new URL(resource).hostname.replace('.example', ''),
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: new URL(resource).pathname.slice(1) } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(url);
});
