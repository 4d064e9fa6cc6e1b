/**
 * Module hooks that plant a bug into one file while Node loads it; they run on a thread of theirs.
 */
import type { InitializeHook, LoadHook } from 'node:module';
import type { Bug } from './planted.js';

let bug: Bug | undefined;

export const initialize: InitializeHook<Bug> = (data) => {
  bug = data;
};

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (bug === undefined || !url.endsWith(`/${bug.file}`)) return loaded;
  const source = String(loaded.source);
  const places = source.split(bug.find).length - 1;
  if (places !== 1) throw new Error(`${bug.file} has ${places} places for this bug: ${bug.find}`);
  return { ...loaded, source: source.replace(bug.find, () => bug?.replace ?? '') };
};
