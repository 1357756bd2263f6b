import { useSyncExternalStore } from 'react';
import { AppError } from '../../base/errors.ts';
import { SESSION_PATH, TOKEN_PATTERN } from '../../capabilities/auth/contract.ts';

/**
 * Whether the server lets this page in. The session itself is a cookie that no script can read; a
 * mark tells pages that there is one to end.
 */
export type Session = 'open' | 'signed-in' | 'refused';

const MARK = 'millwright-signed-in';

let session: Session = localStorage.getItem(MARK) === null ? 'open' : 'signed-in';
/** Rises with each sign-in. */
let number = 0;
const listeners = new Set<() => void>();

function become(next: Session): void {
  session = next;
  if (next === 'signed-in') localStorage.setItem(MARK, '1');
  else localStorage.removeItem(MARK);
  for (const listener of listeners) listener();
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    () => session,
  );
}

/** To be told to `refused` by a call that begins now. */
export function sessionNumber(): number {
  return number;
}

/** The server does not know who asked, unless that was before the sign-in. */
export function refused(during: number): void {
  if (during === number && session !== 'refused') become('refused');
}

/** Trades a token for a session. Throws the server's words when it does not know the token. */
export async function signIn(token: string): Promise<void> {
  if (!TOKEN_PATTERN.test(token)) {
    throw new AppError('UNAUTHENTICATED', 'That is not a token: they begin with mwt_.', {
      hint: 'An admin makes one with: millwright auth create NAME --scope read',
    });
  }
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(SESSION_PATH, { method: 'POST', headers });
  if (!response.ok) {
    const { error } = (await response.json()) as { error: Parameters<typeof AppError.fromBody>[0] };
    throw AppError.fromBody(error);
  }
  number += 1;
  become('signed-in');
}

export async function signOut(): Promise<void> {
  await fetch(SESSION_PATH, { method: 'DELETE' });
  become('refused');
}
