import type { Command } from 'commander';
import { AppError } from '../../base/errors.ts';
import type { CliContext } from '../../platform/cli/context.ts';
import { applyDeclared, planDeclared, type Plan } from './contract.ts';

const SIGNS = { create: '+', change: '~', remove: '-' } as const;
const CHANGES_WAIT = 3;

/** `plan` and `apply`: what the file says against what runs. */
export function declarationCommands(program: Command, cli: CliContext): void {
  program
    .command('plan')
    .description('what millwright.yaml says against what runs; exit 3 when something would change')
    .action(async () => {
      const plan = await sent(cli, (declared) =>
        cli.withApi((api) => api.call(planDeclared, { body: { declared } })),
      );
      cli.out.result(plan, () => {
        print(cli, plan);
        cli.out.line(plan.changes.length === 0 ? 'nothing to change' : `plan ${plan.id}`);
      });
      if (plan.changes.length > 0) cli.endWith(CHANGES_WAIT);
    });

  program
    .command('apply')
    .description('make the workspace as millwright.yaml says')
    .argument('[plan]', 'only if the plan is still this one')
    .action(async (id: string | undefined) => {
      const applied = await sent(cli, (declared) => {
        const body = id === undefined ? { declared } : { declared, plan: id };
        return cli.withApi((api) => api.call(applyDeclared, { body }));
      });
      cli.out.result(applied, () => {
        print(cli, applied);
        cli.out.line(applied.changes.length === 0 ? 'nothing to change' : `applied ${applied.id}`);
      });
    });
}

function print(cli: CliContext, plan: Plan): void {
  for (const { action, kind, name, summary } of plan.changes) {
    cli.out.line(`  ${SIGNS[action]} ${`${kind} ${name}`.padEnd(30)} ${summary}`.trimEnd());
  }
}

/** Sends what the file declares; an error that names a path comes back with its line and column. */
async function sent<T>(
  cli: CliContext,
  send: (declared: Record<string, unknown>) => Promise<T>,
): Promise<T> {
  const declaration = cli.declaration();
  try {
    return await send({ ...declaration.sections });
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const { code, message, hint, details } = thrown;
    const path = details?.['path'];
    if (code !== 'INVALID_CONFIG' || !Array.isArray(path)) throw thrown;
    const keys = path as readonly (string | number)[];
    throw new AppError(code, `${declaration.at(keys)}: ${keys.join('.')}: ${message}`, {
      ...(hint === undefined ? {} : { hint }),
      ...(details === undefined ? {} : { details }),
    });
  }
}
