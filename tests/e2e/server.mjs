// A static server on the loopback: byte ranges, MIME types, CORS, no cache. Nothing else.
import { EventEmitter, once } from "node:events";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { pipeline } from "node:stream";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/** Headers that isolate a page, so that its threads may share memory. */
export const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** Whether a host that isolates the page sends the headers with `url`: with the page and its scripts, not with a frame of it, nor where it is handed a result. */
const isIsolated = ({ pathname, searchParams }) =>
  pathname.endsWith(".js") || (/\/(index\.html)?$/.test(pathname) && !searchParams.has("embed") && searchParams.get("result") !== "opener");

/** The byte range asked for, `null` for the whole file, `undefined` for one that cannot be satisfied. */
function rangeOf(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (!match[1] && !match[2])) return null;
  const start = match[1] ? Number(match[1]) : Math.max(0, size - Number(match[2]));
  const end = match[1] && match[2] ? Math.min(Number(match[2]), size - 1) : size - 1;
  return start <= end ? { start, end } : undefined;
}

/**
 * Serves `folder`; answers `{ url, close, requests, idle }`. `cors` lets pages of other origins read. `delay` holds back each
 * answer by that many milliseconds, `headers` are sent with each; `isolated` is a host that isolates the page. `alter(path, read)` answers `{ status, type, body }` in place of a file, each of which
 * may be left out; `read()` answers the file. `requests` lists what was asked for; `idle()` waits until everything is answered.
 */
export async function serve(folder, { port = 0, cors = false, delay = 0, headers = {}, isolated = false, alter = () => undefined } = {}) {
  const root = path.resolve(folder);
  if (!(await stat(root).catch(() => null))?.isDirectory()) throw new Error(`there is no folder ${folder} to serve`);
  const requests = [];
  const answers = new EventEmitter();
  let open = 0;
  const server = createServer(async (request, response) => {
    open += 1;
    response.once("close", () => {
      open -= 1;
      answers.emit("ended");
    });
    // A slow server: this is what the tests ask for, nobody waits for it.
    if (delay) await new Promise((done) => setTimeout(done, delay));
    if (cors) {
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.setHeader("Access-Control-Allow-Headers", "Range");
      response.setHeader("Access-Control-Expose-Headers", "Content-Range, Content-Length, Accept-Ranges");
    }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.setHeader("Accept-Ranges", "bytes");
    response.setHeader("Cache-Control", "no-cache");
    const refuse = (status, headers = {}) => response.writeHead(status, headers).end();
    if (request.method === "OPTIONS") return refuse(204);
    if (request.method !== "GET" && request.method !== "HEAD") return refuse(405, { Allow: "GET, HEAD" });
    let pathname;
    try {
      const url = new URL(request.url, "http://localhost");
      pathname = decodeURIComponent(url.pathname);
      if (isolated && isIsolated(url)) for (const [name, value] of Object.entries(ISOLATED)) response.setHeader(name, value);
    } catch {
      return refuse(400);
    }
    requests.push({ path: pathname, range: request.headers.range });
    let file = path.join(root, pathname);
    if (file !== root && !file.startsWith(root + path.sep)) return refuse(404);
    if (pathname.endsWith("/")) file = path.join(file, "index.html");
    const info = await stat(file).catch(() => null);
    if (!info?.isFile()) return refuse(404);
    const altered = await alter(pathname, () => readFile(file));
    if (altered) {
      const type = altered.type ?? TYPES[path.extname(file)] ?? "application/octet-stream";
      return response.writeHead(altered.status ?? 200, { "Content-Type": type }).end(altered.body ?? (await readFile(file)));
    }
    const range = rangeOf(request.headers.range, info.size);
    if (range === undefined) return refuse(416, { "Content-Range": `bytes */${info.size}` });
    const { start, end } = range ?? { start: 0, end: info.size - 1 };
    response.writeHead(range ? 206 : 200, {
      "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream",
      "Content-Length": info.size ? end - start + 1 : 0,
      ...(range && { "Content-Range": `bytes ${start}-${end}/${info.size}` }),
    });
    if (request.method === "HEAD" || info.size === 0) return response.end();
    pipeline(createReadStream(file, { start, end }), response, () => {});
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    requests,
    idle: async () => {
      while (open > 0) await once(answers, "ended");
    },
    close: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  };
}
