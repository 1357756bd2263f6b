import { createHash, timingSafeEqual } from 'node:crypto';
import { randomToken } from '../../platform/system.ts';
import { TOKEN_PATTERN } from './contract.ts';

/**
 * A token is `mwt_<id>_<secret>`: a prefix that scanners of leaked secrets can look for, a number
 * by which it is found, and 256 random bits, of which only the SHA-256 is kept. A fast hash is
 * right for them: there is nothing to guess that a slow one would protect.
 */

const ID_BYTES = 6;
const SECRET_BYTES = 32;

export interface MintedToken {
  readonly text: string;
  readonly id: string;
  readonly hash: string;
}

export function mintToken(): MintedToken {
  const id = randomToken(ID_BYTES);
  const secret = randomToken(SECRET_BYTES);
  return { text: `mwt_${id}_${secret}`, id, hash: sha256(secret) };
}

/** Null for what is no token. */
export function parseToken(text: string): { readonly id: string; readonly secret: string } | null {
  if (!TOKEN_PATTERN.test(text)) return null;
  const [, id, secret] = text.split('_') as [string, string, string];
  return { id, secret };
}

/** In a time that does not depend on where they differ. */
export function isSecret(secret: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(secret), 'hex'), Buffer.from(hash, 'hex'));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
