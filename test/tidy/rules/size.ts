import ts from 'typescript';
import type { Finding, Source } from '../support/sources.js';
import { at, linesSpanned, nodesOf } from '../support/syntax.js';

const LINE_CHARS = 100;
const FILE_LINES = 400;
const FILE_LINES_EXCUSED = 500;
const FUNCTION_LINES = 70;

/** No line is longer than 100 characters. */
export function lineLength(source: Source): Finding[] {
  return source.text.split('\n').flatMap((line, index) => {
    const chars = [...line].length;
    if (chars <= LINE_CHARS) return [];
    return [`${source.path}:${index + 1} ${chars} characters: break the line at ${LINE_CHARS}`];
  });
}

/** No file is longer than 400 lines, or 500 with an excuse. */
export function fileLength(excuses: Readonly<Record<string, string>>) {
  return (source: Source): Finding[] => {
    const lines = source.text.split('\n').length - 1;
    const excused = source.path in excuses;
    if (excused && lines <= FILE_LINES) {
      return [`${source.path}:1 has only ${lines} lines: take it off the list of excuses`];
    }
    if (lines <= (excused ? FILE_LINES_EXCUSED : FILE_LINES)) return [];
    return [`${source.path}:1 ${lines} lines: split it into files of one idea each`];
  };
}

/** A group of tests is a list, not a function with a flow. */
function isTestGroup(node: ts.Node): boolean {
  const call = node.parent;
  if (call === undefined || !ts.isCallExpression(call)) return false;
  return /^describe/.test(call.expression.getText());
}

/** No function is longer than 70 lines. */
export function functionLength(source: Source): Finding[] {
  return nodesOf(source)
    .filter((node) => ts.isFunctionLike(node) && 'body' in node && !isTestGroup(node))
    .flatMap((node) => {
      const lines = linesSpanned(source, node);
      if (lines <= FUNCTION_LINES) return [];
      return [at(source, node, `${lines} lines: split the function at ${FUNCTION_LINES}`)];
    });
}
