/** Diagnoses why the page's file at `address` did not load, by requesting it again. Resolves to one sentence without its full stop. */
const whatIsWrong = async (address) => {
  const url = new URL(address, self.location.href);
  const name = url.pathname.split("/").at(-1);
  const expected = name.endsWith(".wasm") ? /^application\/wasm$/ : /^(text|application)\/(javascript|ecmascript|x-javascript)$/;
  const answer = await fetch(url, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
  if (!answer) return `there is no answer from the server that has ${name}`;
  if (!answer.ok) return `the server answered ${answer.status} for ${name}`;
  const type = (answer.headers.get("Content-Type") ?? "").split(";")[0].trim().toLowerCase();
  const start = new TextDecoder().decode((await answer.arrayBuffer().catch(() => new ArrayBuffer(0))).slice(0, 512));
  if (/^\s*<(!doctype|html|head|body)\b/i.test(start)) return `the server sent a web page in place of ${name}`;
  if (!expected.test(type)) return `the server sent ${name} as ${type ? `"${type}"` : "a file of no type"}, which browsers do not run (Content-Type: ${name.endsWith(".wasm") ? "application/wasm" : "text/javascript"} is right)`;
  return `${name} is not the file that belongs to this page`;
};
