/** Flags that every command takes, before and after its name. */
export const globalFlags = {
  config: { type: 'string', description: 'JSON configuration file', valueHint: 'FILE' },
  host: { type: 'string', description: 'a host of the configuration (default: default)', valueHint: 'NAME' },
  json: { type: 'boolean', description: 'print the payload as JSON' },
  quiet: { type: 'boolean', description: 'log errors only' },
  verbose: { type: 'boolean', description: 'log everything' },
  help: { type: 'boolean', alias: 'h', description: 'show this help' },
} as const;
