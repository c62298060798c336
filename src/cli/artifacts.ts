import { defineGroup } from './command.ts';

export default defineGroup('artifacts', 'What jobs left: list, fetch, verify, report, clean up', {
  list: () => import('./artifacts/list.ts'),
  fetch: () => import('./artifacts/fetch.ts'),
  verify: () => import('./artifacts/verify.ts'),
  gc: () => import('./artifacts/gc.ts'),
  report: () => import('./artifacts/report.ts'),
});
