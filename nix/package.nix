{
  lib,
  stdenv,
  fetchurl,
  patchelf,
  commit ? "unknown",
}:
let
  packageJson = lib.importJSON ../package.json;

  cpu = if stdenv.hostPlatform.isAarch64 then "arm64" else "x64";
  lock = import ./lock.nix {
    inherit lib;
    lockFile = ../package-lock.json;
  };
  modules = lock.modulesFor {
    inherit cpu;
    os = "linux";
    libc = "glibc";
  };
  tarballs = lib.concatMapStrings (
    { path, url, hash, ... }: "${path} ${fetchurl { inherit url hash; }}\n"
  ) modules;

  # The pinned Bun of the lock file: what an older one has compiled crashes once Nix has patched it (oven-sh/bun#31023).
  bun = "./node_modules/@oven/bun-linux-${if cpu == "arm64" then "aarch64" else "x64"}/bin/bun";
in
stdenv.mkDerivation {
  pname = "win-automation";
  inherit (packageJson) version;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../src
      ../test
      ../README.md
      ../build.ts
      ../bunfig.toml
      ../package.json
      ../tsconfig.json
      ./build.sh
    ];
  };

  nativeBuildInputs = [ patchelf ];

  passAsFile = [ "modules" ];
  modules = tarballs;

  postPatch = "source nix/build.sh";

  configurePhase = ''
    runHook preConfigure
    unpackModules "$modulesPath"
    useInterpreter "$(cat $NIX_CC/nix-support/dynamic-linker)" ${bun}
    runHook postConfigure
  '';

  buildPhase = ''
    runHook preBuild
    buildExecutable ${bun} ${lib.escapeShellArg commit}
    runHook postBuild
  '';

  doCheck = true;
  checkPhase = ''
    runHook preCheck
    runUnitTests ${bun}
    runHook postCheck
  '';

  installPhase = ''
    runHook preInstall
    installFiles "$out"
    runHook postInstall
  '';

  # The program is appended to the ELF file: stripping would take it away, and patching is done already.
  dontStrip = true;
  dontPatchELF = true;

  meta = {
    inherit (packageJson) description;
    license = lib.licenses.mit;
    mainProgram = "win-automation";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}
