/**
 * The same suites run over both listeners, and over the native one with and without I/O threads.
 */
export const LISTENERS = [
  { name: 'native, 2 threads', flags: ['--listener', 'native', '--threads', '2'] },
  { name: 'native, main thread', flags: ['--listener', 'native', '--threads', '0'] },
  { name: 'portable', flags: ['--listener', 'portable'] },
] as const;
