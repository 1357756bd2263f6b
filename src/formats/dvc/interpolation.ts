import { AppError } from '../../base/errors.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { isList, isMap, pythonFloat, shownValue, type DvcMap, type DvcValue } from './value.ts';

/** `${a.b[0]}`, unless escaped as `\${`. */
const TEMPLATE = /(?<!\\)\$\{(.*?)\}/g;

/**
 * Fills the `${}` of a value, at any depth, as DVC does: a string that is one template as a whole
 * takes the value with its type, otherwise its text is put in. Rejects with `INVALID_PIPELINE`.
 */
export function interpolate(value: unknown, context: DvcMap, where: string): unknown {
  if (typeof value === 'string') return interpolateText(value, context, where);
  if (Array.isArray(value)) return value.map((item) => interpolate(item, context, where));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      asText(interpolateText(key, context, where)),
      interpolate(inner, context, where),
    ]),
  );
}

function interpolateText(text: string, context: DvcMap, where: string): DvcValue {
  const matches = [...text.matchAll(TEMPLATE)];
  const [only] = matches;
  if (only !== undefined && matches.length === 1 && only[0] === text) {
    return select(only[1] ?? '', context, where);
  }
  const filled = text.replaceAll(TEMPLATE, (_, inner: string) => {
    const value = select(inner, context, where);
    const isArguments = isMap(value) && where.endsWith('.cmd');
    if (isArguments) return asArguments(value, where);
    if (isMap(value) || isList(value)) {
      throw fault(where, `\${${inner}} is a ${isMap(value) ? 'map' : 'list'}, not one value`);
    }
    return asText(value);
  });
  return filled.replaceAll('\\${', '${');
}

/** The value a path such as `train.layers[0].size` leads to. */
function select(path: string, context: DvcMap, where: string): DvcValue {
  const parts = path.replaceAll('[', '.').replaceAll(']', '').split('.');
  let value: DvcValue | undefined = context;
  for (const part of parts) {
    const parent: DvcValue | undefined = value;
    if (isMap(parent) && Object.hasOwn(parent, part)) value = parent[part];
    else if (isList(parent) && /^\d+$/.test(part)) value = parent[Number(part)];
    else value = undefined;
    if (value !== undefined) continue;
    const near = isMap(parent) ? nearestName(part, Object.keys(parent)) : null;
    throw fault(
      where,
      `\${${path}}: there is no ${part}${near === null ? '' : `; did you mean ${near}?`}`,
    );
  }
  return value;
}

/** Python's `str`, but truth values in lower case. */
export function asText(value: DvcValue): string {
  if (typeof value === 'number') return pythonFloat(value);
  if (typeof value === 'object' && value !== null) return shownValue(value);
  return value === null ? 'None' : String(value);
}

/** A map in a command becomes its arguments: `--lr 0.1 --layers 1 2 --verbose`. */
function asArguments(map: DvcMap, where: string): string {
  const parts: string[] = [];
  for (const [key, value] of flatten(map)) {
    if (typeof value === 'boolean') {
      if (value) parts.push(`--${key}`);
    } else if (isList(value)) {
      if (value.some((item) => isList(item) || isMap(item))) {
        throw fault(where, `${key} is a list of lists, which no command line can carry`);
      }
      if (value.length > 0) parts.push(`--${key} ${value.map(asArgument).join(' ')}`);
    } else {
      parts.push(`--${key} ${asArgument(value)}`);
    }
  }
  return parts.join(' ');
}

function flatten(map: DvcMap): readonly (readonly [string, DvcValue])[] {
  return Object.entries(map).flatMap(([key, value]): (readonly [string, DvcValue])[] => {
    if (!isMap(value)) return [[key, value]];
    return flatten(value).map(([rest, leaf]) => [`${key}.${rest}`, leaf]);
  });
}

/** Python's `shlex.quote` for texts. */
function asArgument(value: DvcValue): string {
  if (typeof value !== 'string') return asText(value);
  if (/^[\w@%+=:,./-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", `'"'"'`)}'`;
}

function fault(where: string, message: string): AppError {
  return new AppError('INVALID_PIPELINE', `dvc.yaml: ${where}: ${message}`, {
    hint: 'Names come from params.yaml, from vars, and item and key inside foreach.',
  });
}
