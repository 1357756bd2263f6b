/** What was found of one thing that Millwright needs, or may use. */
export interface Diagnosis {
  readonly name: string;
  /** `warn`: something will not work that may never be asked for. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do about it; null when all is well. */
  readonly cure: string | null;
}

export function well(name: string, found: string): Diagnosis {
  return { name, state: 'ok', found, cure: null };
}

export function ill(
  name: string,
  state: 'warn' | 'fail',
  of: { readonly found: string; readonly cure: string },
): Diagnosis {
  return { name, state, ...of };
}
