/** What must be reached, and whether it is: `≥ 1.85 met`. */
export function verdict(isMet: boolean, goal: string): string {
  return `${goal} ${isMet ? 'met' : 'NOT MET'}`;
}
