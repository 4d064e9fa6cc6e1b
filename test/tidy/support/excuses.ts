/** Files that may have up to 500 lines, each with the reason. */
export const LONG_FILES: Readonly<Record<string, string>> = {};
