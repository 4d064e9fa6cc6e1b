/** A node under load over real sockets. */
import { distribution } from './latencies.js';
import { loadTable, measure, rowOf, type Target } from './loadTest.js';
import { type Row, writeResult } from './report.js';
import type { Settings } from './settings.js';

/** Intervals per halving of the rest in the printed distribution, and in the written one. */
const PRINTED_TICKS = 1;

/** Loads a preloaded node, prints the table and the distributions, and returns the rows. */
export async function benchLoad(target: Target, settings: Settings): Promise<Row[]> {
  const results = await measure([target], settings);
  settings.say(loadTable(results));
  for (const { scenario, latencies } of results) {
    settings.say(`\n${scenario.name}: latencies in µs\n${distribution(latencies, PRINTED_TICKS)}`);
    const name = `load-${scenario.name}`.replaceAll(' ', '-');
    writeResult(`${name}.hgrm`, distribution(latencies));
  }
  return results.map(rowOf);
}
