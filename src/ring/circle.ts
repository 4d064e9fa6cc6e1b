/**
 * The circle of consistent hashing: 2^32 places, and for each unit of a member's weight 160 points
 * on it. Point `n` of a member is the MurmurHash3 of its id under the seed `n`, so a member's
 * points depend on nothing but its id and weight. Where two points coincide, the lower id comes
 * first.
 */
import type { Member } from './configuration.js';
import { murmur3 } from './murmur.js';

/** Points for each unit of weight. */
export const POINTS_PER_WEIGHT = 160;
/** Places on the circle. */
export const PLACES = 2 ** 32;

/** A place and a member in one exact double: 32 bits and 8 bits. */
const MEMBER_RADIX = 256;

/** All points in their order. */
export interface Circle {
  readonly places: Uint32Array;
  /** The member at each point: its index. */
  readonly members: Uint16Array;
}

function bytesOf(id: string): Uint8Array {
  return Uint8Array.from(id, (char) => char.charCodeAt(0));
}

/** The circle of members in the order of their ids. */
export function circleOf(members: readonly Pick<Member, 'id' | 'weight'>[]): Circle {
  const count = members.reduce((sum, { weight }) => sum + weight * POINTS_PER_WEIGHT, 0);
  const points = new Float64Array(count);
  let at = 0;
  for (const [index, { id, weight }] of members.entries()) {
    const bytes = bytesOf(id);
    for (let n = 0; n < weight * POINTS_PER_WEIGHT; n++) {
      points[at++] = murmur3(bytes, n) * MEMBER_RADIX + index;
    }
  }
  points.sort();
  const places = new Uint32Array(count);
  const owners = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const point = points[i] as number;
    owners[i] = point % MEMBER_RADIX;
    places[i] = Math.floor(point / MEMBER_RADIX);
  }
  return { places, members: owners };
}

/** The first point at or behind `place`, going round. */
export function pointAt(circle: Circle, place: number): number {
  let low = 0;
  let high = circle.places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((circle.places[middle] as number) < place) low = middle + 1;
    else high = middle;
  }
  return low === circle.places.length ? 0 : low;
}
