// A thread that takes a piece of work and never comes back. It knows the words of a team (src/kernel/team.rs): 1 is how many
// pieces are left, 4 how many threads are there.
"use strict";

self.onmessage = ({ data: { memory, team } }) => {
  const words = new Int32Array(memory.buffer);
  const [left, present] = [team / 4 + 1, team / 4 + 4];
  Atomics.add(words, present, 1);
  self.postMessage("ready");
  for (;;) {
    const pieces = Atomics.load(words, left);
    if (pieces > 0 && Atomics.compareExchange(words, left, pieces, pieces - 1) === pieces) return;
  }
};
