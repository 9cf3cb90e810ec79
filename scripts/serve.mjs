// Serves a folder on 127.0.0.1: node scripts/serve.mjs FOLDER PORT [--cors]
// With the headers that let a page compute on several threads. With --cors, pages of other origins may read it: a model for a page that is served elsewhere.
import { serve } from "../tests/e2e/server.mjs";

const [folder, port, cors] = process.argv.slice(2);
try {
  const server = await serve(folder, { port: Number(port), cors: cors === "--cors", isolated: true });
  console.log(`${folder} is at ${server.url} (stop with Ctrl+C)`);
} catch (error) {
  const reason = error.code === "EADDRINUSE" ? `port ${port} is taken; choose another (make run PORT=8081)` : error.message;
  console.error(`keyside: error: ${reason}`);
  process.exit(1);
}
