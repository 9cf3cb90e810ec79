// <keyside-plot plot="heatmap" src="result.json">: a figure of keyside in any page.
// Load it from where the app is: <script src="https://…/keyside-plot.js" async></script>. See docs/embedding.md.
//
// Attributes, all of them optional:
//   plot      heatmap (or none), keys_fixed_scores, keys_fixed_probs, queries_fixed_scores, queries_fixed_probs,
//             tokens, heads, pattern, writers, table
//   src       a result file, relative to the page; without it the recorded run of GPT-2 small
//   controls  none, or some of legend,toolbar,export; without it the legend alone
//   theme     auto (or none), light, dark
//   state     more of the state, as it stands after "?" in a link to the app
//   label     the figure's name for people who do not see it
//   app       where the app is, if this script was copied to another place
// Property: result, the text of a result file or what it holds, in place of src.
// Events: keyside-shown, keyside-error (detail: the message). What is inside the element is shown until the figure is there,
// and when it does not come.
"use strict";
(() => {
  /** Where the app is: beside this script. A module does not know its script here. */
  const HERE = document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : document.baseURI;
  const PROTOCOL = 1;
  /** Longest result file, in characters, and the highest figure, in CSS pixels. */
  const MAX_LENGTH = 64 * 2 ** 20;
  const MAX_HEIGHT = 10_000;
  /** How long the app may take to report, in milliseconds. */
  const PATIENCE = 30_000;
  const STYLE = new CSSStyleSheet();
  STYLE.replaceSync(`
    :host { display: block; position: relative; min-width: 0; }
    :host([hidden]), slot[hidden] { display: none; }
    iframe { display: block; width: 100%; border: 0; color-scheme: normal; }
    iframe.waiting { position: absolute; inset: 0 0 auto; height: 100%; visibility: hidden; }
    p { margin: 0.5em 0; font-size: 0.85em; }
  `);

  /**
   * Reads a result file of the page's own; what is in it is checked by the app.
   * @param {string} address
   * @param {AbortSignal} signal
   * @returns {Promise<string>}
   */
  const read = async (address, signal) => {
    const response = await fetch(address, { signal });
    if (!response.ok) throw new Error(`${address} can't be read (the server answered ${response.status})`);
    if (Number(response.headers.get("Content-Length")) > MAX_LENGTH) throw new Error(`${address} is too large for a result file`);
    return response.text();
  };

  class KeysidePlot extends HTMLElement {
    static observedAttributes = ["plot", "src", "controls", "theme", "state", "label", "app"];

    /** @type {HTMLIFrameElement | undefined} */ #frame;
    /** @type {string | undefined} */ #given;
    #listens = false;
    /** Ends the reading, the listening and the waiting that belong to the frame. */
    #ending = new AbortController();
    #due = false;
    #near = false;
    /** Makes the frame when the reader is about to come by. */
    #watcher = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        this.#near = true;
        this.#watcher.disconnect();
        this.#renewSoon();
      },
      { rootMargin: "600px" },
    );

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [STYLE];
      root.append(document.createElement("slot"));
    }

    connectedCallback() {
      if (this.#near) this.#renewSoon();
      else this.#watcher.observe(this);
    }

    disconnectedCallback() {
      this.#watcher.disconnect();
      this.#clear();
    }

    /** @param {string} name  @param {string | null} before  @param {string | null} after */
    attributeChangedCallback(name, before, after) {
      if (before === after || !this.#frame) return;
      if (name === "theme") this.#say({ type: "theme", theme: this.#theme });
      else if (name === "label") this.#frame.title = after || this.#frame.title;
      else this.#renewSoon();
    }

    /** A result to show in place of `src`: the text of a result file, or what it holds. */
    get result() {
      return this.#given;
    }

    set result(result) {
      this.#given = result === undefined || result === null || typeof result === "string" ? result ?? undefined : JSON.stringify(result);
      if (this.#frame) this.#renewSoon();
    }

    get #app() {
      return new URL(this.getAttribute("app") ?? "./", this.hasAttribute("app") ? document.baseURI : HERE);
    }

    get #theme() {
      const theme = this.getAttribute("theme") ?? "";
      return ["light", "dark"].includes(theme) ? theme : "system";
    }

    /** Several attributes that change at once make one new frame. */
    #renewSoon() {
      if (this.#due) return;
      this.#due = true;
      queueMicrotask(() => {
        this.#due = false;
        if (this.isConnected && this.#near) this.#renew();
      });
    }

    #clear() {
      this.#ending.abort();
      this.#frame?.remove();
      this.#frame = undefined;
      this.#listens = false;
      this.shadowRoot?.querySelector("p")?.remove();
      this.shadowRoot?.querySelector("slot")?.removeAttribute("hidden");
    }

    #renew() {
      this.#clear();
      this.#ending = new AbortController();
      const { signal } = this.#ending;
      const src = this.getAttribute("src");
      const address = this.#app;
      const query = new URLSearchParams(this.getAttribute("state") ?? "");
      query.set("embed", this.getAttribute("plot") || "heatmap");
      query.set("parent", location.origin);
      if (this.hasAttribute("controls")) query.set("controls", this.getAttribute("controls") ?? "");
      if (this.#theme !== "system") query.set("theme", this.#theme);
      if (src || this.#given !== undefined) query.set("result", "host");
      if (location.origin === "null") query.delete("parent");
      address.search = query.toString();

      const frame = document.createElement("iframe");
      frame.className = "waiting";
      frame.title = this.getAttribute("label") || "A figure from keyside";
      frame.allow = "clipboard-write";
      frame.src = address.href;
      this.#frame = frame;
      const timer = setTimeout(() => this.#fail(`${address.origin} does not answer`), PATIENCE);
      signal.addEventListener("abort", () => clearTimeout(timer));
      const given = this.#given;
      const file = given !== undefined ? Promise.resolve(given) : src ? read(new URL(src, document.baseURI).href, signal) : undefined;
      file?.catch((cause) => signal.aborted || this.#fail(cause.message));
      addEventListener("message", (event) => {
        if (event.source !== frame.contentWindow || event.origin !== address.origin) return;
        if (event.data?.keyside === PROTOCOL) this.#hear(event.data, file, timer);
      }, { signal });
      this.shadowRoot?.append(frame);
    }

    /**
     * @param {{ type?: unknown, height?: unknown, title?: unknown, message?: unknown }} message
     * @param {Promise<string> | undefined} file
     * @param {ReturnType<typeof setTimeout>} timer
     */
    #hear(message, file, timer) {
      const frame = this.#frame;
      if (!frame) return;
      if (message.type === "ready") {
        clearTimeout(timer);
        this.#listens = true;
        this.#say({ type: "theme", theme: this.#theme });
        const name = (this.getAttribute("src") ?? "").split(/[?#]/)[0].split("/").pop();
        file?.then((text) => this.#frame === frame && this.#say({ type: "result", name, text }), () => {});
      } else if (message.type === "height") {
        const { height } = message;
        if (typeof height === "number" && height > 0 && height <= MAX_HEIGHT) frame.style.height = `${Math.ceil(height)}px`;
      } else if (message.type === "shown") {
        if (!this.hasAttribute("label")) frame.title = String(message.title);
        frame.classList.remove("waiting");
        this.shadowRoot?.querySelector("slot")?.setAttribute("hidden", "");
        this.dispatchEvent(new CustomEvent("keyside-shown", { detail: frame.title }));
      } else if (message.type === "error") {
        this.#fail(String(message.message));
      }
    }

    /** @param {object} message */
    #say(message) {
      if (this.#listens) this.#frame?.contentWindow?.postMessage({ keyside: PROTOCOL, ...message }, this.#app.origin);
    }

    /** Says why there is no figure, unless there is one; the frame itself says it then. @param {string} why */
    #fail(why) {
      this.dispatchEvent(new CustomEvent("keyside-error", { detail: why }));
      if (!this.#frame?.classList.contains("waiting")) return;
      this.#clear();
      const words = document.createElement("p");
      words.setAttribute("role", "alert");
      words.textContent = `The figure can't be shown: ${why}`;
      this.shadowRoot?.append(words);
    }
  }

  if (!customElements.get("keyside-plot")) customElements.define("keyside-plot", KeysidePlot);
  // For the npm package, which is made of this file (npm/build.mjs).
  return customElements.get("keyside-plot");
})();
