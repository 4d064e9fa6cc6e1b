/** What both editions of the client export, for Node and for browsers. */
export * from '../protocol/errors.js';
export type {
  DelOptions,
  DelResult,
  DelWithMetaOptions,
  Expiry,
  IncrOptions,
  Key,
  Meta,
  Refusal,
  ScanOptions,
  SetOptions,
  SetResult,
  SetWithMetaOptions,
  TouchOptions,
  Ttl,
} from '../protocol/verbs.js';
export { type CallOptions, Client, type CloseOptions } from './client.js';
export type { ClientEvent, EventListener } from './events.js';
export type { ClientOptions, Level } from './options.js';
export type { Session } from './session.js';
