/**
 * The kinds of value a setting can have. Each accepts what a flag or the environment (text) and
 * what a YAML file (text, number) can say, and yields the value in its base unit.
 */
import { z } from 'zod';
import { formatDuration, parseDuration } from '../base/durations.js';
import { messageOf } from '../base/errors.js';
import { formatSize, parseSize } from '../base/sizes.js';

const textOrNumber = z.union([z.string(), z.number()], {
  error: 'must be a single text or number',
});

type Format = (value: number) => string;
type Parse = (text: string | number) => number;

function within(parse: Parse, format: Format, min: number, max: number) {
  return textOrNumber.transform((text, context) => {
    try {
      const value = parse(text);
      if (value >= min && value <= max) return value;
      const range = `must be from ${format(min)} to ${format(max)}`;
      context.addIssue({ code: 'custom', message: `${range}, got ${text}` });
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
    }
    return z.NEVER;
  });
}

function parseInteger(text: string | number): number {
  if (/^\s*\d{1,15}\s*$/.test(String(text))) return Number(text);
  throw new Error(`"${text}" is not a whole number`);
}

/** A size from `min` to `max` bytes. */
export function sizeField(min: number, max: number) {
  return within(parseSize, formatSize, min, max);
}

const TIER = /^ssd:(.+)$/;

/** A tier as `ssd:10gb`, of `min` to `max` bytes. */
export function tierField(min: number, max: number) {
  const parse = (text: string | number): number => {
    const size = TIER.exec(String(text).trim())?.[1];
    if (size !== undefined) return parseSize(size);
    throw new Error(`"${text}" is not a tier: write for example ssd:10gb`);
  };
  return within(parse, (bytes) => `ssd:${formatSize(bytes)}`, min, max);
}

/** A span of time from `minMs` to `maxMs` milliseconds. */
export function durationField(minMs: number, maxMs: number) {
  return within(parseDuration, formatDuration, minMs, maxMs);
}

/** A whole number from `min` to `max`. */
export function integerField(min: number, max: number) {
  return within(parseInteger, String, min, max);
}

/** One of a few words. */
export function choiceField<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `must be one of ${words.join(', ')}` });
}

/** Text that matches `shape`; `message` says what is expected without repeating the text. */
export function textField(shape: RegExp, message: string) {
  return z.union([z.string(), z.number()], { error: message }).transform((value, context) => {
    const text = String(value);
    if (shape.test(text)) return text;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}
