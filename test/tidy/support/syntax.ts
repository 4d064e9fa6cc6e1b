import ts from 'typescript';
import type { Finding, Source } from './sources.js';

const parsed = new WeakMap<Source, ts.SourceFile>();

/** The syntax tree of a TypeScript or AssemblyScript file. */
export function treeOf(source: Source): ts.SourceFile {
  const known = parsed.get(source);
  if (known !== undefined) return known;
  const tree = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.ES2022, true);
  parsed.set(source, tree);
  return tree;
}

/** All nodes of a file from top to bottom. */
export function nodesOf(source: Source): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(treeOf(source));
  return nodes;
}

/** The line of a node, counted from 1. */
export function lineOf(source: Source, node: ts.Node): number {
  const start = node.getStart(treeOf(source));
  return treeOf(source).getLineAndCharacterOfPosition(start).line + 1;
}

/** How many lines a node spans. */
export function linesSpanned(source: Source, node: ts.Node): number {
  const last = treeOf(source).getLineAndCharacterOfPosition(node.getEnd()).line + 1;
  return last - lineOf(source, node) + 1;
}

/** A finding at a node. */
export function at(source: Source, node: ts.Node, message: string): Finding {
  return `${source.path}:${lineOf(source, node)} ${message}`;
}
