import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A fenced block of a page, in its order. */
export type DocsStep =
  /** ````sh`, or ````sh exit=3` for commands whose last status is not 0. */
  | { readonly kind: 'run'; readonly line: number; readonly text: string; readonly exit: number }
  /** ````text` after commands: what they print. */
  | { readonly kind: 'prints'; readonly line: number; readonly text: string }
  /** ````python train.py`: a file that the reader saves. */
  | {
      readonly kind: 'file';
      readonly line: number;
      readonly text: string;
      readonly name: string;
    };

/** What a reader of a page does, in order; blocks without one of these forms are only looked at. */
export function docsSteps(page: string): readonly DocsStep[] {
  const steps: DocsStep[] = [];
  const lines = readFileSync(path.resolve('docs', page), 'utf8').split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const [, language, more] = /^```(\w+) ?(.*)$/.exec(lines[at]!) ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at);
    const text = `${lines.slice(at + 1, end).join('\n')}\n`;
    const step = stepOf(language, more ?? '', { line: at + 1, text });
    if (step !== null) steps.push(step);
    at = end;
  }
  return steps;
}

function stepOf(
  language: string,
  more: string,
  at: { readonly line: number; readonly text: string },
): DocsStep | null {
  if (language === 'sh') {
    return { kind: 'run', ...at, exit: Number(/^exit=(\d)$/.exec(more)?.[1] ?? 0) };
  }
  if (language === 'text') return { kind: 'prints', ...at };
  return /^[\w./-]+\.\w+$/.test(more) ? { kind: 'file', ...at, name: more } : null;
}

/**
 * Whether a program printed what a page shows. `…` stands for anything within a line, and for any
 * lines when it is a line of its own.
 */
export function printedAs(shown: string, printed: string): boolean {
  const pattern = shown
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\n)*?' : `${lineOf(line)}[ \t]*\n`))
    .join('');
  return new RegExp(`^${pattern}$`).test(`${printed.trim()}\n`);
}

function lineOf(line: string): string {
  return line
    .trimEnd()
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*?');
}
