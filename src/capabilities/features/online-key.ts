import { AppError } from '../../base/errors.ts';
import type { CompiledKey } from './compiled.ts';
import { keyPart, keyText } from './tiles-keys.ts';

/** What a request brings, by input name. */
export type FeatureInputs = Readonly<Record<string, string | number | boolean | null>>;

/** Null for a key that no event can have. */
export function keyOf(keys: readonly CompiledKey[], inputs: FeatureInputs): string | null {
  const parts: string[] = [];
  for (const { name, type } of keys) {
    const value = inputs[name];
    if (value === null) return null;
    if (type === 'string' && typeof value === 'string') {
      // As text that is no Unicode comes out of a table, or of an expression.
      parts.push(keyPart('string', value.toWellFormed()));
    } else if (type === 'long' && Number.isSafeInteger(value)) {
      parts.push(keyPart('long', value as number));
    } else {
      throw new AppError('INVALID_INPUT', `The key ${name} must be a ${typeName(type)}.`, {
        hint: 'The inputs of a service are listed with it: millwright features show SERVICE',
        details: { input: name },
      });
    }
  }
  return keyText(parts);
}

function typeName(type: 'string' | 'long'): string {
  return type === 'string' ? 'string' : 'whole number';
}
