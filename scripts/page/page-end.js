// keyside: starts the page with the wasm file that belongs to it
try {
  const response = await fetch(new URL("__WASM__", import.meta.url), { integrity: "__INTEGRITY__", credentials: "same-origin" });
  await __wbg_init({ module_or_path: response });
} catch (cause) {
  dispatchEvent(new CustomEvent("keyside-failed", { detail: `__WASM__ can't be run (${cause?.message ?? cause})` }));
  throw cause;
}
