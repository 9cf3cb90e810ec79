// What the jobs ask of a browser, and the three that can be asked.
//
// A driver is `{ name, version, start(options), close() }`. `start({ width, height, dark, preferences })` opens a window with a profile of
// its own, whose downloads go to its folder `downloads`:
//
//   goto(url), reload()             until the document is loaded
//   evaluate(fn, ...args)           what `fn` answers in the page, as JSON; waits for promises
//   move(x, y), down(), up()        the mouse, in CSS pixels of the window
//   tap(x, y)                       a finger
//   press(key, ...held), type(text) the keyboard; `key` is a KeyboardEvent's
//   setFiles(selector, files)       what a reader picks
//   resize(width, height)           of the page
//   screenshot()                    PNG
//   complaints                      what went wrong in the page, as far as the browser tells
//   close()
import { startPuppeteer } from "./puppeteer.mjs";
import { startWebKit } from "./webkit.mjs";

/** The browsers, by name. */
export const BROWSERS = {
  chromium: () => startPuppeteer("chromium"),
  firefox: () => startPuppeteer("firefox"),
  webkit: startWebKit,
};
