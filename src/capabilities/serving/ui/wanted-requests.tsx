import { Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { instantText } from '../../../web/kit/instant-text.ts';
import type { RequestsWanted } from './recent-requests.tsx';

/** What narrows the list of requests; each part can be taken away. */
export function WantedRequests({ wanted }: { readonly wanted: RequestsWanted }): ReactNode {
  const navigate = useNavigate({ from: '/trace' });
  const { from, until, version, failed } = wanted;
  const parts: readonly (readonly [keyof RequestsWanted, string | null])[] = [
    ['from', from === undefined ? null : `from ${instantText(from)}`],
    ['until', until === undefined ? null : `until ${instantText(until)}`],
    ['version', version === undefined ? null : `v${version}`],
    ['failed', failed === undefined ? null : failed ? 'failed' : 'not failed'],
  ];
  return parts.map(([part, text]) =>
    text === null ? null : (
      <Button
        key={part}
        size="compact-xs"
        variant="light"
        rightSection={<IconX size={12} aria-hidden />}
        aria-label={`Show requests not only ${text}`}
        onClick={() =>
          void navigate({
            search: (search) => ({ ...search, [part]: undefined }),
            resetScroll: false,
          })
        }
      >
        {text}
      </Button>
    ),
  );
}
