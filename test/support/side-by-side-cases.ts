import type { SideBySideCase } from './side-by-side.ts';
import { errorCases } from './side-by-side-error-cases.ts';
import { outputCases } from './side-by-side-output-cases.ts';
import { parameterCases } from './side-by-side-parameter-cases.ts';
import { worldCases } from './side-by-side-world-cases.ts';

/** Every case, by what it is about. */
export const cases: readonly SideBySideCase[] = [...outputCases, ...errorCases, ...parameterCases, ...worldCases];
