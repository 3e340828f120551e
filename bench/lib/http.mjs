// A small JSON client on Node's own HTTP: on the one machine that everything shares, the client must cost little.
import { Agent, request } from 'node:http';

export function apiClient({ url, key, connections = 64 }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const base = new URL(url);
  const call = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      const req = request(
        {
          agent,
          host: base.hostname,
          port: base.port,
          method,
          path: `/api/v1${path}`,
          headers: {
            Authorization: `Bearer ${key}`,
            ...(bytes ? { 'Content-Type': 'application/json', 'Content-Length': bytes.length } : {}),
            ...headers,
          },
        },
        (res) => {
          const chunks = [];
          res.on('data', (chunk) => chunks.push(chunk));
          res.on('error', reject);
          res.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            if (res.statusCode >= 400) {
              reject(
                Object.assign(new Error(`${method} ${path}: ${res.statusCode} ${text.slice(0, 300)}`), {
                  status: res.statusCode,
                }),
              );
            } else resolve(text === '' ? undefined : JSON.parse(text));
          });
        },
      );
      req.on('error', reject);
      req.end(bytes);
    });
  return {
    get: (path) => call('GET', path),
    post: (path, body, headers) => call('POST', path, body, headers),
    close: () => agent.destroy(),
  };
}
