/** Prints what docs/membership.md says of membership: how fast deaths and joins are known. */
import { detections, peace, quantile, roundsToLearnOfAJoin } from './experiments.js';

const KILLS = 100;
const HOUR_MS = 3_600_000;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

console.log('| nodes | killed, held dead by a first node: p50, p99 | by all: p50, p99 |');
console.log('|---:|---|---|');
for (const nodes of [3, 7, 100]) {
  const all = detections(1, nodes, KILLS);
  const cells = [all.map(({ firstMs }) => firstMs), all.map(({ allMs }) => allMs)].map((times) => {
    return `${seconds(quantile(times, 0.5))}, ${seconds(quantile(times, 0.99))}`;
  });
  console.log(`| ${nodes} | ${cells.join(' | ')} |`);
}
const rounds = Array.from({ length: 10 }, (_, seed) => roundsToLearnOfAJoin(seed + 1, 100));
console.log(
  `\n100 nodes learned of a join within ${Math.max(...rounds).toFixed(1)} rounds (10 seeds).`,
);
const { suspected, died, probes } = peace(1, 7, 0.05, 20 * HOUR_MS);
console.log(
  `20 simulated hours of 7 nodes at 5 % loss: ${probes} probes, ` +
    `${suspected} suspicions, ${died} deaths.`,
);
