import { InputError } from '../base/errors.js';

/** Where a log does not say what it should, and what can be done about it. */
export interface DamagePlace {
  readonly folder: string;
  readonly file: string;
  /** In the file, in bytes. */
  readonly offset: number;
  readonly reason: string;
}

/** A file of the log is damaged where nothing but damage explains it: the start is refused. */
export class LogDamage extends InputError {
  readonly place: DamagePlace;

  constructor(place: DamagePlace) {
    const { folder, file, offset, reason } = place;
    super(
      `the log in ${folder} is damaged: ${file}, offset ${offset}: ${reason}. ` +
        `"orlop log verify ${folder}" shows all damage; "orlop log salvage ${folder}" keeps what ` +
        'can still be read, after which keys changed in the damaged part may show older values',
    );
    this.place = place;
  }
}
