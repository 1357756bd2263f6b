import { AppError } from '../../base/errors.ts';

export const TABLE_HELP = 'namespace.name, or a name alone in the namespace default';

/** Where a table lies that is named without a namespace. */
const DEFAULT_NAMESPACE = 'default';

export function parseTable(text: string): { namespace: string; name: string } {
  const [first, second, ...rest] = text.split('.');
  if (first !== undefined && first !== '' && rest.length === 0) {
    if (second === undefined) return { namespace: DEFAULT_NAMESPACE, name: first };
    return { namespace: first, name: second };
  }
  throw new AppError('INVALID_INPUT', `${text} is no table.`, {
    hint: 'Write the namespace and the name, such as lab.rows, or a name alone.',
  });
}
