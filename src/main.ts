#!/usr/bin/env node
/** The command `orlop`: hands the world to the command line, and ends the process. */
import { codeOf } from './base/errors.js';
import { run } from './cli/run.js';

// `orlop scan | head -1` closes the pipe early; that is no fault.
process.stdout.on('error', (error) => {
  process.exit(codeOf(error) === 'EPIPE' ? 0 : 70);
});

const exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  // Loaded late: `orlop get` has no use for a server.
  startNode: async (config) => (await import('./node.js')).startNode(config),
});
/** A pipe takes what its reader reads: to end before that would lose the rest without a word. */
const taken = (output: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    output.write('', () => resolve());
  });
await Promise.all([taken(process.stdout), taken(process.stderr)]);
process.exit(exitCode);
