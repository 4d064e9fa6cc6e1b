/** One run of the command line, as scripts see it. */
import { spawn } from 'node:child_process';
import { packageFile } from '../../../src/base/packageRoot.js';
import { plainEnvironment } from './server.js';

/** What a run left behind. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output before it was read as text. */
  readonly bytes: Buffer;
}

/** What a run starts with. */
export interface Surroundings {
  readonly variables?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  /** Whoever reads its standard output begins only then. */
  readonly readAfterMs?: number;
}

/** Runs `orlop` with arguments, and waits for the end. */
export function orlop(args: readonly string[], around: Surroundings = {}): Promise<Run> {
  const env = { ...plainEnvironment(), ...around.variables };
  const main = packageFile('dist', 'src', 'main.js');
  const child = spawn(process.execPath, [main, ...args], { env, cwd: around.cwd });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  if (around.readAfterMs !== undefined) {
    child.stdout.pause();
    setTimeout(() => child.stdout.resume(), around.readAfterMs);
  }
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(around.stdin ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const bytes = Buffer.concat(out);
      const stderr = Buffer.concat(err).toString();
      resolve({ code, bytes, stdout: bytes.toString(), stderr });
    });
  });
}
