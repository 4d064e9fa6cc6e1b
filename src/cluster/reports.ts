import type { Report } from '../net/http/door.js';

/** A report that is a document of JSON, on a line of its own. */
export function jsonReport(status: number, document: object): Report {
  return { status, contentType: 'application/json', body: `${JSON.stringify(document)}\n` };
}
