import { CommanderError } from 'commander';
import { type Context, type Session, warn } from './context.js';
import { EXIT, type ExitCode } from './exitCodes.js';
import { failureOf } from './failure.js';
import { buildProgram } from './program.js';
import { jsonText } from './shownValue.js';

/** commander has told the user already. */
function exitCodeOfCommander(error: CommanderError): ExitCode {
  return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}

function tell(error: unknown, asJson: boolean, context: Context): ExitCode {
  if (error instanceof CommanderError) return exitCodeOfCommander(error);
  const { exitCode, code, message } = failureOf(error);
  warn(context, asJson ? jsonText({ error: { code, message } }) : `orlop: ${message}`);
  if (exitCode === EXIT.internal && error instanceof Error) warn(context, error.stack ?? '');
  return exitCode;
}

/** Runs one command line, without the name of the program; resolves to what to end with. */
export async function run(args: readonly string[], context: Context): Promise<ExitCode> {
  const session: Session = { ...context, exitCode: EXIT.ok };
  try {
    await (await buildProgram(args, session)).parseAsync(args, { from: 'user' });
    return session.exitCode;
  } catch (error) {
    return tell(error, args.includes('--json'), context);
  }
}
