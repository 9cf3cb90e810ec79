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
      // "no-cache" revalidates the browser's HTTP cache; it does not bypass it.
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
function cacheKeyOf(request) {
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
 * The page with the headers of cross-origin isolation, which many hosts can't send. Browsers that know Document-Isolation-Policy isolate the page
 * alone; others need COOP, which cuts it off from its opener, so a frame (`?embed`) and a page that is handed a result (`?result=opener`)
 * go without.
 */
function isolated(cached, url) {
  const headers = new Headers(cached.headers);
  headers.set("Document-Isolation-Policy", "isolate-and-credentialless");
  const query = new URL(url).searchParams;
  const mayBeCutOff = !query.has("embed") && query.get("result") !== "opener";
  for (const [name, value] of [
    ["Cross-Origin-Opener-Policy", "same-origin"],
    ["Cross-Origin-Embedder-Policy", "credentialless"],
  ]) {
    // What is cached has them, too, from a host that sends them.
    if (mayBeCutOff) headers.set(name, value);
    else headers.delete(name);
  }
  return new Response(cached.body, { status: cached.status, headers });
}

/** A script with the header without which an isolated page may not start it as a worker. */
function withEmbedderPolicy(cached) {
  const headers = new Headers(cached.headers);
  headers.set("Cross-Origin-Embedder-Policy", "credentialless");
  return new Response(cached.body, { status: cached.status, headers });
}

async function answer(request, address) {
  const cache = await caches.open(CACHE);
  const cached = await cache.match(address);
  // The browser may have deleted the cache.
  if (!cached) return fetch(request);
  // Other cached documents (the method page, the example post) may frame the page; they are left as they are.
  if (request.mode === "navigate") return address === scope.href ? isolated(cached, request.url) : cached;
  if (request.destination === "worker") return withEmbedderPolicy(cached);
  const range = request.headers.get("Range");
  return range ? part(cached, range) : cached;
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const address = cacheKeyOf(event.request);
  if (address) event.respondWith(answer(event.request, address));
});
// A new version waits until the reader accepts it, so that page and worker always have the same version.
self.addEventListener("message", ({ data }) => {
  if (data === "skipWaiting") self.skipWaiting();
});
