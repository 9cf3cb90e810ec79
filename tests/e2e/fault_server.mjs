// Serves the tiny checkpoint to pages of other origins, and goes wrong in one way, a number of times.
import { EventEmitter, once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { gzipSync } from "node:zlib";

import { fixture } from "./harness.mjs";

const CORS = { "Access-Control-Allow-Origin": "*" };

/** How an answer goes wrong; each gets the request's parts and `send(status, body, headers)`. */
export const FAULTS = {
  "dropped mid-body": ({ response, body, head }) => (head(body.length), response.write(body.subarray(0, body.length / 2), () => response.destroy())),
  "dropped before the head": ({ response }) => response.destroy(),
  stalled: ({ response, body, head }) => (head(body.length), response.write(body.subarray(0, body.length / 2))),
  "too few bytes": ({ send, status, body }) => send(status, body.subarray(0, body.length / 2)),
  "too many bytes": ({ send, status, body }) => send(status, Buffer.concat([body, Buffer.alloc(100, 7)])),
  "no ranges": ({ send, whole }) => send(200, whole),
  "an empty body": ({ send, status }) => send(status, Buffer.alloc(0)),
  "a page of HTML": ({ send }) => send(200, Buffer.from("<!doctype html><p>Please sign in.</p>")),
  "a corrupt header": ({ send, status, body }) => send(status, Buffer.alloc(body.length, 0xff)),
  "corrupt weights": ({ send, status, body }) => send(status, body.length < 30_000 ? body : Buffer.alloc(body.length, 0xff)),
  "a redirect": ({ send, url }) => send(302, Buffer.alloc(0), { Location: `/elsewhere${url}` }),
  "a redirect to itself": ({ send, url }) => send(302, Buffer.alloc(0), { Location: url }),
  "429 with Retry-After": ({ send }) => send(429, Buffer.alloc(0), { "Retry-After": "1", "Access-Control-Expose-Headers": "Retry-After" }),
  /** The window of a rate limit, as the hub says it. */
  "429 with RateLimit": ({ send }) => send(429, Buffer.alloc(0), { RateLimit: '"resolvers";r=0;t=57', "Access-Control-Expose-Headers": "RateLimit" }),
  429: ({ send }) => send(429, Buffer.alloc(0)),
  /** Another address, which is good no more. */
  "an expired address": ({ send, url }) => send(302, Buffer.alloc(0), { Location: `/expired${url}` }),
  "compressed parts": ({ send, status, body }) => send(status, gzipSync(body), { "Content-Encoding": "gzip", "Access-Control-Expose-Headers": "Content-Encoding" }),
  /** Weights of another version under the same header, and under the same name: the last bits of all numbers differ. */
  "another version": ({ send, status, body, whole, start }) => {
    const data = 8 + Number(whole.readBigUInt64LE(0));
    const other = Buffer.from(body);
    for (let at = Math.max(0, data - start); at < other.length; at += 1) if ((start + at - data) % 4 === 0) other[at] ^= 1;
    send(status, other);
  },
  "no CORS": ({ response, body, status }) => response.writeHead(status, { "Content-Length": body.length }).end(body),
  "CORS for another origin": ({ send, status, body }) => send(status, body, { "Access-Control-Allow-Origin": "https://example.org" }),
};
for (const status of [403, 404, 416, 500, 503]) FAULTS[status] = ({ send }) => send(status, Buffer.alloc(0));

/** The checkpoint with 9 MB before and behind the last layer: no piece of it then holds another layer. */
function padded(file) {
  const PAD = 9 << 20;
  const data = 8 + Number(file.readBigUInt64LE(0));
  const { __metadata__: _, ...header } = JSON.parse(file.subarray(8, data).toString());
  const last = Object.keys(header).filter((name) => /(^|\.)h\.2\./.test(name));
  const from = Math.min(...last.map((name) => header[name].data_offsets[0]));
  const to = Math.max(...last.map((name) => header[name].data_offsets[1]));
  for (const entry of Object.values(header)) {
    const shift = entry.data_offsets[0] >= to ? 2 * PAD : entry.data_offsets[0] >= from ? PAD : 0;
    entry.data_offsets = entry.data_offsets.map((offset) => offset + shift);
  }
  header["padding.0"] = { dtype: "F32", shape: [PAD / 4], data_offsets: [from, from + PAD] };
  header["padding.1"] = { dtype: "F32", shape: [PAD / 4], data_offsets: [to + PAD, to + 2 * PAD] };
  let json = JSON.stringify(header);
  json += " ".repeat((8 - (json.length % 8)) % 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const weights = file.subarray(data);
  const pad = Buffer.alloc(PAD);
  return Buffer.concat([length, Buffer.from(json), weights.subarray(0, from), pad, weights.subarray(from, to), pad, weights.subarray(to)]);
}

/**
 * Serves; the answers to `file` go wrong by `fault` while `times` lasts. With `layers`, layers are pieces of their own. `delay` holds back each portion of a body.
 * Answers `{ url, state, reaches, close }`; `state.times` can be changed, `state.bytes` and `state.requests` count what was sent, `state.asked`
 * lists it, `state.open` are the answers that have not ended. `reaches(test)` waits until `test` accepts the state.
 */
export async function serveFaults({ file = "model.safetensors", fault, times = 0, portion = 0, delay = 0, layers = false }) {
  const state = { times, bytes: 0, requests: 0, wrong: 0, asked: [], open: 0 };
  const changes = new EventEmitter();
  const reaches = async (test) => {
    while (!test(state)) await once(changes, "change");
  };
  const apart = new Map();
  if (layers) apart.set("model.safetensors", padded(await readFile(path.join(fixture("tiny"), "model.safetensors"))));
  const server = createServer(async (request, response) => {
    const name = path.basename(request.url);
    const whole = apart.get(name) ?? (await readFile(path.join(fixture("tiny"), name)).catch(() => null));
    state.requests += 1;
    state.open += 1;
    response.once("close", () => {
      state.open -= 1;
      changes.emit("change");
    });
    const send = (status, body, headers = {}) => {
      state.bytes += body.length;
      changes.emit("change");
      response.writeHead(status, { ...CORS, "Content-Length": body.length, ...headers });
      response.end(body);
    };
    state.asked.push({ file: name, range: request.headers.range });
    if (request.url.startsWith("/expired")) return send(403, Buffer.alloc(0));
    if (!whole) return send(404, Buffer.alloc(0));
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const status = from === undefined ? 200 : 206;
    const body = from === undefined ? whole : whole.subarray(Number(from), Number(to) + 1);
    if (request.url.endsWith(file) && !request.url.startsWith("/elsewhere") && state.times > 0) {
      state.times -= 1;
      state.wrong += 1;
      const head = (length) => response.writeHead(status, { ...CORS, "Content-Length": length });
      return FAULTS[fault]({ response, send, head, status, body, whole, url: request.url, start: Number(from ?? 0) });
    }
    if (!portion) return send(status, body);
    response.writeHead(status, { ...CORS, "Content-Length": body.length });
    for (let at = 0; at < body.length && !response.destroyed; at += portion) {
      const part = body.subarray(at, at + portion);
      state.bytes += part.length;
      changes.emit("change");
      response.write(part);
      // A slow connection: this is what the tests ask for, nobody waits for it.
      await new Promise((done) => setTimeout(done, delay));
    }
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    state,
    reaches,
    close: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  };
}
