// The limit loops: modules that do nothing but multiply and add, in eight accumulators that stay in registers, without loads (what a
// product can reach at most on a core), or do nothing but load. They are made by hand, so that no compiler stands between.

const I32 = 0x7f;
const V128 = 0x7b;
const ACCUMULATORS = 8;
/** Instructions of each accumulator in one turn of the loop. */
const TIMES = 8;
/** Floating-point operations of one turn. */
export const FLOP = ACCUMULATORS * TIMES * 4 * 2;

const unsigned = (value) => {
  const bytes = [];
  do {
    const rest = Math.floor(value / 128);
    bytes.push((value % 128) | (rest ? 128 : 0));
    value = rest;
  } while (value);
  return bytes;
};
const signed = (value) => {
  const bytes = [];
  for (let rest = value; ; rest >>= 7) {
    const last = rest < 64 && rest >= -64;
    bytes.push((rest & 127) | (last ? 0 : 128));
    if (last) return bytes;
  }
};
const vector = (items) => [...unsigned(items.length), ...items.flat()];
const section = (id, content) => [id, ...unsigned(content.length), ...content];
const get = (local) => [0x20, local];
const set = (local) => [0x21, local];
const simd = (opcode) => [0xfd, ...unsigned(opcode)];
const SPLAT = simd(0x13);
const MUL = simd(0xe6);
const ADD = simd(0xe4);
const RELAXED_MADD = simd(0x105);
const EXTRACT = [...simd(0x1f), 0];
const f32 = (value) => [0x43, ...new Uint8Array(new Float32Array([value]).buffer)];

/** The bytes of a module whose export `run(turns)` answers a number that depends on all that was computed. */
export function limitModule({ relaxed }) {
  // 0 is how many turns are left, 1 and 2 are the factor and the term, the others the accumulators.
  const [factor, term, first] = [1, 2, 3];
  const accumulators = Array.from({ length: ACCUMULATORS }, (_, index) => first + index);
  const step = (accumulator) =>
    relaxed
      ? [...get(accumulator), ...get(factor), ...get(term), ...RELAXED_MADD, ...set(accumulator)]
      : [...get(accumulator), ...get(factor), ...MUL, ...get(term), ...ADD, ...set(accumulator)];
  const body = [
    ...f32(0.999), ...SPLAT, ...set(factor),
    ...f32(0.001), ...SPLAT, ...set(term),
    0x03, 0x40, // loop
    ...Array.from({ length: TIMES }, () => accumulators.flatMap(step)).flat(),
    ...get(0), 0x41, 1, 0x6b, 0x22, 0, // one turn less
    0x0d, 0, // again, unless none is left
    0x0b,
    ...accumulators.flatMap(get),
    ...accumulators.slice(1).flatMap(() => ADD),
    ...EXTRACT,
    0x0b,
  ];
  const locals = [1, ACCUMULATORS + 2, V128];
  const code = [...locals, ...body];
  return new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vector([[0x60, 1, I32, 1, 0x7d]])),
    ...section(3, vector([[0]])),
    ...section(7, vector([[3, ...new TextEncoder().encode("run"), 0, 0]])),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]);
}

const PAGE = 65536;
/** Bytes that one turn of the loop that loads reads. */
const READ = ACCUMULATORS * TIMES * 16;

/** The bytes of a module whose export `read(from, to)` loads all of its memory of `bytes` in between, and answers a number that depends on it; `memory` is exported. */
export function readModule(bytes) {
  const [at, end, first] = [0, 1, 2];
  const accumulators = Array.from({ length: ACCUMULATORS }, (_, index) => first + index);
  const load = (offset) => [...simd(0x00), 4, ...unsigned(offset)];
  const step = (time) => (accumulator, index) => [...get(accumulator), ...get(at), ...load((time * ACCUMULATORS + index) * 16), ...ADD, ...set(accumulator)];
  const body = [
    0x03, 0x40, // loop
    ...Array.from({ length: TIMES }, (_, time) => accumulators.flatMap(step(time))).flat(),
    ...get(at), 0x41, ...signed(READ), 0x6a, 0x22, at, // one turn on
    ...get(end), 0x49, 0x0d, 0, // again, until the end
    0x0b,
    ...accumulators.flatMap(get),
    ...accumulators.slice(1).flatMap(() => ADD),
    ...EXTRACT,
    0x0b,
  ];
  const code = [1, ACCUMULATORS, V128, ...body];
  return new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vector([[0x60, 2, I32, I32, 1, 0x7d]])),
    ...section(3, vector([[0]])),
    ...section(5, vector([[0, ...unsigned(Math.ceil(bytes / PAGE))]])),
    ...section(7, vector([[4, ...new TextEncoder().encode("read"), 0, 0], [6, ...new TextEncoder().encode("memory"), 2, 0]])),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]);
}
