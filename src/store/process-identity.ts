import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import process from 'node:process';

/** Names a process so that others on the same machine can find out whether it still runs. */
export interface ProcessIdentity {
  /** The machine and, within it, the space in which process numbers mean the same. Unknown: unlike any other. */
  readonly machine: string;
  readonly process: string;
}

/** This process. */
export function thisProcess(): ProcessIdentity {
  return { machine: machineId(), process: describe(process.pid) ?? `${process.pid}` };
}

/**
 * Whether the process has surely ended. Answers only for processes of this machine: a process that was killed there is
 * known to be dead at once, without waiting for its lease to run out.
 */
export function isSurelyDead(identity: ProcessIdentity): boolean {
  if (identity.machine !== machineId()) return false;
  const pid = Number.parseInt(identity.process, 10);
  return describe(pid) !== identity.process;
}

let machine: string | undefined;

/**
 * Containers on one host have the host's boot id, and may share a host name, but each has its own space of process numbers.
 * Where Linux does not tell, each process is alone on its machine and only leases count.
 */
function machineId(): string {
  machine ??= createHash('sha256').update(machineFacts()).digest('hex').slice(0, 32);
  return machine;
}

function machineFacts(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return `${hostname()} ${process.pid} ${performance.timeOrigin}`;
  }
}

/** A process number and when it began (field 22 of /proc/PID/stat), as numbers are used again. `undefined`: there is none. */
function describe(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before may hold blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; only its parent has not looked.
    return fields[0] === 'Z' ? undefined : `${pid} ${fields[19]}`;
  } catch {
    return undefined;
  }
}
