import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LabAloha, startAloha } from './aloha.ts';
import { labAlohaDir } from './aloha-run.ts';
import { type KeyPair, makeKeyPair } from './keys.ts';
import { LabPlaywright } from './playwright.ts';
import { type LabSshServer, startSshServer } from './ssh-server.ts';
import { type Fault, LabState } from './state.ts';

export interface LabOptions {
  /** What starting powershell.exe takes. */
  readonly powershellStartMs: number;
  /** The folder for keys; made, and removed with the lab. */
  readonly dir: string;
  /** The one key that may log in, as the hosts of a fleet share one; a new one unless given. */
  readonly key?: KeyPair;
  /** Told what the lab does not simulate. */
  readonly note: (text: string) => void;
}

/** A running simulated Windows host. */
export interface Lab {
  readonly state: LabState;
  readonly aloha: LabAloha;
  /** Whether it has a Playwright server, which takes a Chromium on this machine. */
  readonly hasBrowser: boolean;
  /** The environment that points win-automation at it. */
  readonly env: Readonly<Record<string, string>>;
  /** Switches a fault on or off. */
  setFault(fault: Fault, isOn: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Starts a simulated Windows host on loopback: SSH with SFTP, and the Aloha server and client. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { powershellStartMs, dir, note, key = makeKeyPair('win-automation lab') } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const state = new LabState(powershellStartMs);
  const identityFile = join(dir, 'id_ed25519');
  const knownHostsFile = join(dir, 'known_hosts');
  writeFileSync(identityFile, key.private, { mode: 0o600 });
  const listen = (port: number) => startSshServer({ state, allowedKey: key.parsed, port, note });
  let ssh: LabSshServer = await listen(0);
  writeFileSync(knownHostsFile, `[127.0.0.1]:${ssh.port} ${ssh.publicKey}\n`, { mode: 0o600 });
  const aloha = await startAloha(state);
  const playwright = await LabPlaywright.start(state);
  state.onProgram = async (commandLine) => {
    if (commandLine.includes('app_server.py')) state.faults.delete('aloha-server-dead');
    if (commandLine.includes('app_client.py')) state.faults.delete('aloha-client-dead');
    if (!commandLine.includes('launch-server.js')) return;
    state.faults.delete('playwright-dead');
    await playwright?.run();
  };

  const setFault = async (fault: Fault, isOn: boolean) => {
    if (fault === 'firewall' && isOn) state.firewall.clear();
    if (fault === 'firewall' && !isOn) state.allowPorts();
    if (isOn) state.faults.add(fault);
    else state.faults.delete(fault);
    if (fault === 'playwright-dead') await (isOn ? playwright?.stop() : playwright?.run());
    if (fault === 'host-key-changed' && isOn) {
      const { port } = ssh;
      await ssh.close();
      ssh = await listen(port);
    }
  };
  return {
    state,
    aloha,
    hasBrowser: playwright !== undefined,
    env: {
      WIN_AUTOMATION_WINDOWS_SSH_HOST: '127.0.0.1',
      WIN_AUTOMATION_WINDOWS_SSH_PORT: String(ssh.port),
      WIN_AUTOMATION_WINDOWS_SSH_USER: 'administrator',
      WIN_AUTOMATION_WINDOWS_SSH_IDENTITY_FILE: identityFile,
      WIN_AUTOMATION_WINDOWS_SSH_KNOWN_HOSTS_FILE: knownHostsFile,
      WIN_AUTOMATION_ALOHA_SERVER_URL: aloha.serverUrl,
      WIN_AUTOMATION_ALOHA_CLIENT_URL: aloha.clientUrl,
      WIN_AUTOMATION_ALOHA_DIR: labAlohaDir,
      WIN_AUTOMATION_ALOHA_SERVER_START_CMD: 'python app_server.py',
      WIN_AUTOMATION_ALOHA_CLIENT_START_CMD: 'python app_client.py',
      ...(playwright === undefined ? {} : playwrightEnv(playwright)),
    },
    setFault,
    close: async () => {
      await Promise.all([ssh.close(), aloha.close(), playwright?.close()]);
      state.remove();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const playwrightEnv = ({ port, wsPath }: LabPlaywright) => ({
  WIN_AUTOMATION_PLAYWRIGHT_PORT: String(port),
  WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: wsPath,
});
