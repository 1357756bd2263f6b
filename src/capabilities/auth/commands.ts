import { InvalidArgumentError, type Command } from 'commander';
import { SCOPES, type Scope } from '../../base/access.ts';
import type { CliContext } from '../../platform/cli/context.ts';
import { createToken, listTokens, revokeToken, type NewToken } from './contract.ts';

export function authCommands(program: Command, cli: CliContext): void {
  const auth = program.command('auth').description('tokens: who may call this server');
  addCreate(auth, cli);
  auth
    .command('list')
    .description('list them, newest first, without their secrets')
    .action(async () => {
      const page = await cli.withApi((api) => api.call(listTokens, { query: {} }));
      cli.out.result(page.items, () => {
        if (page.items.length === 0) {
          cli.out.line('None: the server is open, and listens on this machine only.');
          return;
        }
        cli.out.table(
          ['token', 'scopes', 'state', 'created', 'by', 'last used', 'expires'],
          page.items.map((token) => [
            token.name,
            token.scopes.join(' '),
            token.state,
            token.createdAt,
            token.createdBy,
            token.lastUsedAt,
            token.expiresAt,
          ]),
        );
      });
    });
  auth
    .command('revoke')
    .description('revoke one, at once and for good')
    .argument('<name>')
    .action(async (token: string) => {
      const revoked = await cli.withApi((api) => api.call(revokeToken, { params: { token } }));
      cli.out.result(revoked, () => cli.out.line(`${token} is revoked`));
    });
}

interface CreateOptions {
  readonly scope: readonly Scope[];
  readonly expires?: number;
}

function addCreate(auth: Command, cli: CliContext): void {
  auth
    .command('create')
    .description('create a token; the first one is an admin, and from then on all need one')
    .argument('<name>', 'the actor of what is done with it, such as ci or ada')
    .requiredOption('--scope <scope>', `${SCOPES.join(', ')}; several with commas`, parseScopes)
    .option('--expires <age>', 'when it ends, such as 90d or 12h (default: never)', parseAge)
    .action(async (name: string, { scope, expires }: CreateOptions) => {
      const ends = expires === undefined ? {} : { expiresInSeconds: expires };
      const body = { name, scopes: [...scope], ...ends };
      const created = await cli.withApi((api) => api.call(createToken, { body }));
      cli.out.result(created, () => print(created, cli));
    });
}

function print({ name, scopes, expiresAt, token }: NewToken, cli: CliContext): void {
  const end = expiresAt === null ? 'does not expire' : `expires ${expiresAt}`;
  cli.out.line(`${name} (${scopes.join(', ')}; ${end})`);
  cli.out.line('');
  cli.out.line(token);
  cli.out.line('');
  cli.out.line('It is not shown again. Commands take it from MILLWRIGHT_TOKEN, MLflow from');
  cli.out.line('MLFLOW_TRACKING_TOKEN, others send it as Authorization: Bearer.');
}

/** A collector: the option may also be given several times. */
function parseScopes(text: string, former: readonly Scope[] | undefined): readonly Scope[] {
  const scopes = text.split(',').map((word) => SCOPES.find((scope) => scope === word.trim()));
  if (scopes.some((scope) => scope === undefined)) {
    throw new InvalidArgumentError(`Expected ${SCOPES.join(', ')}.`);
  }
  return [...(former ?? []), ...(scopes as Scope[])];
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 24 * 3600 };

function parseAge(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * (SECONDS[unit ?? ''] ?? 0);
  throw new InvalidArgumentError('Expected a number and s, m, h or d, such as 90d.');
}
