/** The version of this package; a constant, so that browsers have it too. A test compares it. */
export const VERSION = '0.1.0';
