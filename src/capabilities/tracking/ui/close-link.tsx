import type { ReactNode } from 'react';
import { PageLink } from '../../../web/kit/link.tsx';

/** Takes the shown file out of the address. */
export function CloseLink(): ReactNode {
  return (
    <PageLink
      to="/runs/$runId"
      from="/runs/$runId"
      search={(was) => ({ ...was, file: undefined })}
      resetScroll={false}
      size="sm"
    >
      Close
    </PageLink>
  );
}
