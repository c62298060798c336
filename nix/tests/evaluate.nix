# Evaluates the module with nixpkgs' real lib, where there is no nixpkgs: the options of NixOS that it sets are declared here,
# as loosely as will do. What comes out are the units as text, for systemd-analyze and for a test that runs their commands.
#
#   nix-instantiate --eval --strict --json nix/tests/evaluate.nix --arg lib 'import LIB' --argstr name full --argstr exeDir DIR
{
  lib,
  name,
  exeDir,
}:
let
  package = {
    type = "derivation";
    name = "win-automation";
    outPath = exeDir;
    meta.mainProgram = "win-automation";
  };

  fakePackage = path: mainProgram: {
    type = "derivation";
    name = mainProgram;
    outPath = path;
    meta.mainProgram = mainProgram;
  };

  jsonType =
    with lib.types;
    let
      value = nullOr (oneOf [
        bool
        int
        float
        str
        path
        (attrsOf value)
        (listOf value)
      ]);
    in
    value;

  pkgs = {
    formats.json = _: {
      type = jsonType;
      generate = file: value: builtins.toFile file (builtins.toJSON value);
    };
    # The checks of a build step are run by the test itself.
    runCommand = file: env: _script: env.json or "/built/${file}";
    systemd = "/usr";
    coreutils = "/usr";
  };

  anything = lib.mkOption {
    type = lib.types.attrsOf lib.types.anything;
    default = { };
  };

  nixos =
    { ... }:
    {
      options = {
        assertions = lib.mkOption {
          type = lib.types.listOf lib.types.attrs;
          default = [ ];
        };
        environment.systemPackages = lib.mkOption {
          type = lib.types.listOf lib.types.anything;
          default = [ ];
        };
        users.users = anything;
        users.groups = anything;
        systemd.services = anything;
        systemd.timers = anything;
        systemd.tmpfiles.rules = lib.mkOption {
          type = lib.types.listOf lib.types.str;
          default = [ ];
        };
        virtualisation.oci-containers.backend = lib.mkOption {
          type = lib.types.str;
          default = "podman";
        };
        virtualisation.oci-containers.containers = anything;
        virtualisation.podman.package = lib.mkOption {
          type = lib.types.package;
          default = fakePackage "/usr" "podman";
        };
      };
    };

  inherit
    (lib.evalModules {
      modules = [
        nixos
        ../module.nix
        { services.win-automation.package = package; }
        (import ./configurations.nix).${name}
      ];
      specialArgs = { inherit pkgs; };
    })
    config
    ;

  valueOf = value: if lib.isBool value then lib.boolToString value else toString value;

  # systemd.unit(5): a list is the same key again.
  section =
    title: settings:
    lib.optionalString (settings != { }) (
      "[${title}]\n"
      + lib.concatStrings (
        lib.mapAttrsToList (
          key: value: lib.concatMapStrings (one: "${key}=${valueOf one}\n") (lib.toList value)
        ) settings
      )
      + "\n"
    );

  words = list: lib.concatStringsSep " " list;
  given = lib.filterAttrs (_: value: value != "" && value != [ ]);

  unitSection =
    unit:
    given {
      Description = unit.description or "";
      Documentation = words (unit.documentation or [ ]);
      After = words (unit.after or [ ]);
      Before = words (unit.before or [ ]);
      Wants = words (unit.wants or [ ]);
      Requires = words (unit.requires or [ ]);
    };

  serviceText =
    unitName: unit:
    section "Unit" (unitSection unit)
    + section "Service" (
      (unit.serviceConfig or { })
      // lib.optionalAttrs (unit ? script) {
        ExecStart = "/bin/sh ${builtins.toFile "${unitName}.sh" unit.script}";
      }
      // lib.optionalAttrs (unit ? environment) {
        Environment = lib.mapAttrsToList (variable: value: "${variable}=${value}") unit.environment;
      }
    )
    + section "Install" (given { WantedBy = words (unit.wantedBy or [ ]); });

  timerText =
    _: unit:
    section "Unit" (unitSection unit)
    + section "Timer" unit.timerConfig
    + section "Install" (given { WantedBy = words (unit.wantedBy or [ ]); });

  suffixed = suffix: lib.mapAttrs' (unitName: lib.nameValuePair "${unitName}.${suffix}");
in
{
  failed = map ({ message, ... }: message) (lib.filter ({ assertion, ... }: !assertion) config.assertions);
  units =
    suffixed "service" (lib.mapAttrs serviceText config.systemd.services)
    // suffixed "timer" (lib.mapAttrs timerText config.systemd.timers);
  containers = config.virtualisation.oci-containers.containers;
  tmpfiles = config.systemd.tmpfiles.rules;
}
