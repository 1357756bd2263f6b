import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { getLineage, type Lineage, type Node } from '../../capabilities/lineage/contract.ts';
import { formatCount, formatShort } from './format.ts';
import classes from './lineage-chain.module.css';
import { lineageLayers, versioned } from './lineage-layers.ts';
import { PageLink } from './link.tsx';
import { Loaded } from './loaded.tsx';
import { useRoute } from './use-route.ts';

/** Shown of one layer; a table may feed many views, and a model be routed many times. */
const NODES_SHOWN = 6;
/** Steps that reach from a table to a request. */
const DEPTH = 8;
const ID_SHOWN = 40;

/** What a thing came from and what came of it: `model/late@2`, from left to right. */
export function LineageChain({ of }: { readonly of: string }): ReactNode {
  const lineage = useRoute(getLineage, { query: { of, depth: DEPTH } }, { subjects: [''] });
  return (
    <Loaded query={lineage} height={90}>
      {(found) => <Layers lineage={found} />}
    </Loaded>
  );
}

function Layers({ lineage }: { readonly lineage: Lineage }): ReactNode {
  const { of, isComplete } = lineage;
  return (
    <>
      <ol className={classes['chain']}>
        {lineageLayers(lineage).map(({ title, nodes }) => (
          <li key={title} className={classes['link']}>
            <Text size="xs" c="dimmed">
              {title}
            </Text>
            <div className={classes['content']}>
              {nodes.slice(0, NODES_SHOWN).map((node) => (
                <div
                  key={`${node.kind} ${node.id}`}
                  data-self={(node.kind === of.kind && node.id === of.id) || undefined}
                >
                  <NodeLink node={node} />
                </div>
              ))}
              {nodes.length > NODES_SHOWN && (
                <Text inherit c="dimmed">
                  {`and ${formatCount(nodes.length - NODES_SHOWN)} more`}
                </Text>
              )}
            </div>
          </li>
        ))}
      </ol>
      {!isComplete && (
        <Text size="xs" c="dimmed" mt="xs">
          There is more than is shown here: millwright lineage has all of it.
        </Text>
      )}
    </>
  );
}

/** A thing of the lineage, as a link where it has a page. */
function NodeLink({ node }: { readonly node: Node }): ReactNode {
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
      return <code title={id}>{formatShort(id)}</code>;
    default:
      return numbered === null ? text : <NumberedLink kind={kind} text={text} of={numbered} />;
  }
}

interface NumberedLinkProps {
  readonly kind: string;
  readonly text: string;
  readonly of: { readonly name: string; readonly version: string };
}

function NumberedLink({ kind, text, of }: NumberedLinkProps): ReactNode {
  const { name, version } = of;
  if (kind === 'model') {
    return (
      <PageLink to="/models/$model/versions/$version" params={{ model: name, version }}>
        {text}
      </PageLink>
    );
  }
  if (kind === 'training_set') {
    return (
      <PageLink to="/features/training-sets/$name/versions/$version" params={{ name, version }}>
        {text}
      </PageLink>
    );
  }
  return kind === 'revision' ? `${name} revision ${version}` : text;
}
