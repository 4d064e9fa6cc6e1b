/** What programs use most: the client and the cache in process. A node is in `orlop/server`. */
export { InputError } from './base/errors.js';
export { VERSION } from './base/version.js';
export * from './client/index.js';
export * from './embedded/index.js';
