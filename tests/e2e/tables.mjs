// Tables as text, read back.
import { check } from "./harness.mjs";

/** The records of a CSV text (RFC 4180): the columns' names, and an object per row. */
export function readCsv(text) {
  const records = [];
  let record = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') field += text[(i += 1)];
      else if (c === '"') quoted = false;
      else field += c;
    } else if (c === '"') quoted = true;
    else if (c === "," || c === "\r") {
      record.push(field);
      field = "";
      if (c === "\r") {
        check(text[(i += 1)] === "\n", "a line of CSV does not end with CRLF");
        records.push(record);
        record = [];
      }
    } else field += c;
  }
  check(field === "" && record.length === 0 && !quoted, "CSV ends within a record");
  return asTable(records);
}

/** The tables of a Markdown text, each with columns and rows. */
export function readMarkdown(text) {
  const tables = [];
  let lines = [];
  for (const line of [...text.split("\n"), ""]) {
    if (line.startsWith("|")) lines.push(line);
    else if (lines.length) {
      const [head, rule, ...body] = lines.map((row) => row.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll(/\\(.)/g, "$1")));
      check(rule.every((cell) => /^-+:?$/.test(cell)), `no rule below the head: ${rule}`);
      tables.push(asTable([head, ...body]));
      lines = [];
    }
  }
  return tables;
}

function asTable([columns, ...records]) {
  check(records.every((record) => record.length === columns.length), "a row is longer or shorter than the head");
  check(new Set(columns).size === columns.length, `two columns are called the same: ${columns}`);
  return { columns, rows: records.map((record) => Object.fromEntries(columns.map((column, index) => [column, record[index]]))) };
}

/** A column of numbers; NaN where a field is empty. */
export const numbers = (table, column) => table.rows.map((row) => (row[column] === "" ? NaN : Number(row[column])));

/** Whether two lists of numbers are the same in single precision. */
export const same = (a, b) => a.length === b.length && a.every((value, index) => Object.is(Math.fround(value), Math.fround(b[index])));
