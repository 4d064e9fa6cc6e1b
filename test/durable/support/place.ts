/** What tests of nodes that keep something need around them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { type Client, connect } from '../../../src/client/index.js';
import type { TestServer } from '../../e2e/support/server.js';

/** Where a test keeps its files. */
export interface Place {
  /** A folder that is there, and empty at first. */
  readonly folder: string;
  /** A folder in it, for a log, that is not there yet. */
  readonly log: string;
}

/** A fresh place for each test of the file that calls this, removed after the test. */
export function placeForEach(): Place {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'orlop-durable-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return {
    get folder() {
      return folder;
    },
    get log() {
      return join(folder, 'log');
    },
  };
}

/** Does something with a client of a node. */
export async function using<T>(
  server: TestServer,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = connect(server.url, { timeoutMs: 10_000 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
