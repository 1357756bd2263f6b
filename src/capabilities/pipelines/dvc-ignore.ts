import { readFileSync } from 'node:fs';
import path from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** What DVC never looks at, whatever `.dvcignore` says. */
const ALWAYS = ['.hg/', '.git/', '.git', '.dvc/'];

/** The `.dvcignore` files of a project: gitignore's rules, each for its own folder and below. */
export class DvcIgnore {
  readonly #root: string;
  readonly #rules = new Map<string, Ignore | null>();

  constructor(root: string) {
    this.#root = root;
  }

  /** `file` is relative to the root, with `/` between its parts. */
  ignores(file: string, isFolder: boolean): boolean {
    const parts = file.split('/');
    let isIgnored = false;
    for (let depth = 0; depth < parts.length; depth += 1) {
      const rules = this.#rulesOf(parts.slice(0, depth).join('/'));
      if (rules === null) continue;
      const rest = parts.slice(depth).join('/') + (isFolder ? '/' : '');
      const verdict = rules.test(rest);
      // A deeper file has the last word.
      if (verdict.ignored) isIgnored = true;
      else if (verdict.unignored) isIgnored = false;
    }
    return isIgnored;
  }

  #rulesOf(folder: string): Ignore | null {
    const known = this.#rules.get(folder);
    if (known !== undefined) return known;
    const text = read(path.join(this.#root, folder, '.dvcignore'));
    const lines = [...(folder === '' ? ALWAYS : []), ...(text === null ? [] : [text])];
    const rules = lines.length === 0 ? null : ignore().add(lines.join('\n'));
    this.#rules.set(folder, rules);
    return rules;
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
