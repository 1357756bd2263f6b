/** Type oids, `select oid, typname from pg_type`. */
const BOOL = 16;
const BYTEA = 17;
const INT8 = 20;
const INT2 = 21;
const INT4 = 23;
const FLOAT4 = 700;
const FLOAT8 = 701;
const NUMERIC = 1700;

type Parser = (text: string) => unknown;

/** Values read as SQLite gives them (see `Db.read`); every other type arrives as text, JSON too. */
const PARSERS: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [BOOL, (text) => (text === 't' ? 1 : 0)],
  [BYTEA, (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'))],
  [INT8, exactNumber],
  [INT2, Number],
  [INT4, Number],
  [FLOAT4, Number],
  [FLOAT8, Number],
  // What sum() and avg() of integers return.
  [NUMERIC, (text) => (text.includes('.') ? Number(text) : exactNumber(text))],
]);

export const postgresTypes = {
  getTypeParser: (oid: number): Parser => PARSERS.get(oid) ?? String,
};

function exactNumber(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}
