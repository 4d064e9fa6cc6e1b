import { InputError } from '../../src/base/errors.js';

/** Room for a number of items, or for a share of the keys of a stream. */
export type Capacity =
  | { readonly kind: 'items'; readonly items: number }
  | { readonly kind: 'share'; readonly share: number };

const ITEMS_MAX = 2 ** 31 - 1;

/** Reads `1000` or `10%`. Throws `InputError`. */
export function parseCapacity(text: string): Capacity {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (percent === null) return { kind: 'items', items: itemsOf(text) };
  const share = Number(percent[1]) / 100;
  if (share > 0 && share <= 1) return { kind: 'share', share };
  throw new InputError(`a capacity of ${text} is no part of the keys: above 0% and up to 100%`);
}

function itemsOf(text: string): number {
  const items = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (items >= 1 && items <= ITEMS_MAX) return items;
  throw new InputError(
    `a capacity is a number of items from 1 to ${ITEMS_MAX} or a share of the keys such as 10%, ` +
      `not "${text}"`,
  );
}

/** How many items of a stream with `keyCount` keys have room; at least one. */
export function itemsFor(capacity: Capacity, keyCount: number): number {
  if (capacity.kind === 'items') return capacity.items;
  return Math.max(1, Math.floor(keyCount * capacity.share + SHARE_SLACK));
}

/** A share such as 29 % is not exact in binary; so little makes up for it. */
const SHARE_SLACK = 1e-6;
