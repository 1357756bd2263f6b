import { AppError, type ErrorCode } from '../base/errors.ts';
import { getStatus } from '../capabilities/workspace/contract.ts';
import type { Api } from '../platform/cli/context.ts';
import { HttpApi } from '../platform/cli/http-api.ts';
import { socketTransport } from '../platform/cli/socket-transport.ts';
import type { Config } from '../platform/config/config.ts';
import { createLog } from '../platform/log/log.ts';
import { isOwned, readOwner } from '../platform/state/owner-lock.ts';
import { stateFolder } from '../platform/state/state-folder.ts';
import { sleep, systemClock } from '../platform/system.ts';
import { realMachine } from './machine.ts';
import { createApp, type App } from './create-app.ts';
import { injectTransport } from './inject-transport.ts';

/** Who a command is run by. */
export interface Caller {
  readonly actor: string;
  /** What a running server is called with; one of this process asks for none. */
  readonly token?: string;
}

/** How long a command waits for another command that owns the folder for its duration. */
const OWNED_WAIT_MS = 15_000;
const OWNED_RETRY_MS = 200;
/** An owner answers in milliseconds; a stranger on its former port perhaps never. */
const OWNER_ANSWERS_MS = 5000;
const REFUSALS: readonly ErrorCode[] = ['UNAUTHENTICATED', 'SCOPE_MISSING'];

/**
 * Runs `action` against the owner of the state folder; with none running this process becomes the
 * owner for the duration: the same app, without a listener unless asked for one.
 */
export async function withOwner<T>(
  config: Config,
  caller: Caller,
  action: (api: Api) => Promise<T>,
  options: { readonly listens?: boolean } = {},
): Promise<T> {
  const deadline = systemClock.elapsed() + OWNED_WAIT_MS;
  for (;;) {
    const running = await findOwner(config, caller);
    if (running !== null && !(running instanceof AppError)) return action(running);
    const app = await becomeOwner(config, systemClock.elapsed() < deadline);
    // Whoever asks for another token is the owner, unless nobody owns the folder.
    if (app === null && running !== null) throw running;
    if (app === null) {
      await sleep(OWNED_RETRY_MS);
      continue;
    }
    try {
      if (options.listens === true) await listenSomewhere(app);
      return await action(new HttpApi(injectTransport(app), { actor: caller.actor }));
    } finally {
      await app.stop();
    }
  }
}

/** At the usual port, where steps that outlive this process will look again, or at any other. */
async function listenSomewhere(app: App): Promise<void> {
  try {
    await app.listen();
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'PORT_IN_USE') throw thrown;
    await app.listen(0);
  }
}

/** Null when the folder is owned by somebody who may be about to listen or to finish. */
async function becomeOwner(config: Config, mayRetry: boolean): Promise<App | null> {
  const log = createLog({ level: config.logLevel === 'debug' ? 'debug' : 'error' });
  try {
    return await createApp(config, realMachine(log));
  } catch (thrown) {
    if (mayRetry && thrown instanceof AppError && thrown.code === 'STATE_OWNED') return null;
    throw thrown;
  }
}

/**
 * The running owner, asked for its folder: another program may have got its port since. The error
 * when it lets nobody in with this token.
 */
export async function findOwner(config: Config, caller: Caller): Promise<Api | AppError | null> {
  const owner = readOwner(config.stateFolder);
  if (owner === null || owner.url === null) return null;
  // Whoever took the port of an owner that was killed would be told the token.
  if (caller.token !== undefined && !isOwned(config.stateFolder)) return null;
  const probe = new HttpApi(socketTransport(owner.url, { timeoutMs: OWNER_ANSWERS_MS }), caller);
  try {
    const status = await probe.call(getStatus, {});
    const isOurs = status.stateFolder === stateFolder(config.stateFolder).root;
    if (!isOurs || status.pid !== owner.pid) return null;
    return new HttpApi(socketTransport(owner.url), caller);
  } catch (thrown) {
    if (thrown instanceof AppError && REFUSALS.includes(thrown.code)) return thrown;
    return null;
  }
}
