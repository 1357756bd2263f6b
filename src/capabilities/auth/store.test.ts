import { expect, it } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { micros } from '../../base/time.ts';
import { createEvents } from '../../platform/events/events.ts';
import { silentLog } from '../../platform/log/log.ts';
import { systemClock } from '../../platform/system.ts';
import { AuthStore, type StoredToken } from './store.ts';

function token(id: string, more: Partial<StoredToken> = {}): StoredToken {
  return {
    id,
    name: `name-${id}`,
    hash: 'ab'.repeat(32),
    scopes: ['read', 'infer'],
    createdAt: micros(10),
    createdBy: 'cli:ada',
    lastUsedAt: null,
    expiresAt: micros(4_000_000_000_000_000),
    revokedAt: null,
    ...more,
  };
}

eachDatabase((_, open) => {
  it('keeps tokens with what becomes of them, and a name once', async () => {
    const db = await open();
    const store = new AuthStore(db);
    const events = createEvents({ db, clock: systemClock, log: silentLog });
    const event = (kind: string) =>
      events.step({ actor: 'ada', kind, subject: 'token/x', data: {} });
    const [first, second] = [token('b'), token('a', { createdAt: micros(11), expiresAt: null })];
    await store.insert(first, event('token.created'));
    await store.insert(second, event('token.created'));
    expect(await store.all()).toEqual([first, second]);

    const again = store.insert(token('c', { name: 'name-a' }), event('token.created'));
    await expect(again).rejects.toMatchObject({ code: 'TOKEN_EXISTS' });
    await store.touch(new Map([['a', micros(20)]]));
    await store.revoke('b', micros(30), event('token.revoked'));
    expect(await store.all()).toEqual([
      { ...first, revokedAt: micros(30) },
      { ...second, lastUsedAt: micros(20) },
    ]);
    const kinds = (await events.list({ limit: 10 })).map(({ kind }) => kind);
    expect(kinds).toEqual(['token.revoked', 'token.created', 'token.created']);
    await events.close();
  });
});
