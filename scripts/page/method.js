// The theme that the address names, before anything is painted, and on the way back. finish-page.mjs puts it into method.html.
"use strict";
(() => {
  const theme = new URLSearchParams(location.search).get("theme");
  if (theme !== "light" && theme !== "dark") return;
  document.documentElement.dataset.theme = theme;
  addEventListener("DOMContentLoaded", () => {
    document.querySelector('a[href="./"]').search = `?theme=${theme}`;
  });
})();
