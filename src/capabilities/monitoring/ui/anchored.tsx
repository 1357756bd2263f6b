import type { ReactNode } from 'react';
import classes from './monitors.module.css';

/** A part of the page that links lead to by `#id`. */
export function Anchored(props: { readonly id: string; readonly children: ReactNode }): ReactNode {
  return (
    <div id={props.id} className={classes['anchored']}>
      {props.children}
    </div>
  );
}
