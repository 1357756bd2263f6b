/** What the team declares in `millwright.yaml`, and where each value of it stands. */
export interface Declaration {
  /** Path of the file, as messages name it. */
  readonly file: string;
  readonly sections: Readonly<Record<string, unknown>>;
  /** `file:line:column` of the value that a path leads to. */
  at(path: readonly PropertyKey[]): string;
}
