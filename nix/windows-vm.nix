# The Windows VM: one that is there already, or one of our own in a container (dockur/windows).
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.win-automation;
  vm = cfg.windowsVm;

  # dockur/windows copies the folder into Windows and runs install.bat once, at the end of the installation.
  oem =
    pkgs.runCommand "win-automation-oem"
      {
        keys = lib.concatStringsSep "\n" vm.authorizedKeys;
      }
      ''
        mkdir "$out"
        printf '%s\n' "$keys" > key.pub
        HOME="$PWD" ${lib.getExe cfg.package} windows bootstrap --key key.pub > "$out/bootstrap.ps1"
        printf 'powershell -NoProfile -ExecutionPolicy Bypass -File C:\\OEM\\bootstrap.ps1\r\n' > "$out/install.bat"
      '';
in
{
  options.services.win-automation.windowsVm = {
    unit = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "libvirt-guests.service";
      description = "The systemd unit of a VM that is there already: everything starts after it.";
    };

    enable = lib.mkEnableOption "a Windows VM of our own, in a container, that comes up with OpenSSH, our key and the firewall rules";

    image = lib.mkOption {
      type = lib.types.str;
      default = "dockurr/windows:latest";
      description = "The image of dockur/windows. Pin it to a release for a machine that must come up the same again.";
    };

    version = lib.mkOption {
      type = lib.types.str;
      default = "11";
      example = "2025";
      description = "Which Windows, as dockur/windows calls it; it is fetched from Microsoft at the first start.";
    };

    authorizedKeys = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      example = [ "ssh-ed25519 AAAA… win-automation" ];
      description = "The public key that Windows lets in; the private one belongs into secrets.sshIdentityFile.";
    };

    environmentFile = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      example = "/run/secrets/windows.env";
      description = "A file with USERNAME=… and PASSWORD=… of the Windows account: the image's own are known to everybody.";
    };

    storage = lib.mkOption {
      type = lib.types.str;
      default = "/var/lib/windows";
      description = "Where the disk is kept.";
    };

    memory = lib.mkOption {
      type = lib.types.str;
      default = "8G";
      description = "Memory of the VM.";
    };

    cores = lib.mkOption {
      type = lib.types.ints.positive;
      default = 4;
      description = "Processor cores of the VM.";
    };

    diskSize = lib.mkOption {
      type = lib.types.str;
      default = "64G";
      description = "Size of its disk.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = !(vm.enable && vm.unit != null);
        message = "services.win-automation.windowsVm: unit names a VM that is there already, and enable makes one of our own; keep one of them.";
      }
      {
        assertion = vm.enable -> vm.environmentFile != null;
        message = "services.win-automation.windowsVm: set environmentFile, with USERNAME and PASSWORD of the Windows account; the image's own password is known to everybody.";
      }
      {
        assertion = vm.enable -> vm.authorizedKeys != [ ];
        message = "services.win-automation.windowsVm: set authorizedKeys to the public key of secrets.sshIdentityFile; without it nobody gets in.";
      }
    ];

    systemd.tmpfiles.rules = lib.mkIf vm.enable [ "d ${vm.storage} 0700 root root -" ];

    virtualisation.oci-containers.containers = lib.mkIf vm.enable {
      windows = {
        inherit (vm) image;
        environment = {
          VERSION = vm.version;
          RAM_SIZE = vm.memory;
          CPU_CORES = toString vm.cores;
          DISK_SIZE = vm.diskSize;
        };
        environmentFiles = lib.optional (vm.environmentFile != null) vm.environmentFile;
        ports = [
          "127.0.0.1:22555:22"
          "127.0.0.1:7887:7887"
          "127.0.0.1:7888:7888"
          "127.0.0.1:9323:9323"
          "127.0.0.1:8006:8006"
        ];
        volumes = [
          "${vm.storage}:/storage"
          "${oem}:/oem:ro"
        ];
        extraOptions = [
          "--device=/dev/kvm"
          "--device=/dev/net/tun"
          "--cap-add=NET_ADMIN"
          "--stop-timeout=120"
        ];
      };
    };
  };
}
