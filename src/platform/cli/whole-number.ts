import { InvalidArgumentError } from 'commander';

/** Reads the value of an option that counts; commander adds which option it was. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of 0 or more.');
}
