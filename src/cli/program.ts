import { type Command, defineGroup } from './command.ts';

/** The whole command tree. A command's module is loaded when the command is asked for, or listed in a help text. */
export const program: Command = defineGroup('win-automation', 'Drives a Windows VM from the Linux host beside it', {
  doctor: () => import('./doctor.ts'),
  windows: () => import('./windows.ts'),
  aloha: () => import('./aloha.ts'),
  playwright: () => import('./playwright.ts'),
  jobs: () => import('./jobs.ts'),
  worker: () => import('./worker.ts'),
  hatchet: () => import('./hatchet.ts'),
  supervisor: () => import('./supervisor.ts'),
  artifacts: () => import('./artifacts.ts'),
  config: () => import('./config.ts'),
  lab: () => import('./lab.ts'),
  demo: () => import('./demo.ts'),
  version: () => import('./version.ts'),
  completion: () => import('./completion.ts'),
  manual: () => import('./manual.ts'),
  complete: () => import('./complete.ts'),
});
