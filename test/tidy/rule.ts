import type { SourceFile, Tree } from './tree.ts';

/** A broken rule: where, and what to write instead. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly says: string;
}

/** Files that break a rule at exactly one place. */
export interface Plant {
  readonly files: Readonly<Record<string, string>>;
  /** `path:line` of the finding. */
  readonly at: string;
}

/**
 * A house rule. Its plants prove that it sees, its `allows` that it is not blind with zeal: a
 * checker that nobody checks goes silent unnoticed.
 */
export interface Rule {
  readonly name: string;
  check(tree: Tree): readonly Finding[];
  readonly plants: readonly Plant[];
  readonly allows?: readonly Readonly<Record<string, string>>[];
}

export function finding(file: SourceFile, line: number, says: string): Finding {
  return { path: file.path, line, says };
}

export function format(rule: Rule, found: Finding): string {
  return `${found.path}:${found.line}  ${rule.name}: ${found.says}`;
}
