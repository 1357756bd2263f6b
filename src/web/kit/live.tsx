import { useDocumentVisibility, useThrottledCallback, useTimeout } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  type ReactNode,
  type RefObject,
} from 'react';
import {
  EVENT_STREAM_PATH,
  listEvents,
  type Event,
} from '../../capabilities/workspace/contract.ts';
import { useRoute } from './use-route.ts';

export type Connection = 'connecting' | 'live' | 'reconnecting';

/** Stale replies are refetched at most this often, however many events arrive. */
const REFRESH_MS = 500;
const RETRY_MS = 1000;
/** Until the first event number is known there is nothing to follow from. */
const START_POLL_MS = 3000;

const LiveContext = createContext<Connection>('connecting');

/** Whether this page is following the server's events. */
export function useConnection(): Connection {
  return useContext(LiveContext);
}

/** Follows the workspace's events and refetches what each one makes stale, by subject. */
export function Live({ children }: { readonly children: ReactNode }): ReactNode {
  const [started, setStarted] = useState(false);
  const newest = useRoute(
    listEvents,
    { query: { limit: 1 } },
    { pollMs: START_POLL_MS, enabled: !started },
  );
  const seq = useRef(0);
  useEffect(() => {
    if (newest.data === undefined) return;
    seq.current = Math.max(seq.current, newest.data.items[0]?.seq ?? 0);
    setStarted(true);
  }, [newest.data]);
  const connection = useEventStream(started, seq);
  const shown = newest.isError && !started ? 'reconnecting' : connection;
  return <LiveContext value={shown}>{children}</LiveContext>;
}

/**
 * One connection from the last event seen, opened again after each failure. A hidden page holds
 * none: a browser opens only six to one origin, and a seventh tab would hang.
 */
function useEventStream(started: boolean, seq: RefObject<number>): Connection {
  const [connection, setConnection] = useState<Connection>('connecting');
  const [attempt, setAttempt] = useState(0);
  const isVisible = useDocumentVisibility() === 'visible';
  const { changed, refreshAll } = useRefresh();
  const retry = useTimeout(() => {
    setAttempt((n) => n + 1);
  }, RETRY_MS);
  const { start: startRetry, clear: clearRetry } = retry;

  useEffect(() => {
    if (!started || !isVisible) return;
    const source = new EventSource(`${EVENT_STREAM_PATH}?after=${seq.current}`);
    source.addEventListener('open', () => {
      setConnection('live');
      // What no event tells of (traffic, counts) may have moved while nothing was followed.
      if (attempt > 0) refreshAll();
    });
    source.addEventListener('message', (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as Event;
      seq.current = Math.max(seq.current, event.seq);
      changed(event.subject);
    });
    source.addEventListener('error', () => {
      source.close();
      setConnection('reconnecting');
      startRetry();
    });
    return () => {
      source.close();
      clearRetry();
    };
  }, [started, isVisible, attempt, seq, changed, refreshAll, startRetry, clearRetry]);
  return connection;
}

interface Refresh {
  /** Something happened to this subject; what depends on it is refetched soon. */
  readonly changed: (subject: string) => void;
  readonly refreshAll: () => void;
}

function useRefresh(): Refresh {
  const client = useQueryClient();
  const pending = useRef(new Set<string>());
  const flush = useThrottledCallback(() => {
    const subjects = [...pending.current];
    pending.current.clear();
    void client.invalidateQueries({
      predicate: ({ meta }) =>
        meta?.subjects.some((prefix) => subjects.some((s) => s.startsWith(prefix))) ?? false,
    });
  }, REFRESH_MS);
  const changed = useCallback(
    (subject: string) => {
      pending.current.add(subject);
      flush();
    },
    [flush],
  );
  const refreshAll = useCallback(() => void client.invalidateQueries(), [client]);
  return { changed, refreshAll };
}
