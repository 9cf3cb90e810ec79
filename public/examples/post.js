// Gives plain frames of keyside the height of their content. <keyside-plot> does it by itself.
"use strict";
addEventListener("message", ({ source, origin, data }) => {
  for (const frame of document.querySelectorAll("iframe.keyside")) {
    // Only what comes from this very frame, and from the app, counts.
    if (source !== frame.contentWindow || origin !== new URL(frame.src).origin) continue;
    const { keyside, type, height } = data ?? {};
    if (keyside === 1 && type === "height" && Number.isFinite(height) && height > 0 && height < 5000) frame.style.height = `${height}px`;
  }
});
