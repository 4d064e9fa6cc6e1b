/** Changes that are published as they happen. */
import { START_MS } from '../../model/support/rig.js';
import { checkFeeds } from '../feed.js';
import type { Run } from '../machine.js';
import { clear, get, incr, merge, remove, set, signed, touch, versionAt } from '../requests.js';
import { type Scenario, sends } from '../scenario.js';
import type { Stage } from '../stage.js';

const FEED = { memoryBytes: 310_000, feedBytes: 4096 } as const;

/** Switches publication on, then sets a key. */
const published = (stage: Stage): void => {
  stage.world.first.exports.feedOn(1);
  stage.run(0, set('k', 'old'));
};

/** Whoever follows the feeds ends with what the table holds. */
function followed(stage: Stage, run: Run): void {
  const reader = stage.world.fibers.findIndex((_, lane) => !run.deaths.includes(lane));
  checkFeeds(stage.world, stage.read(reader, START_MS, ['k', 'j', 'n']));
}

export const FEED_SCENARIOS: readonly Scenario[] = [
  {
    name: 'feed of sets',
    arena: FEED,
    setup: published,
    actors: [sends(set('k', 'a'), set('j', 'a')), sends(set('k', 'b'), set('j', 'b'))],
    check: followed,
  },
  {
    name: 'feed of inserts and deletes',
    arena: FEED,
    setup: published,
    actors: [sends(remove('k'), set('k', 'a')), sends(set('k', 'b'), remove('k'))],
    check: followed,
  },
  {
    name: 'feed of counters and a touch',
    arena: FEED,
    setup: published,
    actors: [sends(incr('n'), touch('k', 5000)), sends(incr('n'), incr('n'), set('k', 'b'))],
    check: followed,
  },
  {
    name: 'feed of a clear against inserts',
    arena: FEED,
    setup: published,
    actors: [sends(clear(), get('k')), sends(set('k', 'b'), set('j', 'b'))],
    check: followed,
  },
  {
    name: 'feed of merges',
    arena: FEED,
    setup: published,
    actors: [
      sends(merge('k', 'merged', versionAt(5, 3)), set('k', 'a')),
      sends(set('k', signed('b', 700)), set('k', signed('c', 700))),
    ],
    check: followed,
  },
];
