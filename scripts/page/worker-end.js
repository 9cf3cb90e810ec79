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
__DIAGNOSE__
(async () => {
  // The message FromWorker::Panicked of src/worker/message.rs.
  const failed = (message) => postMessage(JSON.stringify({ panicked: { message } }));
  let response;
  try {
    response = await fetch("__WASM__", { integrity: "__INTEGRITY__", credentials: "same-origin" });
  } catch {
    return failed(await whatIsWrong("__WASM__"));
  }
  try {
    await wasm_bindgen({ module_or_path: response });
  } catch (cause) {
    failed(`__WASM__ can't be run: ${cause?.message ?? cause}`);
  }
})();
