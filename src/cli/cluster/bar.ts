import progress from 'cli-progress';
import { formatSize } from '../../base/sizes.js';

const WIDTH = 40;

/** How far something is, as a bar with numbers behind it. */
export function barOf(done: number, total: number, bytes: number): string {
  const share = total === 0 ? 1 : done / total;
  const { Format, Presets } = progress;
  const options = { ...Presets.shades_classic, barsize: WIDTH };
  const { barCompleteChar = '#', barIncompleteChar = '.' } = options;
  const strings = {
    barCompleteString: barCompleteChar.repeat(WIDTH),
    barIncompleteString: barIncompleteChar.repeat(WIDTH),
  };
  const bar = Format.BarFormat(share, { ...options, ...strings });
  return `${bar} ${Math.floor(100 * share)} % | ${done} of ${total} | ${formatSize(bytes)}`;
}
