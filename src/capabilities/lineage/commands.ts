import { InvalidArgumentError, type Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import type { Output } from '../../platform/cli/output.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import { getLineage, type Lineage, type Node } from './contract.ts';

export function lineageCommands(program: Command, cli: CliContext): void {
  program
    .command('lineage')
    .description('what something came from, and what came of it')
    .argument('<thing>', 'late@1, main.landings@3, req_…, run_… or KIND/ID', parseThing)
    .option('--depth <steps>', 'how far to follow (default: 8)', wholeNumber)
    .action(async (of: string, { depth }: { depth?: number }) => {
      const query = { of, ...(depth === undefined ? {} : { depth }) };
      const lineage = await cli.withApi((api) => api.call(getLineage, { query }));
      cli.out.result(lineage, () => printLineage(lineage, cli.out));
    });
}

/** The usual spellings of what people ask for, as `<kind>/<id>`. */
function parseThing(text: string): string {
  if (text.includes('/')) return text;
  if (text.startsWith('req_')) return `request/${text}`;
  if (text.startsWith('run_')) return `run/${text}`;
  if (/^[a-z0-9_]+\.[a-z0-9_]+@\d+$/.test(text)) return `table/${text}`;
  if (/^[A-Za-z0-9._-]+@\d+$/.test(text)) return `model/${text}`;
  throw new InvalidArgumentError(
    'Expected MODEL@VERSION, NAMESPACE.TABLE@VERSION, a request or run id, or KIND/ID.',
  );
}

function printLineage({ of, edges, isComplete }: Lineage, out: Output): void {
  out.line(name(of));
  if (edges.length === 0) out.line('  nothing is known of it');
  const origins = (node: Node) =>
    edges
      .filter(({ from }) => isSame(from, node))
      .map(({ to, relation }) => ({ node: to, relation }));
  const outcomes = (node: Node) =>
    edges
      .filter(({ to }) => isSame(to, node))
      .map(({ from, relation }) => ({ node: from, relation }));
  const tree = { out, shown: new Set([name(of)]) };
  if (origins(of).length > 0) printBranch(of, { ...tree, arrow: '→', next: origins }, 1);
  if (outcomes(of).length > 0) {
    out.line('came of it:');
    printBranch(of, { ...tree, arrow: '←', next: outcomes }, 1);
  }
  if (!isComplete) out.line('there is more: ask with a greater --depth, or of one of these');
}

interface Branch {
  readonly out: Output;
  readonly arrow: string;
  readonly next: (node: Node) => readonly { readonly node: Node; readonly relation: string }[];
  /** Printed with all that follows it; a second time only its name. */
  readonly shown: Set<string>;
}

function printBranch(node: Node, branch: Branch, depth: number): void {
  for (const { node: other, relation } of branch.next(node)) {
    branch.out.line(`${'  '.repeat(depth)}${branch.arrow} ${relation} ${name(other)}`);
    if (branch.shown.has(name(other))) continue;
    branch.shown.add(name(other));
    printBranch(other, branch, depth + 1);
  }
}

function name({ kind, id }: Node): string {
  return `${kind} ${id}`;
}

function isSame(a: Node, b: Node): boolean {
  return a.kind === b.kind && a.id === b.id;
}
