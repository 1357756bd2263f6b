import type { ReactNode } from 'react';
import { PageLink } from './link.tsx';

interface TableLinkProps {
  /** `<namespace>.<name>`. */
  readonly table: string;
  /** Without one it leads to the table as it is now. */
  readonly version?: number;
  /** What is shown; default: the table and its version. */
  readonly children?: ReactNode;
}

/** A table, or one version of it, as a link to its rows and history. */
export function TableLink({ table, version, children }: TableLinkProps): ReactNode {
  const text = version === undefined ? table : `${table} v${version}`;
  return (
    <PageLink to="/tables/$table" params={{ table }} search={{ version }}>
      {children ?? text}
    </PageLink>
  );
}
