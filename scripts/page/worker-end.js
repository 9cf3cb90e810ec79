// keyside: starts the worker with the wasm file that belongs to it
__KERNEL__
const kernels = {
  hasRelaxed: () => support().relaxed,
  threadsByDefault: () => defaultThreads(),
  start: async (relaxed, threads) => {
    const files = __KERNELS__;
    const load = async (name) => {
      const [file, integrity] = files[name];
      const response = await fetch(file, { integrity, credentials: "same-origin" });
      if (!response.ok) throw new Error(`${file} was answered with ${response.status}`);
      return response.arrayBuffer();
    };
    return startKernel({ load, startThread: () => new Worker("__THREAD__"), threads, relaxed });
  },
};
(async () => {
  const response = await fetch("__WASM__", { integrity: "__INTEGRITY__", credentials: "same-origin" });
  await wasm_bindgen({ module_or_path: response });
})().catch((cause) => {
  // The message FromWorker::Panicked of src/worker/message.rs.
  postMessage(JSON.stringify({ panicked: { message: `__WASM__ can't be run: ${cause?.message ?? cause}` } }));
});
