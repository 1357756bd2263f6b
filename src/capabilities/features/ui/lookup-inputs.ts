import type { Service } from '../contract.ts';

type Input = Service['inputs'][number];
export type InputValue = string | number | boolean | null;

/** What was typed, as the type the service declares; an empty box is a missing value. */
export function inputValue(text: string, type: Input['type']): InputValue {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  switch (type) {
    case 'string':
      return text;
    case 'boolean':
      return trimmed === 'true' ? true : trimmed === 'false' ? false : trimmed;
    case 'long':
    case 'double': {
      const number = Number(trimmed);
      // What is no number is left for the server to refuse by name.
      return Number.isFinite(number) ? number : trimmed;
    }
  }
}

export function inputValues(
  inputs: readonly Input[],
  texts: Readonly<Record<string, string>>,
): Record<string, InputValue> {
  return Object.fromEntries(
    inputs.map(({ name, type }) => [name, inputValue(texts[name] ?? '', type)]),
  );
}

/** The same question to the command line. */
export function lookupCommand(
  service: Service,
  texts: Readonly<Record<string, string>>,
  at: string | undefined,
): string {
  const pairs = (role: Input['role']): string =>
    service.inputs
      .filter((input) => input.role === role && (texts[input.name] ?? '') !== '')
      .map(({ name }) => `${name}=${texts[name]}`)
      .join(',');
  const parts = [
    `millwright features get ${service.name} --key ${quoted(pairs('key'))}`,
    ...(pairs('request') === '' ? [] : [`--set ${quoted(pairs('request'))}`]),
    ...(at === undefined ? [] : [`--at ${at}`]),
  ];
  return parts.join(' ');
}

function quoted(text: string): string {
  return /^[\w=,.:@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
