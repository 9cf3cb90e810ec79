// Writes and reads one model's worth of pieces, once through the Cache API and once through the origin private file system.
const piece = (size, seed) => {
  const bytes = new Uint8Array(size);
  new Uint32Array(bytes.buffer).forEach((_, index, words) => (words[index] = Math.imul(index + seed, 2654435761)));
  return bytes;
};
const address = (index) => `./piece-${index}`;
const timed = async (work) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};
const sum = (bytes) => new Uint32Array(bytes.buffer, bytes.byteOffset, 4).reduce((a, b) => a ^ b, 0);

const kinds = {
  // Pieces arrive from the network in portions: a stream takes them as they come.
  cache: {
    async write(pieces, size, portion) {
      const cache = await caches.open("bench");
      for (let index = 0; index < pieces; index += 1) {
        const bytes = piece(size, index);
        let at = 0;
        const stream = new ReadableStream({
          pull(controller) {
            if (at >= size) return controller.close();
            controller.enqueue(bytes.slice(at, (at += portion)));
          },
        });
        await cache.put(address(index), new Response(stream));
      }
    },
    async read(pieces) {
      const cache = await caches.open("bench");
      let found = 0;
      for (let index = 0; index < pieces; index += 1) {
        const answer = await cache.match(address(index));
        const reader = answer.body.getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) found ^= sum(part.value.slice(0, 16));
      }
      return found;
    },
    clear: () => caches.delete("bench"),
  },
  opfs: {
    async write(pieces, size, portion) {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle("bench", { create: true });
      for (let index = 0; index < pieces; index += 1) {
        const bytes = piece(size, index);
        const file = await folder.getFileHandle(`piece-${index}`, { create: true });
        const handle = await file.createSyncAccessHandle();
        for (let at = 0; at < size; at += portion) handle.write(bytes.subarray(at, at + portion), { at });
        handle.flush();
        handle.close();
      }
    },
    async read(pieces, step) {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle("bench");
      const reader = new FileReaderSync();
      let found = 0;
      for (let index = 0; index < pieces; index += 1) {
        const file = await (await folder.getFileHandle(`piece-${index}`)).getFile();
        for (let at = 0; at < file.size; at += step) {
          found ^= sum(new Uint8Array(reader.readAsArrayBuffer(file.slice(at, at + step))));
        }
      }
      return found;
    },
    async clear() {
      const root = await navigator.storage.getDirectory();
      await root.removeEntry("bench", { recursive: true });
    },
  },
};

onmessage = async ({ data: { kind, pieces, size, portion, step } }) => {
  const { write, read, clear } = kinds[kind];
  const writing = await timed(() => write(pieces, size, portion));
  const reading = await timed(() => read(pieces, step));
  await clear();
  postMessage({ kind, writing, reading });
};
