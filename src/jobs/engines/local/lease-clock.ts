import { readFileSync } from 'node:fs';

/** A moment that no change of the wall clock moves: milliseconds since this boot of the machine, and which boot. */
export interface LeaseMoment {
  readonly bootId: string;
  readonly uptimeMs: number;
}

/**
 * Now, as leases count: by the time since boot, which every process of the machine shares. A wall clock that jumps would
 * take leases away from workers that hold them, or keep those of dead ones for ever.
 */
export function leaseNow(): LeaseMoment {
  return { bootId: bootId(), uptimeMs: Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000) };
}

let known: string | undefined;

function bootId(): string {
  known ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return known;
}
