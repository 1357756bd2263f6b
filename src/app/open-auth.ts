import { openPassKey, Passes } from '../capabilities/auth/passes.ts';
import { AuthService } from '../capabilities/auth/service.ts';
import { AuthStore } from '../capabilities/auth/store.ts';
import type { StepPass } from '../capabilities/pipelines/launcher.ts';
import type { Platform } from './open-platform.ts';

export interface OpenAuth {
  readonly auth: AuthService;
  readonly stepPass: StepPass;
}

/** Tokens, and the passes that steps of pipelines call back with. */
export async function openAuth(
  platform: Platform,
  closing: AsyncDisposableStack,
): Promise<OpenAuth> {
  const { db, events, clock, log, folder } = platform;
  const passes = new Passes(await openPassKey(folder.passKey), clock);
  const auth = await AuthService.open({ store: new AuthStore(db), events, clock, log, passes });
  closing.defer(() => auth.close());
  const stepPass: StepPass = (attempt, lifetimeMs) =>
    passes.sign({ kind: 'step', subject: attempt }, lifetimeMs);
  return { auth, stepPass };
}
