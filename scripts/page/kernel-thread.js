// A thread of scripts/page/kernel.js: waits in shared memory for work, until it is ended.
"use strict";

self.onmessage = async ({ data: { module, memory, stack, team, crew } }) => {
  const words = new Int32Array(memory.buffer);
  const host = {
    sleep: (at, value, milliseconds) => Atomics.wait(words, at >>> 2, value, milliseconds < 0 ? Infinity : milliseconds),
    wake: (at) => Atomics.notify(words, at >>> 2),
  };
  try {
    const { exports } = await WebAssembly.instantiate(module, { env: { memory }, host });
    // Every thread has a stack of its own in the shared memory.
    exports.__stack_pointer.value = stack;
    self.postMessage("ready");
    exports.serve(team, crew);
  } catch (error) {
    self.postMessage(`${error}`);
  }
  self.close();
};
