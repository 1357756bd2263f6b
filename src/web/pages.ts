import { IconBinaryTree, IconLayoutDashboard, type Icon } from '@tabler/icons-react';

export interface Page {
  /** The word in the left-hand list. */
  readonly word: string;
  readonly to: '/' | '/trace';
  /** `g` and then this key goes there. */
  readonly key: string;
  readonly icon: Icon;
}

/** The left-hand list, in its order. */
export const pages: readonly Page[] = [
  { word: 'Overview', to: '/', key: 'o', icon: IconLayoutDashboard },
  { word: 'Trace', to: '/trace', key: 't', icon: IconBinaryTree },
];
