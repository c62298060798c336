{
  description = "Drives a Windows VM from the Linux host beside it";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      forEachSystem = nixpkgs.lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
      ];
      pkgsOf = system: nixpkgs.legacyPackages.${system};
      commit = self.shortRev or self.dirtyShortRev or "unknown";
    in
    {
      overlays.default = final: _prev: {
        win-automation = final.callPackage ./nix/package.nix { inherit commit; };
      };

      packages = forEachSystem (system: {
        default = (pkgsOf system).callPackage ./nix/package.nix { inherit commit; };
      });

      apps = forEachSystem (system: {
        default = {
          type = "app";
          program = nixpkgs.lib.getExe self.packages.${system}.default;
          meta.description = "Drives a Windows VM from the Linux host beside it";
        };
      });

      nixosModules.default =
        { lib, pkgs, ... }:
        {
          imports = [ ./nix/module.nix ];
          services.win-automation.package = lib.mkDefault self.packages.${pkgs.stdenv.hostPlatform.system}.default;
        };

      devShells = forEachSystem (system: {
        default = (pkgsOf system).mkShell {
          packages = with (pkgsOf system); [
            nodejs
            openssh
            chromium
          ];
        };
      });

      checks = forEachSystem (
        system:
        {
          package = self.packages.${system}.default;
        }
        // nixpkgs.lib.optionalAttrs (system == "x86_64-linux") {
          module = (pkgsOf system).testers.runNixOSTest (import ./nix/tests/vm.nix self);
        }
      );

      formatter = forEachSystem (system: (pkgsOf system).nixfmt-tree);
    };
}
