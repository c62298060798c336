import packageJson from '../../package.json' with { type: 'json' };

// Put in place by build.ts; run from source there is none.
declare const BUILD_COMMIT: string | undefined;

/** This program's version, and those of the libraries whose version matters to the other side. */
export const versions = {
  version: packageJson.version,
  /** The commit that the executable was built from, with `-dirty` behind it if there were changes; or `source`. */
  commit: typeof BUILD_COMMIT === 'undefined' ? 'source' : BUILD_COMMIT,
  /** Hatchet's TypeScript SDK. */
  hatchetSdk: packageJson.dependencies['@hatchet-dev/typescript-sdk'],
  /** The Playwright client: major and minor must be the server's. */
  playwright: packageJson.dependencies['playwright-core'],
  /** The Deno that the source is checked and tested with. */
  deno: packageJson.devDependencies.deno,
} as const;
