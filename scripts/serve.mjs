// Serves a folder on 127.0.0.1: node scripts/serve.mjs FOLDER PORT
import { serve } from "../tests/e2e/server.mjs";

const [folder, port] = process.argv.slice(2);
try {
  const server = await serve(folder, { port: Number(port) });
  console.log(`keyside is at ${server.url} (stop with Ctrl+C)`);
} catch (error) {
  const reason = error.code === "EADDRINUSE" ? `port ${port} is taken; choose another: make run PORT=8081` : error.message;
  console.error(`keyside: error: ${reason}`);
  process.exit(1);
}
