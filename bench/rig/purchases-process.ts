import { openLake } from './lake.ts';
import { PURCHASE_TABLES, purchaseSql, type PurchaseTable } from './purchases.ts';

/** Writes the tables of purchases. Arguments: FOLDER EVENTS ROWS. */
const [folder, events, rows] = process.argv.slice(2) as [string, string, string];

const lake = await openLake(folder, 2);
const sql = purchaseSql({ events: Number(events), rows: Number(rows) });
for (const name of Object.keys(PURCHASE_TABLES) as PurchaseTable[]) {
  const ref = { namespace: 'default', name };
  await lake.tables.create(ref, PURCHASE_TABLES[name]);
  await lake.tables.append({ ...ref, select: sql[name] });
}
await lake.analytics.close();
