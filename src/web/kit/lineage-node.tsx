import type { ReactNode } from 'react';
import type { Node } from '../../capabilities/lineage/contract.ts';
import { formatShort } from './format.ts';
import { versioned } from './lineage-layers.ts';
import { PageLink } from './link.tsx';
import { TableLink } from './table-link.tsx';

const ID_SHOWN = 40;

/** A thing of the lineage, as a link to its page, or to its own lineage where it has none. */
export function NodeLink({ node }: { readonly node: Node }): ReactNode {
  const { kind, id } = node;
  const numbered = versioned(id);
  const text = numbered === null ? formatShort(id, ID_SHOWN) : id.replace(/@v?(\d+)$/, ' v$1');
  switch (kind) {
    case 'run':
      return (
        <PageLink to="/runs/$runId" params={{ runId: id }} title={id}>
          {formatShort(id, 20)}
        </PageLink>
      );
    case 'endpoint':
      return (
        <PageLink to="/trace" search={{ endpoint: id }}>
          {text}
        </PageLink>
      );
    case 'request':
      return (
        <PageLink to="/trace/$requestId" params={{ requestId: id }}>
          {text}
        </PageLink>
      );
    case 'service':
      return (
        <PageLink to="/features/services/$service" params={{ service: id }}>
          {text}
        </PageLink>
      );
    case 'view':
      return (
        <PageLink to="/features/views/$view" params={{ view: id }}>
          {text}
        </PageLink>
      );
    case 'definition':
      return (
        <PageLink to="/lineage" search={{ of: `definition/${id}` }} ff="monospace" title={id}>
          {formatShort(id)}
        </PageLink>
      );
    default:
      return <NumberedLink node={node} text={text} of={numbered} />;
  }
}

interface NumberedLinkProps {
  readonly node: Node;
  readonly text: string;
  readonly of: { readonly name: string; readonly version: string } | null;
}

function NumberedLink({ node, text, of }: NumberedLinkProps): ReactNode {
  const { kind, id } = node;
  const { name = '', version = '' } = of ?? {};
  if (kind === 'model' && of !== null) {
    return (
      <PageLink to="/models/$model/versions/$version" params={{ model: name, version }}>
        {text}
      </PageLink>
    );
  }
  if (kind === 'table') {
    return of === null ? (
      <TableLink table={id} />
    ) : (
      <TableLink table={name} version={Number(version)} />
    );
  }
  if (kind === 'training_set' && of !== null) {
    return (
      <PageLink to="/features/training-sets/$name/versions/$version" params={{ name, version }}>
        {text}
      </PageLink>
    );
  }
  return (
    <PageLink to="/lineage" search={{ of: `${kind}/${id}` }}>
      {kind === 'revision' && of !== null ? `${name} revision ${version}` : text}
    </PageLink>
  );
}
