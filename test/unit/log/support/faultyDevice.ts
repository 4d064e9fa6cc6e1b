/** A device over real files that fails where a test says. */
import type { Device, DeviceFile } from '../../../../src/log/device.js';

/** What can be asked of a device. */
export type CallName =
  | 'makeFolder'
  | 'list'
  | 'open'
  | 'create'
  | 'rename'
  | 'remove'
  | 'syncFolder'
  | 'size'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate';

/** One call, before it is made. */
export interface Call {
  readonly name: CallName;
  /** How many calls were made before, of any kind and of this one. */
  readonly index: number;
  readonly indexOfName: number;
  readonly path: string;
  /** Of a write or a read. */
  readonly bytes: number;
}

/** An error instead of the call, or a write or read of only so many bytes. */
export type Fault = { readonly code: string } | { readonly short: number };

export type Plan = (call: Call) => Fault | undefined;

/** What Node throws when a call fails. */
export function errorOf(code: string, call: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made to fail, ${call}`), { code, syscall: call });
}

/** Counts every call and lets some fail. */
export class FaultyDevice implements Device {
  readonly calls: Call[] = [];
  fired = 0;
  plan: Plan;
  readonly #device: Device;
  readonly #counts = new Map<CallName, number>();

  constructor(device: Device, plan: Plan = () => undefined) {
    this.#device = device;
    this.plan = plan;
  }

  /** Notes a call; throws or returns how many bytes it may move. */
  ask(name: CallName, path: string, bytes = 0): number {
    const index = this.calls.length;
    const indexOfName = this.#counts.get(name) ?? 0;
    this.#counts.set(name, indexOfName + 1);
    const call = { name, index, indexOfName, path, bytes };
    this.calls.push(call);
    const fault = this.plan(call);
    if (fault === undefined) return bytes;
    this.fired++;
    if ('short' in fault) return Math.min(bytes, fault.short);
    throw errorOf(fault.code, name);
  }

  makeFolder(folder: string): void {
    this.ask('makeFolder', folder);
    this.#device.makeFolder(folder);
  }

  list(folder: string): string[] {
    this.ask('list', folder);
    return this.#device.list(folder);
  }

  openToRead(path: string): DeviceFile {
    this.ask('open', path);
    return new FaultyFile(this, path, this.#device.openToRead(path));
  }

  openToWrite(path: string): DeviceFile {
    this.ask('open', path);
    return new FaultyFile(this, path, this.#device.openToWrite(path));
  }

  create(path: string): DeviceFile {
    this.ask('create', path);
    return new FaultyFile(this, path, this.#device.create(path));
  }

  rename(from: string, to: string): void {
    this.ask('rename', from);
    this.#device.rename(from, to);
  }

  remove(path: string): void {
    this.ask('remove', path);
    this.#device.remove(path);
  }

  syncFolder(folder: string): void {
    this.ask('syncFolder', folder);
    this.#device.syncFolder(folder);
  }
}

class FaultyFile implements DeviceFile {
  readonly #device: FaultyDevice;
  readonly #path: string;
  readonly #file: DeviceFile;

  constructor(device: FaultyDevice, path: string, file: DeviceFile) {
    this.#device = device;
    this.#path = path;
    this.#file = file;
  }

  size(): number {
    this.#device.ask('size', this.#path);
    return this.#file.size();
  }

  read(bytes: Uint8Array, at: number, length: number, offset: number): number {
    return this.#file.read(bytes, at, this.#device.ask('read', this.#path, length), offset);
  }

  write(bytes: Uint8Array, at: number, length: number, offset: number): number {
    return this.#file.write(bytes, at, this.#device.ask('write', this.#path, length), offset);
  }

  sync(): void {
    this.#device.ask('sync', this.#path);
    this.#file.sync();
  }

  truncate(bytes: number): void {
    this.#device.ask('truncate', this.#path);
    this.#file.truncate(bytes);
  }

  close(): void {
    this.#file.close();
  }
}
