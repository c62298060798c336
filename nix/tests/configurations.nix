# Configurations of the module: the first ones are right, the ones below each have one fault.
{
  minimal.services.win-automation.enable = true;

  full.services.win-automation = {
    enable = true;
    settings = {
      windows = {
        ssh_host = "192.168.122.10";
        ssh_port = 22;
        ssh_user = "automation";
      };
      aloha.dir = "C:\\Aloha_Act";
      log_level = "debug";
      artifacts.retention_days = 30;
    };
    secrets = {
      hatchetTokenFile = "/run/secrets/hatchet-token";
      playwrightWsPathFile = "/run/secrets/playwright-ws-path";
      sshIdentityFile = "/run/secrets/ssh-identity";
      sshPasswordFile = "/run/secrets/ssh-password";
    };
    worker = {
      concurrency = 8;
      metrics.enable = true;
      graceSec = 120;
    };
    supervisor.mode = "service";
    artifacts.gc.onCalendar = "weekly";
    jobs.schedules.nightly-check = {
      type = "windows.exec";
      onCalendar = "03:00";
      input.command = "hostname";
      persistent = true;
    };
  };

  severalHosts.services.win-automation = {
    enable = true;
    settings.hosts = {
      alpha.windows.ssh_port = 22556;
      beta.windows.ssh_host = "192.168.122.20";
    };
    jobs.schedules.clean-beta = {
      type = "windows.exec";
      onCalendar = "weekly";
      host = "beta";
      input.command = "cleanmgr /sagerun:1";
    };
  };

  ownVm.services.win-automation = {
    enable = true;
    hatchet.enable = true;
    secrets.sshIdentityFile = "/run/secrets/ssh-identity";
    windowsVm = {
      enable = true;
      version = "2025";
      environmentFile = "/run/secrets/windows.env";
      authorizedKeys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample win-automation" ];
    };
  };

  existingVm.services.win-automation = {
    enable = true;
    windowsVm.unit = "libvirt-guests.service";
  };

  timersOnly.services.win-automation = {
    enable = true;
    worker.enable = false;
    supervisor.interval = "2min";
  };

  twoVms.services.win-automation = {
    enable = true;
    windowsVm = {
      enable = true;
      unit = "libvirt-guests.service";
      environmentFile = "/run/secrets/windows.env";
      authorizedKeys = [ "ssh-ed25519 AAAA" ];
    };
  };

  openVm.services.win-automation = {
    enable = true;
    windowsVm.enable = true;
  };

  twoTokens.services.win-automation = {
    enable = true;
    hatchet.enable = true;
    secrets.hatchetTokenFile = "/run/secrets/hatchet-token";
  };

  noToken.services.win-automation = {
    enable = true;
    settings.jobs.engine = "hatchet";
  };

  unusedServer.services.win-automation = {
    enable = true;
    hatchet.enable = true;
    settings.jobs.engine = "local";
  };

  unknownHost.services.win-automation = {
    enable = true;
    settings.hosts.alpha.windows.ssh_port = 22556;
    jobs.schedules.lost = {
      type = "windows.exec";
      onCalendar = "daily";
      host = "alhpa";
      input.command = "hostname";
    };
  };

  misspelt.services.win-automation = {
    enable = true;
    settings.windows.ssh_prot = 22;
  };

  wrongType.services.win-automation = {
    enable = true;
    worker.concurrency = 0;
  };
}
