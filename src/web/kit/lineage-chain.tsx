import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { getLineage, type Lineage } from '../../capabilities/lineage/contract.ts';
import { formatCount } from './format.ts';
import classes from './lineage-chain.module.css';
import { lineageLayers } from './lineage-layers.ts';
import { NodeLink } from './lineage-node.tsx';
import { PageLink } from './link.tsx';
import { Loaded } from './loaded.tsx';
import { useRoute } from './use-route.ts';

/** Shown of one layer; a table may feed many views, and a model be routed many times. */
const NODES_SHOWN = 6;

/** What a thing came from and what came of it: `model/late@2`, from left to right. */
export function LineageChain({ of }: { readonly of: string }): ReactNode {
  const lineage = useRoute(getLineage, { query: { of } }, { subjects: [''] });
  return (
    <Loaded query={lineage} height={90}>
      {(found) => (
        <>
          <LineageLayers lineage={found} />
          {!found.isComplete && (
            <Text size="xs" c="dimmed" mt="xs">
              There is more than can be shown: ask for one of these.
            </Text>
          )}
        </>
      )}
    </Loaded>
  );
}

interface LineageLayersProps {
  readonly lineage: Lineage;
  /** Of each layer; without it few, and the rest on the page of the lineage. */
  readonly shown?: number;
}

/** Its layers as a list. */
export function LineageLayers({ lineage, shown = NODES_SHOWN }: LineageLayersProps): ReactNode {
  const { of } = lineage;
  return (
    <ol className={classes['chain']}>
      {lineageLayers(lineage).map(({ title, nodes }) => (
        <li key={title} className={classes['link']}>
          <Text size="xs" c="dimmed">
            {title}
          </Text>
          <div className={classes['content']}>
            {nodes.slice(0, shown).map((node) => (
              <div
                key={`${node.kind} ${node.id}`}
                data-self={(node.kind === of.kind && node.id === of.id) || undefined}
              >
                <NodeLink node={node} />
              </div>
            ))}
            {nodes.length > shown && (
              <Text inherit c="dimmed">
                {'and '}
                <PageLink to="/lineage" search={{ of: `${of.kind}/${of.id}` }}>
                  {`${formatCount(nodes.length - shown)} more`}
                </PageLink>
              </Text>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}
