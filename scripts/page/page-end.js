// keyside: starts the page with the wasm file that belongs to it
const failed = (detail) => dispatchEvent(new CustomEvent("keyside-failed", { detail: { file: "__WASM__", ...detail } }));
let response;
try {
  response = await fetch(new URL("__WASM__", import.meta.url), { integrity: "__INTEGRITY__", credentials: "same-origin" });
} catch (cause) {
  failed({});
  throw cause;
}
try {
  await __wbg_init({ module_or_path: response });
} catch (cause) {
  failed({ cause: `${cause?.message ?? cause}` });
  throw cause;
}
