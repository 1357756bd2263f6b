/** Small files wait for the disk, not for the processor: so many of them wait together. */
const AT_ONCE = 8;

/** Does it for every item, some at a time; none is under way any more when it rejects. */
export async function atOnce<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  action: (item: Item) => Promise<unknown>,
): Promise<void> {
  const iterator =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let hasFailed = false;
  const work = async (): Promise<void> => {
    while (!hasFailed) {
      const next = await iterator.next();
      if (next.done === true) return;
      try {
        await action(next.value);
      } catch (thrown) {
        hasFailed = true;
        throw thrown;
      }
    }
  };
  const workers = Array.from({ length: AT_ONCE }, work);
  await Promise.allSettled(workers);
  await Promise.all(workers);
}
