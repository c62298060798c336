{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkEnableOption mkIf mkOption types;

  cfg = config.services.win-automation;

  format = pkgs.formats.json { };

  stateDir = "/var/lib/win-automation";
  hatchetDir = "/var/lib/win-automation-hatchet";
  user = "win-automation";

  exe = lib.getExe cfg.package;

  # Where systemd puts what LoadCredential names.
  credential = name: "%d/${name}";

  secretFiles = lib.filterAttrs (_: file: file != null) {
    hatchet-token = if cfg.hatchet.enable then "${hatchetDir}/token" else cfg.secrets.hatchetTokenFile;
    playwright-ws-path = cfg.secrets.playwrightWsPathFile;
    ssh-identity = cfg.secrets.sshIdentityFile;
    ssh-password = cfg.secrets.sshPasswordFile;
  };

  secretVariables = {
    hatchet-token = "WIN_AUTOMATION_HATCHET_TOKEN_FILE";
    playwright-ws-path = "WIN_AUTOMATION_PLAYWRIGHT_WS_PATH_FILE";
    ssh-identity = "WIN_AUTOMATION_WINDOWS_SSH_IDENTITY_FILE";
    ssh-password = "WIN_AUTOMATION_WINDOWS_SSH_PASSWORD_FILE";
  };

  # What the program would refuse at start is refused when the system is built.
  settingsFile =
    pkgs.runCommand "win-automation.json"
      {
        json = format.generate "win-automation-unchecked.json" cfg.settings;
      }
      ''
        HOME="$PWD" ${exe} config check --config "$json"
        cp "$json" "$out"
      '';

  hatchetUnits = lib.optionals cfg.hatchet.enable [ "win-automation-hatchet-token.service" ];
  vmUnits =
    lib.optional (cfg.windowsVm.unit != null) cfg.windowsVm.unit
    ++ lib.optional cfg.windowsVm.enable "${config.virtualisation.oci-containers.backend}-windows.service";

  hostFlag = host: lib.optionalString (host != null) " --host ${lib.escapeShellArg host}";

  # https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html, "Sandboxing". Left out on purpose:
  # MemoryDenyWriteExecute (the runtime compiles while it runs) and ProcSubset=pid (leases count by /proc/uptime).
  hardening = {
    User = user;
    Group = user;
    StateDirectory = "win-automation";
    StateDirectoryMode = "0700";
    UMask = "0077";
    WorkingDirectory = stateDir;
    LoadCredential = lib.mapAttrsToList (name: file: "${name}:${file}") secretFiles;
    # Whoever sets these would have the program run other code.
    UnsetEnvironment = [
      "BUN_BE_BUN"
      "BUN_OPTIONS"
    ];
    NoNewPrivileges = true;
    CapabilityBoundingSet = "";
    AmbientCapabilities = "";
    PrivateDevices = true;
    PrivateTmp = true;
    PrivateUsers = true;
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHome = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    ProtectProc = "invisible";
    ProtectSystem = "strict";
    RemoveIPC = true;
    RestrictAddressFamilies = [
      "AF_INET"
      "AF_INET6"
      "AF_UNIX"
    ];
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    LockPersonality = true;
    KeyringMode = "private";
    SystemCallArchitectures = "native";
    SystemCallErrorNumber = "EPERM";
    SystemCallFilter = [
      "@system-service"
      "~@privileged"
    ];
  };

  environment = {
    WIN_AUTOMATION_CONFIG = "${settingsFile}";
    WIN_AUTOMATION_STATE_DIR = stateDir;
    HOME = stateDir;
  }
  // lib.mapAttrs' (name: _: lib.nameValuePair secretVariables.${name} (credential name)) secretFiles;

  service =
    {
      description,
      command,
      serviceConfig ? { },
      ...
    }@unit:
    {
      inherit description environment;
      documentation = [ "man:win-automation(1)" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ] ++ vmUnits ++ hatchetUnits;
      # systemd-notify(1) tells systemd how the program is.
      path = [ pkgs.systemd ];
      serviceConfig = hardening // { ExecStart = "${exe} ${command}"; } // serviceConfig;
    }
    // removeAttrs unit [
      "description"
      "command"
      "serviceConfig"
    ];

  oneshot = args: service (args // { serviceConfig = { Type = "oneshot"; TimeoutStartSec = "15min"; } // (args.serviceConfig or { }); });

  watched = {
    Type = "notify";
    # The one that notifies is a child, systemd-notify.
    NotifyAccess = "all";
    WatchdogSec = 60;
    Restart = "always";
    RestartSec = 5;
  };

  scheduleType = types.submodule {
    options = {
      type = mkOption {
        type = types.enum [
          "windows.exec"
          "windows.script"
          "aloha.run"
          "playwright.run"
          "supervisor.pass"
          "artifacts.gc"
        ];
        example = "windows.exec";
        description = "The kind of job.";
      };
      onCalendar = mkOption {
        type = types.str;
        example = "Mon..Fri 03:00";
        description = "When it is enqueued, as systemd.time(7) has it.";
      };
      input = mkOption {
        inherit (format) type;
        default = { };
        example = { command = "hostname"; };
        description = "What the job is given; `win-automation jobs enqueue --help` tells what each type takes.";
      };
      host = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "build-vm";
        description = "A host of `settings.hosts`; without it the default one.";
      };
      persistent = mkOption {
        type = types.bool;
        default = false;
        description = "Whether it is enqueued at once after a boot, if its time passed while the machine was off.";
      };
    };
  };

  secretOption =
    what:
    mkOption {
      type = types.nullOr types.path;
      default = null;
      example = "/run/secrets/win-automation";
      description = "A file that holds ${what}. systemd reads it as root and hands it to the services; it is never copied into the store.";
    };
in
{
  imports = [
    ./hatchet.nix
    ./windows-vm.nix
  ];

  options.services.win-automation = {
    enable = mkEnableOption "win-automation, which drives a Windows VM from this host";

    package = mkOption {
      type = types.package;
      description = "The package to run; the flake's module sets it.";
    };

    settings = mkOption {
      type = types.submodule {
        freeformType = format.type;
        options.log_level = mkOption {
          type = types.enum [
            "error"
            "warn"
            "info"
            "debug"
          ];
          default = "info";
          description = "The least level that goes to the journal.";
        };
        options.artifacts.out_dir = mkOption {
          type = types.str;
          default = "${stateDir}/artifacts";
          description = "Where job folders are made. The services can write below ${stateDir} alone.";
        };
      };
      default = { };
      example = {
        windows.ssh_port = 22555;
        hosts.build-vm.windows.ssh_host = "192.168.122.20";
      };
      description = ''
        The configuration file, as the README's table and `win-automation config schema` have it. Secrets are not part of it:
        see `secrets`. It is checked when the system is built, so that a slip of the pen stops the build and not the night.
        A member of `hosts` is a host of its own.
      '';
    };

    secrets = {
      hatchetTokenFile = secretOption "Hatchet's API token";
      playwrightWsPathFile = secretOption "the secret path of the Playwright server";
      sshIdentityFile = secretOption "the private key for Windows";
      sshPasswordFile = secretOption "the password of the Windows account";
    };

    worker = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether a worker runs jobs on this host.";
      };
      concurrency = mkOption {
        type = types.ints.between 1 100;
        default = 5;
        description = "Jobs at a time.";
      };
      listen = mkOption {
        type = types.nullOr types.str;
        default = "127.0.0.1:9464";
        description = "Where `/live`, `/ready` and `/metrics` (Prometheus) are served; null for nowhere.";
      };
      metrics = {
        enable = mkEnableOption "metrics in the journal, in the form of the reference";
        interval = mkOption {
          type = types.str;
          default = "30s";
          description = "How often they are written.";
        };
      };
      graceSec = mkOption {
        type = types.ints.positive;
        default = 30;
        description = "Seconds that running jobs get at a stop, before they are handed back.";
      };
    };

    supervisor = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether what breaks on the Windows side is noticed and repaired.";
      };
      mode = mkOption {
        type = types.enum [
          "timer"
          "service"
        ];
        default = "timer";
        description = "A pass by a timer, or a service that makes one pass after another and is watched by systemd.";
      };
      interval = mkOption {
        type = types.str;
        default = "30s";
        description = "From the end of one pass to the begin of the next.";
      };
      allHosts = mkOption {
        type = types.bool;
        default = cfg.settings ? hosts;
        defaultText = lib.literalExpression "config.services.win-automation.settings ? hosts";
        description = "Whether a pass goes over every host of `settings.hosts`, or over the default one alone.";
      };
    };

    artifacts.gc = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether job folders past `settings.artifacts.retention_days` are removed.";
      };
      onCalendar = mkOption {
        type = types.str;
        default = "daily";
        description = "When, as systemd.time(7) has it.";
      };
    };

    jobs.schedules = mkOption {
      type = types.attrsOf scheduleType;
      default = { };
      example = {
        nightly-reboot = {
          type = "windows.exec";
          onCalendar = "03:00";
          input.command = "shutdown /r /t 0";
        };
      };
      description = "Jobs that a timer enqueues, on either engine.";
    };
  };

  config = mkIf cfg.enable {
    assertions = [
      {
        assertion = !(cfg.hatchet.enable && cfg.secrets.hatchetTokenFile != null);
        message = "services.win-automation: hatchet.enable makes a token of its own; remove secrets.hatchetTokenFile, or hatchet.enable where the server is elsewhere.";
      }
      {
        assertion =
          (cfg.settings.jobs.engine or "auto") != "hatchet" || cfg.hatchet.enable || cfg.secrets.hatchetTokenFile != null;
        message = "services.win-automation: settings.jobs.engine is hatchet, but there is no token: set secrets.hatchetTokenFile or hatchet.enable.";
      }
      {
        assertion = !(cfg.hatchet.enable && (cfg.settings.jobs.engine or "auto") == "local");
        message = "services.win-automation: hatchet.enable runs a server that settings.jobs.engine = \"local\" does not use; remove one of them.";
      }
    ]
    ++ lib.mapAttrsToList (name: { host, ... }: {
      assertion = host == null || host == "default" || (cfg.settings.hosts or { }) ? ${host};
      message = "services.win-automation: jobs.schedules.${name}.host is ${toString host}, which settings.hosts does not have.";
    }) cfg.jobs.schedules;

    environment.systemPackages = [ cfg.package ];

    users.users.${user} = {
      isSystemUser = true;
      group = user;
      home = stateDir;
      description = "win-automation";
    };
    users.groups.${user} = { };

    systemd.services = lib.mkMerge [
      (mkIf cfg.worker.enable {
        win-automation-worker = service {
          description = "win-automation: runs jobs on Windows";
          command = lib.concatStringsSep " " (
            [
              "worker"
              "--concurrency ${toString cfg.worker.concurrency}"
              "--grace ${toString cfg.worker.graceSec}s"
            ]
            ++ lib.optional (cfg.worker.listen != null) "--listen ${cfg.worker.listen}"
            ++ lib.optional cfg.worker.metrics.enable "--metrics --metrics-interval ${cfg.worker.metrics.interval}"
          );
          wantedBy = [ "multi-user.target" ];
          serviceConfig = watched // { TimeoutStopSec = cfg.worker.graceSec + 30; };
        };
      })
      (mkIf (cfg.supervisor.enable && cfg.supervisor.mode == "timer") {
        win-automation-supervisor = oneshot {
          description = "win-automation: one pass over Windows";
          command = "supervisor run --once" + lib.optionalString cfg.supervisor.allHosts " --all-hosts";
        };
      })
      (mkIf (cfg.supervisor.enable && cfg.supervisor.mode == "service") {
        win-automation-supervisor = service {
          description = "win-automation: notices what broke on Windows, and repairs it";
          command =
            "supervisor run --interval ${cfg.supervisor.interval}"
            + lib.optionalString cfg.supervisor.allHosts " --all-hosts";
          wantedBy = [ "multi-user.target" ];
          # A pass may take five minutes, and tells that it is well at its end.
          serviceConfig = watched // { WatchdogSec = 600; };
        };
      })
      (mkIf cfg.artifacts.gc.enable {
        win-automation-artifacts-gc = oneshot {
          description = "win-automation: removes artifacts that are past retention";
          command = "artifacts gc";
        };
      })
      (lib.mapAttrs' (
        name: schedule:
        lib.nameValuePair "win-automation-job-${name}" (oneshot {
          description = "win-automation: enqueues ${name}";
          command =
            "jobs enqueue --type ${schedule.type} --input @${format.generate "${name}.json" schedule.input}"
            + hostFlag schedule.host;
        })
      ) cfg.jobs.schedules)
    ];

    systemd.timers = lib.mkMerge [
      (mkIf (cfg.supervisor.enable && cfg.supervisor.mode == "timer") {
        win-automation-supervisor = {
          description = "win-automation: a pass every ${cfg.supervisor.interval}";
          wantedBy = [ "timers.target" ];
          timerConfig = {
            OnBootSec = "1min";
            OnUnitInactiveSec = cfg.supervisor.interval;
            AccuracySec = "1s";
          };
        };
      })
      (mkIf cfg.artifacts.gc.enable {
        win-automation-artifacts-gc = {
          description = "win-automation: removes artifacts that are past retention";
          wantedBy = [ "timers.target" ];
          timerConfig = {
            OnCalendar = cfg.artifacts.gc.onCalendar;
            Persistent = true;
            RandomizedDelaySec = "10min";
          };
        };
      })
      (lib.mapAttrs' (
        name: schedule:
        lib.nameValuePair "win-automation-job-${name}" {
          description = "win-automation: enqueues ${name}";
          wantedBy = [ "timers.target" ];
          timerConfig = {
            OnCalendar = schedule.onCalendar;
            Persistent = schedule.persistent;
          };
        }
      ) cfg.jobs.schedules)
    ];
  };
}
