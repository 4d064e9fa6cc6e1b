/**
 * libCacheSim's csv traces. Which column holds the object ids is said as there:
 * `time-col=1, obj-id-col=2, obj-size-col=3, delimiter=;, has-header=true`. Columns count from 1.
 * Without a word about it, the delimiter is the first of tab, bar, semicolon and comma that the
 * first line has, and that line is a header when it has more letters than digits.
 */
import { InputError } from '../../../src/base/errors.js';
import { didYouMean } from '../../../src/base/suggestion.js';
import { readLines } from './lines.js';

/** How a csv file is to be read. */
export interface CsvColumns {
  /** The column of object ids, from 1. */
  readonly idColumn: number;
  /** One character, or undefined to find out. */
  readonly delimiter: string | undefined;
  /** Whether the first line is a header, or undefined to find out. */
  readonly hasHeader: boolean | undefined;
}

const ID_COLUMN_DEFAULT = 2;
const DELIMITERS = ['\t', '|', ';', ','];
const QUOTE = '"';

/** What libCacheSim can be told about columns; what has no use here is accepted and ignored. */
const ID_NAMES = ['obj-id-col', 'obj-id-field'];
const HEADER_NAMES = ['has-header', 'header'];
const COLUMN_NAMES = ['time', 'obj-size', 'size', 'cnt', 'op', 'ttl', 'next-access'].flatMap(
  (name) => [`${name}-col`, `${name}-field`],
);
const IGNORED_NAMES = [...COLUMN_NAMES, 'obj-id-is-num'];
const ALL_NAMES = [...ID_NAMES, ...HEADER_NAMES, 'delimiter', ...IGNORED_NAMES];

const TRUE = ['true', '1', 'yes', 'y'];
const FALSE = ['false', '0', 'no', 'n'];

function truth(name: string, text: string): boolean {
  const word = text.toLowerCase();
  if (TRUE.includes(word)) return true;
  if (FALSE.includes(word)) return false;
  throw new InputError(`${name} is true or false, not "${text}"`);
}

function column(name: string, text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InputError(`${name} counts from 1; it can't be "${text}"`);
}

/** `delimiter=,` leaves nothing of its value where settings are separated by commas. */
function delimiterOf(text: string): string {
  const named: Readonly<Record<string, string>> = { '': ',', '\\': ',', '\\t': '\t', tab: '\t' };
  const delimiter = named[text] ?? text;
  if (delimiter.length === 1 && delimiter !== QUOTE) return delimiter;
  throw new InputError(`a delimiter is one character, not "${text}"`);
}

/** Reads `name=value, name=value` as libCacheSim takes it. Throws `InputError`. */
export function parseColumns(text: string): CsvColumns {
  let columns: CsvColumns = {
    idColumn: ID_COLUMN_DEFAULT,
    delimiter: undefined,
    hasHeader: undefined,
  };
  for (const setting of text.split(/,[\s,]*/).filter((part) => part.trim() !== '')) {
    const equals = setting.indexOf('=');
    if (equals < 0) throw new InputError(`"${setting}" is no name=value`);
    const name = setting.slice(0, equals).trim().toLowerCase().replaceAll('_', '-');
    columns = { ...columns, ...settingOf(name, setting.slice(equals + 1)) };
  }
  return columns;
}

function settingOf(name: string, value: string): Partial<CsvColumns> {
  const text = value.trim();
  if (ID_NAMES.includes(name)) return { idColumn: column(name, text) };
  if (HEADER_NAMES.includes(name)) return { hasHeader: truth(name, text) };
  if (name === 'delimiter') return { delimiter: delimiterOf(text) };
  if (IGNORED_NAMES.includes(name)) return {};
  throw new InputError(`csv files have no setting "${name}"${didYouMean(name, ALL_NAMES)}`);
}

function delimiterIn(line: string): string {
  return DELIMITERS.find((one) => line.includes(one)) ?? ',';
}

function looksLikeHeader(line: string): boolean {
  const letters = line.match(/[a-z]/gi)?.length ?? 0;
  return letters > (line.match(/\d/g)?.length ?? 0);
}

/** The field in `column`, from 1, of a line; what is quoted may hold delimiters. */
function fieldOf(line: string, delimiter: string, column: number): string | undefined {
  if (!line.includes(QUOTE)) return line.split(delimiter, column)[column - 1];
  const fields = [''];
  let isQuoted = false;
  for (const letter of line) {
    if (letter === QUOTE) isQuoted = !isQuoted;
    else if (letter === delimiter && !isQuoted) fields.push('');
    else fields[fields.length - 1] += letter;
  }
  return fields[column - 1];
}

/** The object id of each request. Throws `InputError` on a line without one, naming it. */
export function* readCsv(bytes: Buffer, columns: CsvColumns): Generator<string> {
  let { delimiter, hasHeader } = columns;
  let number = 0;
  for (const line of readLines(bytes)) {
    number++;
    delimiter ??= delimiterIn(line);
    hasHeader ??= looksLikeHeader(line);
    if (number === 1 && hasHeader) continue;
    const id = fieldOf(line, delimiter, columns.idColumn)?.trim();
    if (id !== undefined && id !== '') yield id;
    else throw new InputError(`line ${number} has no object id in column ${columns.idColumn}`);
  }
}
