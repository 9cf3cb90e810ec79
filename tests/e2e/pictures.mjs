// Takes the pictures of docs/ anew, from the test page: node tests/e2e/pictures.mjs. They land in screenshots/docs.
import { mkdir, stat } from "node:fs/promises";
import path from "node:path";

import { chromium } from "playwright-core";

import { withBlog } from "./embed.mjs";
import { drawn, FLAGS, page as built, root, Tab, threeFrames } from "./harness.mjs";
import { serve } from "./server.mjs";

const folder = path.join(root, "screenshots/docs");

const pictures = {
  "story.png": { context: { viewport: { width: 1280, height: 800 } }, take: (tab, to) => tab.openStory().then(() => tab.page.screenshot({ path: to })) },
  "sentence.png": { context: { viewport: { width: 1280, height: 900 } }, take: (tab, to) => answeredSentence(tab).then(() => tab.page.screenshot({ path: to })) },
  "page.png": { context: { viewport: { width: 1280, height: 800 } }, take: (tab, to) => opened(tab).then(() => tab.page.screenshot({ path: to })) },
  "page-dark.png": { context: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }, take: (tab, to) => opened(tab).then(() => tab.page.screenshot({ path: to })) },
  "phone.png": { context: { viewport: { width: 390, height: 844 } }, take: (tab, to) => opened(tab).then(() => tab.page.screenshot({ path: to })) },
  "post.png": {
    context: { viewport: { width: 960, height: 800 } },
    take: (tab, to) => withBlog(tab, {}, async (blog) => {
      await tab.page.goto(`${blog.url}examples/post.html`);
      const plot = tab.page.locator("keyside-plot[src]");
      await plot.scrollIntoViewIfNeeded();
      await plot.locator("iframe:not(.waiting)").contentFrame().locator("canvas").first().waitFor();
      await tab.page.getByRole("heading", { name: "Who wrote it there?" }).evaluate((heading) => scrollTo(0, heading.offsetTop - 24));
      // Frames out of view are not painted.
      const frame = await plot.locator("iframe:not(.waiting)").elementHandle();
      await threeFrames(await frame.contentFrame());
      await tab.page.screenshot({ path: to });
    }),
  },
};

/** A sentence on the bundled model, answered. */
async function answeredSentence(tab) {
  await tab.page.goto(`${tab.url}?tab=sentence&model=bundled#text=When%20Mary%20and%20John%20went%20to%20the%20store,%20John%20gave%20a%20drink%20to`);
  await tab.at("answer").getByText(/^Head \d+\.\d+ at /).waitFor();
  await drawn(tab.page);
}

async function opened(tab) {
  await tab.open();
  await drawn(tab.page);
}

await mkdir(folder, { recursive: true });
const site = await serve(built);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  for (const [name, { context: options, take }] of Object.entries(pictures)) {
    const context = await browser.newContext({ serviceWorkers: "block", ...options });
    const to = path.join(folder, name);
    await take(new Tab(await context.newPage(), site.url), to);
    await context.close();
    console.log(`${path.relative(root, to)}: ${Math.round((await stat(to)).size / 1024)} KiB`);
  }
} finally {
  await browser.close();
  await site.close();
}
console.log("Look at them, then copy those that changed: cp screenshots/docs/NAME docs/");
