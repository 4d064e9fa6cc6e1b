/** What the load and peer benches do to a server. */
import type { System } from './driver/messages.js';

/** One way of asking: how many requests are in flight per connection, and how many form a frame. */
export interface Scenario {
  readonly name: string;
  readonly depth: number;
  readonly perFrame: number;
}

/** One request in flight per connection: what a program that awaits every call does. */
export const DEPTH_1: Scenario = { name: 'depth 1', depth: 1, perFrame: 1 };
/** Sixteen requests in flight, each in a frame of its own. */
export const DEPTH_16: Scenario = { name: 'depth 16', depth: 16, perFrame: 1 };
/** Sixty-four requests in flight, each in a frame of its own. */
export const DEPTH_64: Scenario = { name: 'depth 64', depth: 64, perFrame: 1 };
/**
 * Sixty-four requests in one frame: what the client's auto-pipelining makes of concurrent calls.
 */
export const FRAMES_OF_64: Scenario = { name: 'frames of 64', depth: 64, perFrame: 64 };

/** The scenarios that a system's protocol can express; only Orlop's has frames. */
export function scenariosOf(system: System): readonly Scenario[] {
  const single = [DEPTH_1, DEPTH_16, DEPTH_64];
  return system === 'orlop' ? [...single, FRAMES_OF_64] : single;
}
