import type { LoadedConfig } from '../config/load.ts';
import type { Logger } from '../core/logger.ts';
import { hostOptions, WindowsHost } from '../windows/host.ts';
import { sshTarget } from '../windows/target.ts';

/** One shared connection a host, however many jobs use it. Connections are made when they are needed. */
export class HostPool implements AsyncDisposable {
  readonly #loaded: LoadedConfig;
  readonly #logger: Logger;
  readonly #hosts = new Map<string, WindowsHost>();

  constructor(loaded: LoadedConfig, logger: Logger) {
    this.#loaded = loaded;
    this.#logger = logger;
  }

  /** @throws AutomationError `usage` where the configuration knows no such host */
  get(name: string): WindowsHost {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const host = new WindowsHost(sshTarget(this.#loaded, name), {
      ...hostOptions(this.#loaded, name),
      logger: this.#logger.child('windows'),
      isWarm: true,
    });
    this.#hosts.set(name, host);
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.close()));
  }
}
