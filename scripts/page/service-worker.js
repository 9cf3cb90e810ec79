// Caches one whole version of the page for offline use. scripts/finish-page.mjs fills in version and files.
"use strict";

const VERSION = "__VERSION__";
/** [path relative to this script, integrity] of every file of this version; "./" is the page itself. */
const FILES = __FILES__;

const scope = new URL("./", self.location.href);
/** Caches are shared by an origin, which may serve other copies of the page. */
const PREFIX = `keyside ${scope.pathname} `;
const CACHE = PREFIX + VERSION;
const addresses = new Set(FILES.map(([path]) => new URL(path, scope).href));

/** Fetches every file from the network, checks it, and caches all or nothing. */
async function install() {
  try {
    const cache = await caches.open(CACHE);
    for (const [path, integrity] of FILES) {
      const url = new URL(path, scope).href;
      // "no-cache" asks whether a copy of the browser's is still right; it does not keep it from being used.
      const response = await fetch(url, { integrity, cache: "no-cache", credentials: "same-origin" });
      if (response.status !== 200) throw new Error(`${url}: the server answered ${response.status}`);
      // A redirected response may not answer a navigation.
      await cache.put(url, response.redirected ? new Response(response.body, { headers: response.headers }) : response);
    }
  } catch (cause) {
    await caches.delete(CACHE);
    throw cause;
  }
}

/** Deletes the caches of other versions of this page. */
async function activate() {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

/** The cache key of the requested file; undefined for files that are not the page's. */
function addressOf(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== scope.origin) return undefined;
  url.hash = "";
  if (request.mode === "navigate") url.search = "";
  if (url.href === new URL("index.html", scope).href) return scope.href;
  return addresses.has(url.href) ? url.href : undefined;
}

/** The part `bytes=a-b` of a response; the whole response for any other range. */
async function part(whole, header) {
  const match = /^bytes=(\d+)-(\d*)$/.exec(header);
  if (!match) return whole;
  const blob = await whole.blob();
  const start = Number(match[1]);
  const end = Math.min(match[2] ? Number(match[2]) : blob.size - 1, blob.size - 1);
  if (start > end) return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${blob.size}` } });
  return new Response(blob.slice(start, end + 1), {
    status: 206,
    headers: {
      "Content-Type": whole.headers.get("Content-Type") ?? "application/octet-stream",
      "Content-Length": String(end - start + 1),
      "Content-Range": `bytes ${start}-${end}/${blob.size}`,
    },
  });
}

/**
 * The page with the headers that let it share memory between threads, which many hosts can't send: by itself where the browser knows
 * that, else cut off from what opens it, which a frame, and a page that is handed a result, must not be.
 */
function isolated(kept, url) {
  const headers = new Headers(kept.headers);
  headers.set("Document-Isolation-Policy", "isolate-and-credentialless");
  const query = new URL(url).searchParams;
  const isAlone = !query.has("embed") && query.get("result") !== "opener";
  for (const [name, value] of [
    ["Cross-Origin-Opener-Policy", "same-origin"],
    ["Cross-Origin-Embedder-Policy", "credentialless"],
  ]) {
    // What is kept has them, too, from a host that sends them.
    if (isAlone) headers.set(name, value);
    else headers.delete(name);
  }
  return new Response(kept.body, { status: kept.status, headers });
}

/** A script with the header without which an isolated page may not start it as a worker. */
function embeddable(kept) {
  const headers = new Headers(kept.headers);
  headers.set("Cross-Origin-Embedder-Policy", "credentialless");
  return new Response(kept.body, { status: kept.status, headers });
}

async function answer(request, address) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(address);
  // The browser may have deleted the cache.
  if (!kept) return fetch(request);
  // Other documents have frames of the page, which could not be shown in isolated ones.
  if (request.mode === "navigate") return address === scope.href ? isolated(kept, request.url) : kept;
  if (request.destination === "worker") return embeddable(kept);
  const range = request.headers.get("Range");
  return range ? part(kept, range) : kept;
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const address = addressOf(event.request);
  if (address) event.respondWith(answer(event.request, address));
});
// A new version waits until the reader accepts it, so that page and worker always have the same version.
self.addEventListener("message", ({ data }) => {
  if (data === "skipWaiting") self.skipWaiting();
});
