import argument from './scripts/argument.ps1' with { type: 'text' };
import artifacts from './scripts/artifacts.ps1' with { type: 'text' };
import bootstrap from './scripts/bootstrap.ps1' with { type: 'text' };
import closedFolder from './scripts/closed-folder.ps1' with { type: 'text' };
import echo from './scripts/echo.ps1' with { type: 'text' };
import environment from './scripts/environment.ps1' with { type: 'text' };
import facts from './scripts/facts.ps1' with { type: 'text' };
import firewall from './scripts/firewall.ps1' with { type: 'text' };
import firewallRules from './scripts/firewall-rules.ps1' with { type: 'text' };
import found from './scripts/found.ps1' with { type: 'text' };
import hash from './scripts/hash.ps1' with { type: 'text' };
import host from './scripts/host.ps1' with { type: 'text' };
import hostProcesses from './scripts/host-processes.ps1' with { type: 'text' };
import interactive from './scripts/interactive.ps1' with { type: 'text' };
import killTree from './scripts/kill-tree.ps1' with { type: 'text' };
import loader from './scripts/loader.ps1' with { type: 'text' };
import objects from './scripts/objects.ps1' with { type: 'text' };
import parameters from './scripts/parameters.ps1' with { type: 'text' };
import playwright from './scripts/playwright.ps1' with { type: 'text' };
import ports from './scripts/ports.ps1' with { type: 'text' };
import processes from './scripts/processes.ps1' with { type: 'text' };
import run from './scripts/run.ps1' with { type: 'text' };
import runCmd from './scripts/run-cmd.ps1' with { type: 'text' };
import screenshot from './scripts/screenshot.ps1' with { type: 'text' };
import secretFile from './scripts/secret-file.ps1' with { type: 'text' };
import sessions from './scripts/sessions.ps1' with { type: 'text' };
import task from './scripts/task.ps1' with { type: 'text' };

const paramLine = 'param([string]$Argument)\n';

/** A script with functions that it shares with others, behind its param line, where PowerShell wants that first. */
const using = (script: string, ...libraries: readonly string[]) =>
  script.replace(paramLine, () => [paramLine, ...libraries].join('\n'));

/** The PowerShell that runs on Windows, as text. What each takes and gives is in `contracts.ts`. */
export const scripts = {
  argument,
  artifacts: using(artifacts, found),
  bootstrap: using(bootstrap, found, firewallRules),
  closedFolder,
  echo,
  environment,
  facts,
  firewall: using(firewall, found, firewallRules),
  hash,
  host,
  hostProcesses,
  interactive: using(interactive, found),
  killTree,
  loader,
  objects,
  parameters,
  playwright: using(playwright, found),
  ports: using(ports, found),
  processes,
  run,
  runCmd,
  screenshot,
  secretFile,
  sessions,
  task: using(task, found),
} as const;
