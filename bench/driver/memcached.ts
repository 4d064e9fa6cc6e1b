import { VALUE_BYTES } from '../workload.js';
import { textDialect } from './text.js';

/**
 * The dialect of memcached 1.6 and newer: its meta commands, the leaner of its two text protocols.
 */
export const memcached = textDialect({
  get: ['mg ', ' v\r\n'],
  set: ['ms ', ` ${VALUE_BYTES}\r\n`],
  hit: `VA ${VALUE_BYTES}\r\n`,
  stored: 'HD\r\n',
});
