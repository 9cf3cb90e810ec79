// keyside: starts the worker with the wasm file that belongs to it
(async () => {
  const response = await fetch("__WASM__", { integrity: "__INTEGRITY__", credentials: "same-origin" });
  await wasm_bindgen({ module_or_path: response });
})().catch((cause) => {
  // The message FromWorker::Panicked of src/worker/message.rs.
  postMessage(JSON.stringify({ panicked: { message: `__WASM__ can't be run: ${cause?.message ?? cause}` } }));
});
