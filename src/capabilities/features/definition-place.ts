import {
  ExpressionError,
  type Expression,
  type Scope,
} from '../../formats/expression/expression.ts';
import { parseExpression } from '../../formats/expression/parse-expression.ts';
import { printDuckDb } from '../../formats/expression/print-duckdb.ts';
import { invalid } from './definitions.ts';
import { suggestion } from './resolve-source.ts';

/** Parses an expression of the file; what is wrong with it is `INVALID_CONFIG` at its place. */
export function parseAt(text: string, scope: Scope, path: readonly PropertyKey[]): Expression {
  return atPlace(path, () => parseExpression(text, scope));
}

export function printAt(expression: Expression, path: readonly PropertyKey[]): string {
  return atPlace(path, () => printDuckDb(expression));
}

function atPlace<T>(path: readonly PropertyKey[], action: () => T): T {
  try {
    return action();
  } catch (thrown) {
    if (!(thrown instanceof ExpressionError)) throw thrown;
    throw invalid(path, `${sentence(thrown.message)}.`, thrown.hint);
  }
}

/** Something declared by name, or `INVALID_CONFIG` with the nearest name. */
export function reference<T>(
  all: ReadonlyMap<string, T>,
  name: string,
  path: readonly PropertyKey[],
  kind: string,
): T {
  const found = all.get(name);
  if (found !== undefined) return found;
  const hint = suggestion(name, [...all.keys()], 'Declare it first.');
  throw invalid(path, `There is no ${kind} ${name}.`, hint);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
