/**
 * The same suites run over both listeners, over the native one with and without I/O threads, and
 * over a store of several arenas.
 */
export const LISTENERS = [
  { name: 'native, 2 threads', flags: ['--listener', 'native', '--threads', '2'] },
  { name: 'native, main thread', flags: ['--listener', 'native', '--threads', '0'] },
  { name: 'portable', flags: ['--listener', 'portable'] },
  {
    name: 'native, 2 threads, 3 arenas',
    flags: ['--listener', 'native', '--threads', '2', '--arenas', '3', '--memory', '192mb'],
  },
] as const;
