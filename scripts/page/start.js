// The page's first script: sets the theme, says when another part of the page does not load, and looks after the service worker.
// finish-page.mjs puts it into index.html.
"use strict";
(() => {
  // The theme that the address names, before anything is painted. src/web/theme.rs takes over from here.
  const asked = new URLSearchParams(location.search);
  const theme = asked.get("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  // An address that asks for something else than the beginning of the story is not answered with a picture of that.
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

  /** Says once why the page does not start, in place of the words that it is loading. */
  const fail = (what) => {
    if (document.querySelector('[data-testid="start-error"]')) return;
    document.getElementById("loading")?.remove();
    strip("start-error", "alert", `The page can't start: ${what}. Reload the page; if that does not help, its files are damaged on the server.`);
  };
  addEventListener("keyside-failed", (event) => withBody(() => fail(String(event.detail))));
  // Errors of elements don't bubble, but can be caught on their way down.
  addEventListener(
    "error",
    ({ target }) => {
      if (target instanceof HTMLScriptElement) withBody(() => fail(`${target.src} can't be loaded, or is not the file that belongs to this page`));
    },
    true,
  );

  // A figure in another page keeps nothing: neither files nor settings. In a sandbox it could not even ask.
  if (asked.has("embed")) return;
  const container = navigator.serviceWorker;
  // There is none over plain http from another machine, nor where it is switched off.
  if (!container) return;
  let reloading = false;

  /** Announces a new version; `take` is what the button does. */
  const announce = (text, take) =>
    withBody(() => {
      document.querySelector('[data-testid="update-banner"]')?.remove();
      const banner = strip("update-banner", "status", `${text} `);
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.testid = "update-reload";
      button.textContent = "Reload";
      button.addEventListener("click", take);
      banner.append(button);
    });

  const offer = (registration) =>
    announce("A new version of this page is ready.", () => {
      reloading = true;
      // Another tab may have taken it in the meantime.
      if (registration.waiting) registration.waiting.postMessage("skipWaiting");
      else location.reload();
    });

  // A first service worker takes over at the next visit, so this is always a change of version.
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
  // After the page itself: what is kept for later must not hold up what is shown now. Without it the page works as well.
  addEventListener("load", () => register().catch(() => {}), { once: true });
})();
