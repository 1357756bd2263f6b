import type { ReactNode } from 'react';
import { PageLink } from '../../../web/kit/link.tsx';

interface VersionLinkProps {
  readonly model: string;
  readonly version: number;
  /** Where the model is not clear from what stands around. */
  readonly isFull?: boolean;
}

export function VersionLink({ model, version, isFull = false }: VersionLinkProps): ReactNode {
  return (
    <PageLink to="/models/$model/versions/$version" params={{ model, version: String(version) }}>
      {isFull ? `${model} v${version}` : `v${version}`}
    </PageLink>
  );
}
