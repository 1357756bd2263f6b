import { AppError } from '../../base/errors.ts';

export type ConstraintKind = 'unique' | 'foreign-key' | 'check' | 'not-null';

/** What a statement violated, spelled alike by both dialects (see `Db.write`). */
export interface Violation {
  readonly kind: ConstraintKind;
  readonly constraint: string;
}

const MEANING: Readonly<Record<ConstraintKind, string>> = {
  unique: 'an equal value exists already',
  'foreign-key': 'a row it refers to is missing, or is still referred to',
  check: 'a value is not allowed',
  'not-null': 'a value is missing',
};

export function constraintError(violation: Violation, cause?: unknown): AppError {
  const { kind, constraint } = violation;
  return new AppError('CONFLICT', `The change conflicts with ${constraint}: ${MEANING[kind]}.`, {
    hint: 'Read the current state, then try again with another value.',
    details: { kind, constraint },
    cause,
  });
}
