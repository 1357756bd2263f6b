/**
 * p-values adjusted for how many were looked at together (Benjamini and Hochberg 1995), in the
 * order given: taking those at or below q as real keeps the expected share of false ones at most q.
 * Null stays null and does not count; NaN counts as 1.
 */
export function adjustedP(pValues: readonly (number | null)[]): readonly (number | null)[] {
  const adjusted = pValues.slice();
  const order = pValues.flatMap((p, at) =>
    p === null ? [] : [{ p: Number.isNaN(p) ? 1 : Math.min(1, Math.max(0, p)), at }],
  );
  order.sort((a, b) => b.p - a.p);
  let least = 1;
  order.forEach(({ p, at }, index) => {
    const rank = order.length - index;
    least = Math.min(least, (p * order.length) / rank);
    adjusted[at] = least;
  });
  return adjusted;
}
