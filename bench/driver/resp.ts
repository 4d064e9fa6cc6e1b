import { KEY_BYTES, VALUE_BYTES } from '../workload.js';
import { textDialect } from './text.js';

/** The dialect of Redis and its relatives: RESP 2. */
export const resp = textDialect({
  get: [`*2\r\n$3\r\nGET\r\n$${KEY_BYTES}\r\n`, '\r\n'],
  set: [`*3\r\n$3\r\nSET\r\n$${KEY_BYTES}\r\n`, `\r\n$${VALUE_BYTES}\r\n`],
  hit: `$${VALUE_BYTES}\r\n`,
  stored: '+OK\r\n',
});
