import {
  IconActivityHeartbeat,
  IconArrowIteration,
  IconBinaryTree,
  IconBox,
  IconChartDots,
  IconFlask,
  IconLayoutDashboard,
  IconRepeat,
  IconRoute,
  IconSitemap,
  IconTable,
  type Icon,
} from '@tabler/icons-react';

export interface Page {
  /** The word in the left-hand list. */
  readonly word: string;
  readonly to:
    | '/'
    | '/endpoints'
    | '/monitors'
    | '/loop'
    | '/trace'
    | '/runs'
    | '/pipelines'
    | '/models'
    | '/features'
    | '/tables'
    | '/lineage';
  /** `g` and then this key goes there. */
  readonly key: string;
  readonly icon: Icon;
}

/** The left-hand list, in its order. */
export const pages: readonly Page[] = [
  { word: 'Overview', to: '/', key: 'o', icon: IconLayoutDashboard },
  { word: 'Endpoints', to: '/endpoints', key: 'e', icon: IconRoute },
  { word: 'Monitors', to: '/monitors', key: 'n', icon: IconActivityHeartbeat },
  { word: 'Loop', to: '/loop', key: 'p', icon: IconRepeat },
  { word: 'Trace', to: '/trace', key: 't', icon: IconBinaryTree },
  { word: 'Runs', to: '/runs', key: 'r', icon: IconFlask },
  { word: 'Pipelines', to: '/pipelines', key: 'i', icon: IconArrowIteration },
  { word: 'Models', to: '/models', key: 'm', icon: IconBox },
  { word: 'Features', to: '/features', key: 'f', icon: IconChartDots },
  { word: 'Tables', to: '/tables', key: 'd', icon: IconTable },
  { word: 'Lineage', to: '/lineage', key: 'l', icon: IconSitemap },
];
