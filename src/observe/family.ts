/** One value with its labels; histograms have parts with names of their own. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** A metric: its name, what it is, and what it is now. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

type Labelled = readonly (readonly [label: string, value: number])[];

/** A family of one value without labels. */
export function one(type: 'counter' | 'gauge', name: string, help: string, value: number): Family {
  return { name, help, type, samples: [{ value, labels: {} }] };
}

/** A family of one value for each value of a label. */
export function many(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  label: string,
  values: Labelled,
): Family {
  const samples = values.map(([of, value]) => ({ value, labels: { [label]: of } }));
  return { name, help, type, samples };
}

/** What a histogram is made of: how many were in each class, and their sum. */
export interface Classes {
  /** Upper bounds of all classes but the last, which has none; in seconds. */
  readonly bounds: readonly number[];
  /** How many each class has. */
  readonly counts: readonly number[];
  /** All of them together, in seconds. */
  readonly sum: number;
}

/** The samples of a histogram for one set of labels. */
export function histogram(name: string, labels: Sample['labels'], classes: Classes): Sample[] {
  let count = 0;
  const buckets = [...classes.bounds, '+Inf'].map((le, at) => {
    count += classes.counts[at] ?? 0;
    return { value: count, labels: { ...labels, le }, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { value: classes.sum, labels, metricName: `${name}_sum` },
    { value: count, labels, metricName: `${name}_count` },
  ];
}
