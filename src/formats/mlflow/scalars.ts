import { z } from 'zod';

/**
 * Values as protobuf's JSON has them: 64-bit integers as numbers or text, floats also as the words
 * NaN and Infinity. Anything that would be stored as another value is refused.
 */

/** Whole number, exact in a JavaScript number: text of digits or a number. */
export const Int64 = z.preprocess(
  (value) => (typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value),
  z.number('expected a whole number').refine(Number.isSafeInteger, 'expected a whole number'),
);

/** The largest float stands for infinity, as in MLflow's own database. */
const FLOAT_MAX = Number.MAX_VALUE;

/** A float; `NaN` stays, infinities become the largest float. */
export const Double = z.preprocess(
  readDouble,
  z.number('Please specify value as a valid double (64-bit floating point)').or(z.nan()),
);

export const Bool = z.preprocess((value) => {
  if (typeof value !== 'string') return value;
  const text = value.toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : value;
}, z.boolean('expected true or false'));

/** Text without NUL, which databases cannot hold. */
export const Text = z
  .string('expected text')
  .refine((text) => !text.includes('\0'), 'the character U+0000 is not allowed');

/** A repeated field: absent is empty; in a query one value is a list of one. */
export function repeated<Item extends z.ZodType>(item: Item) {
  return z.preprocess(
    (value) =>
      value === undefined || value === null ? [] : Array.isArray(value) ? value : [value],
    z.array(item),
  );
}

export const KeyValue = z.object({ key: Text, value: Text.default('') });
export type KeyValue = z.infer<typeof KeyValue>;

export const ViewType = z.enum(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL']);
export type ViewType = z.infer<typeof ViewType>;

export const RunStatus = z.enum(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']);
export type RunStatus = z.infer<typeof RunStatus>;

/** A float as protobuf's JSON writes it. */
export function writeDouble(value: number): number | 'NaN' {
  return Number.isNaN(value) ? 'NaN' : value;
}

function readDouble(value: unknown): unknown {
  if (typeof value === 'string') {
    switch (value) {
      case 'NaN':
        return Number.NaN;
      case 'Infinity':
        return FLOAT_MAX;
      case '-Infinity':
        return -FLOAT_MAX;
      default:
        return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? finite(Number(value)) : value;
    }
  }
  return typeof value === 'number' ? finite(value) : value;
}

function finite(value: number): number {
  return Math.min(Math.max(value, -FLOAT_MAX), FLOAT_MAX);
}
