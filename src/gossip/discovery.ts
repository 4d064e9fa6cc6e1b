/**
 * Where other nodes may be found. Sources list addresses as people write them, `HOST:GOSSIP_PORT`;
 * every few seconds they are asked again and names are resolved again, so that a changed file or a
 * changed name is noticed without a restart.
 */
import type { Timer, Timers } from '../base/timers.js';
import { endpointOf } from './member.js';

/** Lists addresses, as they are now. */
export interface SeedSource {
  addresses(): readonly string[];
}

/**
 * Resolves a host name; `found` is called once, with IP addresses, or with none when there is no
 * answer.
 */
export type Resolve = (name: string, found: (hosts: readonly string[]) => void) => void;

/** An address and where its datagrams go. */
export interface Place {
  readonly address: string;
  readonly endpoints: readonly string[];
}

/** How often sources and names are asked again, in milliseconds. */
export const LOOK_EVERY_MS = 5_000;
/** Addresses beyond this many are not looked at. */
const ADDRESSES_MAX = 64;
/** IP addresses of one name beyond this many are not looked at. */
const HOSTS_MAX = 64;

const IP = /^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)$/;
const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]{1,255})):(\d{1,5})$/;

/** The host and the port in an address such as `node-1:7701` or `[::1]:7701`. */
export function splitAddress(address: string): { host: string; port: number } | undefined {
  const match = ADDRESS.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { host: host.toLowerCase() === 'localhost' ? '127.0.0.1' : host, port };
}

/** An address as every node writes it, however it was given. */
export function plainAddress(address: string): string {
  const parts = splitAddress(address);
  return parts === undefined ? address : endpointOf(parts.host, parts.port);
}

/** Whether a host is an IP address and not a name. */
export function isIp(host: string): boolean {
  return IP.test(host);
}

/** Addresses that never change. */
export function fixedSource(addresses: readonly string[]): SeedSource {
  return { addresses: () => addresses };
}

/**
 * Addresses in a text that is read again each time: one on each line or divided by commas, with
 * comments from `#` on. While it can't be read, what was in it last holds.
 */
export function textSource(read: () => string | undefined): SeedSource {
  let last: readonly string[] = [];
  return {
    addresses: () => {
      const text = read();
      if (text !== undefined) last = addressesIn(text);
      return last;
    },
  };
}

function addressesIn(text: string): string[] {
  const bare = text.replace(/#.*/g, '');
  return bare.split(/[\s,]+/).filter((address) => splitAddress(address) !== undefined);
}

/** Watches sources and names. */
export class Discovery {
  readonly #sources: readonly SeedSource[];
  readonly #resolve: Resolve;
  readonly #timers: Timers;
  /** By address; what was found last stays when a name can't be resolved. */
  #places = new Map<string, Place>();
  readonly #added = new Set<string>();
  #timer: Timer | undefined;

  constructor(sources: readonly SeedSource[], resolve: Resolve, timers: Timers) {
    this.#sources = sources;
    this.#resolve = resolve;
    this.#timers = timers;
  }

  /** All addresses; one whose name is not resolved yet has no endpoints. */
  places(): Place[] {
    return [...this.#places.values()];
  }

  /** Where datagrams for an address go, as far as is known. */
  endpointAt(address: string): string | undefined {
    const found = this.#places.get(address)?.endpoints[0];
    const parts = splitAddress(address);
    return found ?? (parts && endpointOf(parts.host, parts.port));
  }

  /** Adds addresses that no source lists, for as long as this process runs. */
  add(addresses: readonly string[]): void {
    for (const address of addresses) this.#added.add(address);
    this.#look();
  }

  /** Looks now, and again and again. */
  start(): void {
    this.#look();
    this.#timer = this.#timers.every(LOOK_EVERY_MS, () => this.#look());
  }

  /** Ends. */
  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const listed = this.#sources.flatMap((source) => source.addresses());
    const all = new Set([...listed, ...this.#added]);
    const before = this.#places;
    this.#places = new Map();
    for (const address of [...all].slice(0, ADDRESSES_MAX)) {
      this.#places.set(address, before.get(address) ?? { address, endpoints: [] });
      this.#locate(address);
    }
  }

  #locate(address: string): void {
    const parts = splitAddress(address);
    if (parts === undefined) return;
    const { host, port } = parts;
    const settle = (hosts: readonly string[]): void => {
      if (hosts.length === 0 || !this.#places.has(address)) return;
      const endpoints = hosts.slice(0, HOSTS_MAX).map((host) => endpointOf(host, port));
      this.#places.set(address, { address, endpoints });
    };
    if (isIp(host)) settle([host]);
    else this.#resolve(host, settle);
  }
}
