// WebKitGTK by WebDriver, in its own small browser on a screen that nobody sees.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";

const DRIVER = process.env.WEBKIT_DRIVER ?? "/usr/bin/WebKitWebDriver";
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
/** What WebDriver calls the keys that are no characters. */
const KEYS = {
  Backspace: "\uE003",
  Tab: "\uE004",
  Enter: "\uE007",
  Shift: "\uE008",
  Control: "\uE009",
  Escape: "\uE00C",
  End: "\uE010",
  Home: "\uE011",
  ArrowLeft: "\uE012",
  ArrowUp: "\uE013",
  ArrowRight: "\uE014",
  ArrowDown: "\uE015",
  Delete: "\uE017",
};
const keyOf = (key) => KEYS[key] ?? key;

/** A port that nobody has. */
async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Starts `program`, which ends with this process. */
function run(program, args, options) {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "ignore"], ...options });
  const end = () => child.kill();
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  return child;
}

/** A screen that nobody sees: its name, and what ends it. */
async function startScreen() {
  const child = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1600x2000x24", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const end = () => child.kill();
  process.once("exit", end);
  const [number] = await Promise.race([once(child.stdio[3], "data"), once(child, "error").then(([error]) => Promise.reject(error))]);
  return { display: `:${String(number).trim()}`, end: () => (process.off("exit", end), end()) };
}

/** The driver. */
export async function startWebKit() {
  const screen = await startScreen();
  const windows = new Set();
  const start = async ({ width = 1280, height = 800, dark = false } = {}) => {
    const home = await mkdtemp(path.join(os.tmpdir(), "keyside-webkit-"));
    const downloads = path.join(home, "Downloads");
    await mkdir(downloads);
    await mkdir(path.join(home, ".config"));
    await writeFile(path.join(home, ".config/user-dirs.dirs"), `XDG_DOWNLOAD_DIR="${downloads}"\n`);
    const port = await freePort();
    const env = {
      ...process.env,
      DISPLAY: screen.display,
      HOME: home,
      GTK_THEME: dark ? "Adwaita:dark" : "Adwaita",
      // Without a GPU.
      LIBGL_ALWAYS_SOFTWARE: "1",
      WEBKIT_DISABLE_DMABUF_RENDERER: "1",
      GDK_BACKEND: "x11",
      NO_AT_BRIDGE: "1",
    };
    for (const name of ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"]) delete env[name];
    const child = run(DRIVER, [`--port=${port}`, "--host=127.0.0.1"], { env });
    const shown = new Shown(`http://127.0.0.1:${port}`, child, home, downloads, () => windows.delete(shown));
    windows.add(shown);
    await shown.begin();
    await shown.resize(width, height);
    return shown;
  };
  const first = await start();
  const { version } = first;
  await first.close();
  const close = async () => {
    await Promise.all([...windows].map((shown) => shown.close()));
    screen.end();
  };
  return { name: "webkit", version, start, close };
}

/** See driver.mjs. */
class Shown {
  /** Where the mouse is. */
  at = { x: 0, y: 0 };
  /** The driver tells nothing of the page's console. */
  complaints = [];

  constructor(url, child, home, downloads, gone) {
    Object.assign(this, { url, child, home, downloads, gone });
  }

  /** Waits for the driver, and begins a session. */
  async begin() {
    for (const end = Date.now() + 20_000; ; ) {
      const ready = await fetch(`${this.url}/status`).catch(() => null);
      if (ready?.ok) break;
      if (Date.now() > end) throw new Error(`${DRIVER} does not answer`);
      await new Promise((done) => setTimeout(done, 50));
    }
    const capabilities = { alwaysMatch: { timeouts: { script: 300_000, pageLoad: 60_000 }, pageLoadStrategy: "normal" } };
    const { sessionId, capabilities: found } = await this.ask("POST", "/session", { capabilities });
    this.session = `/session/${sessionId}`;
    this.version = `${found.browserName} ${found.browserVersion}`;
  }

  /** What the driver answers; an error is thrown. */
  async ask(method, command, body, patience = 300_000) {
    const signal = AbortSignal.timeout(patience);
    const answer = await fetch(`${this.url}${command}`, { method, signal, ...(body && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }) });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`WebDriver, ${command.split("/").slice(3).join("/") || "session"}: ${value?.error}: ${value?.message}`);
    return value;
  }

  post(command, body = {}) {
    return this.ask("POST", `${this.session}${command}`, body);
  }

  goto(url) {
    return this.post("/url", { url });
  }

  reload() {
    return this.post("/refresh");
  }

  async evaluate(fn, ...args) {
    const script = `
      const [args, done] = arguments;
      Promise.resolve().then(() => (${fn})(...args)).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const { value, error } = await this.post("/execute/async", { script, args: [args] });
    if (error) throw new Error(error);
    return value ?? undefined;
  }

  /** Pointer actions, one after the other. */
  point(pointerType, ...actions) {
    return this.post("/actions", { actions: [{ type: "pointer", id: pointerType, parameters: { pointerType }, actions }] });
  }

  move(x, y) {
    this.at = { x: Math.round(x), y: Math.round(y) };
    return this.point("mouse", { type: "pointerMove", duration: 0, origin: "viewport", ...this.at });
  }

  down() {
    return this.point("mouse", { type: "pointerDown", button: 0 });
  }

  up() {
    return this.point("mouse", { type: "pointerUp", button: 0 });
  }

  tap(x, y) {
    const move = { type: "pointerMove", duration: 0, origin: "viewport", x: Math.round(x), y: Math.round(y) };
    return this.point("touch", move, { type: "pointerDown", button: 0 }, { type: "pointerUp", button: 0 });
  }

  keys(actions) {
    return this.post("/actions", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  press(key, ...held) {
    const down = (value) => ({ type: "keyDown", value: keyOf(value) });
    const up = (value) => ({ type: "keyUp", value: keyOf(value) });
    return this.keys([...held.map(down), down(key), up(key), ...held.map(up)]);
  }

  type(text) {
    return this.keys([...text].flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]));
  }

  async setFiles(selector, files) {
    const element = await this.post("/element", { using: "css selector", value: selector });
    await this.post(`/element/${element[ELEMENT]}/value`, { text: files.join("\n") });
  }

  /** The window is larger than the page in it. */
  async resize(width, height) {
    await this.post("/window/rect", { x: 0, y: 0, width, height });
    const around = await this.evaluate(() => ({ width: innerWidth, height: innerHeight }));
    await this.post("/window/rect", { x: 0, y: 0, width: 2 * width - around.width, height: 2 * height - around.height });
  }

  /** Of a page with a frame of another origin the driver never makes one. */
  async screenshot() {
    return Buffer.from(await this.ask("GET", `${this.session}/screenshot`, undefined, 10_000), "base64");
  }

  async close() {
    this.gone();
    await this.ask("DELETE", this.session, undefined, 5_000).catch(() => {});
    this.child.kill();
    await rm(this.home, { recursive: true, force: true }).catch(() => {});
  }
}
