import type { Command } from 'commander';
import type { AnyRoute, RouteInput, RouteReply } from '../../base/route.ts';
import type { Declaration } from '../config/port.ts';
import type { Output } from './output.ts';

/** The API a command talks to: the running owner over HTTP, or the app of this process. */
export interface Api {
  call<R extends AnyRoute>(
    route: R,
    input: RouteInput<R>,
    options?: CallOptions,
  ): Promise<RouteReply<R>>;
}

export interface CallOptions {
  /** Bytes of a `bodyType: 'stream'` route. */
  readonly bytes?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly contentType?: string;
}

export interface CliContext {
  /**
   * Runs `action` against the owner of the workspace, becoming it for the duration when none runs;
   * `listens` lets others find it meanwhile, as steps that call back must.
   */
  withApi<T>(
    action: (api: Api) => Promise<T>,
    options?: { readonly listens?: boolean },
  ): Promise<T>;
  readonly out: Output;
  /** What `millwright.yaml` of this folder declares; throws `INVALID_CONFIG`. */
  declaration(): Declaration;
  /** Ends the command with another status than 0: 1 a check failed, 3 changes wait for approval. */
  endWith(status: 1 | 3): void;
}

/** Adds a capability's verbs to the program. */
export type Commands = (program: Command, cli: CliContext) => void;
