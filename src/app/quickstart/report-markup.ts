import { printable } from '../../platform/cli/printable.ts';

/** Markup that is written already, and so goes into a page as it is. Made by `markup` alone. */
export class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

type Part = Markup | string | number | readonly Part[];

/**
 * HTML or SVG from a template. Everything put in is escaped, for text and for quoted attributes
 * alike, unless it is markup itself: a page cannot forget to.
 */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const text = strings.map((literal, index) => {
    const part = parts[index];
    return part === undefined ? literal : literal + written(part);
  });
  return new Markup(text.join(''));
}

export const NO_MARKUP = markup``;

function written(part: Part): string {
  if (part instanceof Markup) return part.toString();
  if (typeof part === 'object') return part.map(written).join('');
  return escaped(printable(String(part)));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
