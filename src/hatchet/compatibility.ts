/** How well a server and the SDK in this program go together. */
export type Compatibility = 'tested' | 'compatible' | 'degraded' | 'incompatible';

export interface CompatibilityVerdict {
  readonly compatibility: Compatibility;
  /** What to expect, for a person. */
  readonly note: string;
}

/** One row of the table: servers of `from` up to, but not with, `before`. */
interface Row extends CompatibilityVerdict {
  readonly from: readonly [minor: number, patch: number];
  readonly before: readonly [minor: number, patch: number];
}

const newest = Number.POSITIVE_INFINITY;

/**
 * Servers 0.x against SDK 1.33 (context.md, "Compatibility Matrix": patches of one minor release are interchangeable; the
 * TypeScript SDK has numbers of its own, so the table is about pairs). Rows called `tested`, and the degraded one of 0.77,
 * are what the tests run on; the others follow from the two thresholds that the SDK itself knows.
 */
const rows: readonly Row[] = [
  {
    from: [0, 0],
    before: [77, 0],
    compatibility: 'incompatible',
    note: 'older than any server that was tried: upgrade the server',
  },
  {
    from: [77, 0],
    before: [78, 0],
    compatibility: 'degraded',
    note: 'jobs run; no idempotency keys, no choice of worker by host, and the SDK lets one start of a worker in five fail, which is tried again',
  },
  {
    from: [78, 0],
    before: [78, 23],
    compatibility: 'degraded',
    note: 'as 0.77, which was tested; this one was not',
  },
  {
    from: [78, 23],
    before: [98, 0],
    compatibility: 'degraded',
    note: 'not tested; no idempotency keys before 0.98',
  },
  {
    from: [98, 0],
    before: [105, 0],
    compatibility: 'compatible',
    note: 'not tested, but nothing is known to be missing',
  },
  { from: [105, 0], before: [106, 0], compatibility: 'tested', note: 'the tests run on 0.105.0' },
  {
    from: [106, 0],
    before: [newest, 0],
    compatibility: 'degraded',
    note: 'newer than any server that was tried: it may work, but upgrade win-automation with it',
  },
];

const versionPattern = /^v?(\d+)\.(\d+)\.(\d+)/;

const isBefore = ([minorA, patchA]: readonly [number, number], [minorB, patchB]: readonly [number, number]) =>
  minorA < minorB || (minorA === minorB && patchA < patchB);

/**
 * Judges a server by its version.
 *
 * @param serverVersion as `GET /api/v1/version` tells it, such as `v0.105.0`
 */
export function judgeServer(serverVersion: string): CompatibilityVerdict {
  const [, major, minor, patch] = versionPattern.exec(serverVersion) ?? [];
  if (major === undefined) {
    return { compatibility: 'degraded', note: 'the server does not tell a version that can be judged' };
  }
  if (major !== '0') {
    return { compatibility: 'incompatible', note: 'another major version than 0: upgrade win-automation' };
  }
  const version = [Number(minor), Number(patch)] as const;
  const row = rows.find(({ from, before }) => !isBefore(version, from) && isBefore(version, before));
  return row ?? { compatibility: 'degraded', note: 'not in the table' };
}

/** What a server can do that older ones can't. */
export interface ServerFeatures {
  /** Since 0.98: a key makes a second job the first one. */
  readonly hasIdempotency: boolean;
  /** Since 0.78.23: a run says which workers may have it. */
  readonly hasRunLabels: boolean;
}

/** @param serverVersion such as `v0.105.0` */
export function featuresOf(serverVersion: string): ServerFeatures {
  const [, major = '0', minor = '0', patch = '0'] = versionPattern.exec(serverVersion) ?? [];
  const isAtLeast = (version: readonly [number, number]) =>
    major !== '0' || !isBefore([Number(minor), Number(patch)], version);
  return { hasIdempotency: isAtLeast([98, 0]), hasRunLabels: isAtLeast([78, 23]) };
}
