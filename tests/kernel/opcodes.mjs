// Which instructions a WebAssembly module has: enough of a decoder for the modules of scripts/build-kernels.sh. Fails at an
// instruction that it does not know.

/** A reader of bytes. */
class Bytes {
  constructor(bytes, at = 0) {
    Object.assign(this, { bytes, at });
  }

  byte() {
    if (this.at >= this.bytes.length) throw new Error("the module ends too early");
    return this.bytes[this.at++];
  }

  /** A number of variable length: of its sign only how long it is matters. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  skip(count) {
    this.at += count;
  }
}

const NOTHING = () => {};
const one = (reader) => reader.number();
const two = (reader) => (reader.number(), reader.number());
const many = (reader) => {
  for (let count = reader.number(); count >= 0; count--) reader.number();
};
const range = (first, last, immediates) => Array.from({ length: last - first + 1 }, (_, index) => [first + index, immediates]);

/** What follows an opcode of one byte. */
const PLAIN = new Map([
  ...range(0x00, 0x01, NOTHING),
  ...range(0x02, 0x04, one),
  ...[0x05, 0x0b, 0x0f].map((opcode) => [opcode, NOTHING]),
  ...[0x0c, 0x0d, 0x10].map((opcode) => [opcode, one]),
  [0x0e, many],
  [0x11, two],
  ...range(0x1a, 0x1b, NOTHING),
  ...range(0x20, 0x26, one),
  ...range(0x28, 0x3e, two),
  ...range(0x3f, 0x42, one),
  [0x43, (reader) => reader.skip(4)],
  [0x44, (reader) => reader.skip(8)],
  ...range(0x45, 0xc4, NOTHING),
]);
/** What follows after 0xfc and a number. */
const MISCELLANEOUS = new Map([...range(0, 7, NOTHING), [8, two], [9, one], [10, two], [11, one]]);

function vectors(reader, opcode) {
  if (opcode <= 11 || opcode === 92 || opcode === 93) return two(reader);
  if (opcode === 12 || opcode === 13) return reader.skip(16);
  if (opcode >= 21 && opcode <= 34) return reader.skip(1);
  if (opcode >= 84 && opcode <= 91) {
    two(reader);
    return reader.skip(1);
  }
  if (opcode > 0x113) throw new Error(`there is a vector instruction ${opcode}`);
}

function atomics(reader, opcode) {
  if (opcode === 3) return reader.skip(1);
  if (opcode > 0x4e) throw new Error(`there is an atomic instruction ${opcode}`);
  two(reader);
}

/** How often each instruction is in the module `bytes`, by name: "0x6a", or "0xfd 261" for one of a group. */
export function opcodes(bytes) {
  const reader = new Bytes(bytes, 8);
  const found = new Map();
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const end = reader.number() + reader.at;
    if (id === 10) for (let functions = reader.number(); functions > 0; functions--) code(reader, found);
    if (id === 10 && reader.at !== end) throw new Error("the code was not read to its end");
    reader.at = end;
  }
  return found;
}

function code(reader, found) {
  const end = reader.number() + reader.at;
  for (let locals = reader.number(); locals > 0; locals--) two(reader);
  while (reader.at < end) {
    const opcode = reader.byte();
    let name = `0x${opcode.toString(16)}`;
    if (opcode >= 0xfc && opcode <= 0xfe) {
      const second = reader.number();
      name += ` ${second}`;
      if (opcode === 0xfd) vectors(reader, second);
      else if (opcode === 0xfe) atomics(reader, second);
      else if (!MISCELLANEOUS.has(second)) throw new Error(`there is an instruction ${name}`);
      else MISCELLANEOUS.get(second)(reader);
    } else if (!PLAIN.has(opcode)) throw new Error(`there is an instruction ${name}`);
    else PLAIN.get(opcode)(reader);
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  if (reader.at !== end) throw new Error("a function was not read to its end");
}
