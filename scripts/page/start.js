// The page's first script: sets the theme, says when another part of the page does not load, and looks after the service worker.
// finish-page.mjs puts it into index.html.
"use strict";
__DIAGNOSE__
// src/web/link.rs asks it about the worker.
globalThis.keysideWhatIsWrong = whatIsWrong;
(() => {
  /** The scripts that start the page and a figure in another page, with their integrity. */
  const SCRIPTS = __SCRIPTS__;
  // Sets the theme of the address before the first paint. src/web/theme.rs takes over later.
  const asked = new URLSearchParams(location.search);
  const theme = asked.get("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  // Hides the static first view where the address asks for something else than the first step of the story.
  const known = asked.get("tab") === "story" ? ["v", "tab", "theme"] : ["theme"];
  const plain = [...asked.keys()].every((key) => known.includes(key));
  document.documentElement.dataset.start = plain ? "first-view" : "loading";

  /** Runs `task` as soon as there is a body. */
  const withBody = (task) => {
    if (document.body) task();
    else document.addEventListener("DOMContentLoaded", task, { once: true });
  };

  /** A strip at the top of the page. */
  const strip = (testid, role, text) => {
    const element = document.createElement("p");
    element.className = "strip";
    element.dataset.testid = testid;
    element.setAttribute("role", role);
    element.textContent = text;
    document.body.prepend(element);
    return element;
  };

  /** A button that loads the page anew. */
  const reloadButton = (testid, take) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.testid = testid;
    button.textContent = "Reload";
    button.addEventListener("click", take);
    return button;
  };

  let failed = false;
  /** Replaces the loading text by the reason why the page does not start, and advice; only once. `cause` may be a promise. */
  const fail = async (cause, advice) => {
    if (failed) return;
    failed = true;
    const what = await cause;
    withBody(() => {
      document.getElementById("loading")?.remove();
      const text =
        self.origin === "null"
          ? `The figure can't be shown: this frame has no origin of its own (sandbox without allow-same-origin), and its server does not allow such frames to read its files (CORS). Allow that with Access-Control-Allow-Origin: *, or allow the frame its origin. What failed: ${what}.`
          : `The page can't start: ${what}. ${advice} `;
      strip("start-error", "alert", text).append(reloadButton("start-reload", () => location.reload()));
      // The origin of the page around the frame, where the address names it.
      const host = asked.get("parent");
      try {
        if (asked.has("embed") && host && parent !== self) parent.postMessage({ keyside: 1, type: "error", message: text }, host);
      } catch {
        // Not a valid origin.
      }
    });
  };
  const DAMAGED = "Reload the page; if that does not help, something is wrong with its server.";
  const OTHER_BROWSER = "Allow it for this page, or use another browser.";
  const isThere = typeof WebAssembly === "object" && typeof WebAssembly.instantiate === "function";
  if (!isThere) fail("this browser has no WebAssembly, or it is switched off (lockdown modes and strict security settings do that)", OTHER_BROWSER);
  // The WebAssembly file does not load or run.
  addEventListener("keyside-failed", ({ detail: { file, cause } }) => {
    if (cause === undefined) fail(whatIsWrong(file), DAMAGED);
    else fail(`${file} can't be run (${cause})`, "Reload the page, close other tabs, or use a browser of 2021 or later.");
  });
  // Error events of elements don't bubble, but can be captured.
  addEventListener(
    "error",
    ({ target }) => {
      // Ignores other scripts, such as those of browser extensions.
      const isOwn = target instanceof HTMLScriptElement && target.src && new URL(target.src).host === location.host;
      if (isOwn) fail(whatIsWrong(target.src), DAMAGED);
    },
    true,
  );

  /** Starts what is named, once everything before it is there. */
  const start = (name) => {
    const [file, integrity] = SCRIPTS[name];
    // In a sandboxed frame even the page's own files are another origin's, whose integrity can be checked only where the server
    // allows them to be read (CORS).
    const own = (element, attributes) => Object.assign(document.createElement(element), { integrity, crossOrigin: "anonymous", fetchPriority: "low", ...attributes });
    document.head.append(own("link", { rel: "modulepreload", href: file }));
    const run = () => document.body.append(own("script", { type: "module", src: file }));
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", run, { once: true });
    else run();
  };
  /** Whether all files of the page are here already. In a sandboxed frame the access itself fails. */
  const isCached = () => {
    try {
      return Boolean(navigator.serviceWorker?.controller);
    } catch {
      return false;
    }
  };
  start(asked.has("embed") && !isCached() ? "frame" : "page");

  // A figure in another page stores neither files nor settings.
  if (asked.has("embed")) return;
  const container = navigator.serviceWorker;
  // Service workers are missing over plain http from another machine, and where they are disabled.
  if (!container) return;
  let reloading = false;

  /** Announces a new version; `take` is what the button does. */
  const announce = (text, take) =>
    withBody(() => {
      document.querySelector('[data-testid="update-banner"]')?.remove();
      strip("update-banner", "status", `${text} `).append(reloadButton("update-reload", take));
    });

  const offer = (registration) =>
    announce("A new version of this page is ready.", () => {
      reloading = true;
      // Another tab may have activated it in the meantime.
      if (registration.waiting) registration.waiting.postMessage("skipWaiting");
      else location.reload();
    });

  // A first service worker takes control at the next visit, so this event is always a change of version.
  container.addEventListener("controllerchange", () => {
    if (reloading) location.reload();
    else announce("Another tab has taken a new version of this page.", () => location.reload());
  });

  const register = async () => {
    const registration = await container.register("service-worker.js", { updateViaCache: "none" });
    if (registration.waiting && container.controller) offer(registration);
    registration.addEventListener("updatefound", () => {
      const arriving = registration.installing;
      arriving?.addEventListener("statechange", () => {
        if (arriving.state === "installed" && container.controller) offer(registration);
      });
    });
  };
  // After the page itself, so that caching does not delay the current visit. The page also works without a service worker.
  addEventListener("load", () => register().catch(() => {}), { once: true });
})();
