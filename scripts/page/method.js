// Sets the theme of the address before the first paint, and on the links back. finish-page.mjs puts this script into method.html.
"use strict";
(() => {
  const theme = new URLSearchParams(location.search).get("theme");
  if (theme !== "light" && theme !== "dark") return;
  document.documentElement.dataset.theme = theme;
  addEventListener("DOMContentLoaded", () => {
    document.querySelector('a[href="./"]').search = `?theme=${theme}`;
  });
})();
