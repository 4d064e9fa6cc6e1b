/**
 * A schedule: which lane goes on, wherever that is not what would have happened anyway. Between two
 * decisions a lane runs until it ends or has to wait; then the first one that can go on does.
 *
 *   written   57-1    at moment 57 no lane is running, and lane 1 goes on
 *             120>1   at moment 120 the lane that is running is preempted, and lane 1 goes on
 *             400x1   at moment 400 the lane that is running dies, and lane 1 goes on
 *
 * Moments count the accesses to memory of all lanes, and the times that none was running.
 */

/** How a lane comes to go on: by choice when none is running, by preemption, by death. */
export type Manner = '-' | '>' | 'x';

export interface Decision {
  readonly moment: number;
  readonly manner: Manner;
  /** The lane that goes on. */
  readonly lane: number;
}

export type Schedule = readonly Decision[];

/** How many preemptions and deaths a schedule has. */
export function preemptionsOf(schedule: Schedule): number {
  return schedule.filter(({ manner }) => manner !== '-').length;
}

/** A schedule as it is printed when it fails. */
export function formatSchedule(schedule: Schedule): string {
  return schedule.map(({ moment, manner, lane }) => `${moment}${manner}${lane}`).join(' ');
}

/** Reads what `formatSchedule` wrote; throws when it is something else. */
export function parseSchedule(text: string): Schedule {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      const match = /^(\d+)([->x])(\d)$/.exec(word);
      if (match === null) throw new Error(`"${word}" is no decision of a schedule`);
      return { moment: Number(match[1]), manner: match[2] as Manner, lane: Number(match[3]) };
    });
}
