# What package-lock.json says must be fetched, and where each package goes. The lock file is the only source: it has a hash
# for every package, so there is no second hash here that could go stale.
{ lib, lockFile }:
let
  inherit (builtins) fromJSON readFile;

  inherit (fromJSON (readFile lockFile)) packages;

  # Tools of the tests that neither the build nor the unit tests need, some of them large.
  unneeded = [
    "@biomejs"
    "@deno"
    "@typescript"
    "deno"
    "knip"
    "playwright-core-old"
    "typescript"
  ];

  # "node_modules/a/node_modules/@b/c" -> "@b/c"
  nameOf = path: lib.last (lib.splitString "node_modules/" path);
  topOf = path: lib.head (lib.splitString "/" (lib.removePrefix "node_modules/" path));

  # What is optional and not made for one kind of machine needs a compiler, or belongs to what was made for another kind.
  fits =
    { os, cpu, libc }:
    package:
    (package ? os || !(package.optional or false))
    && lib.elem os (package.os or [ os ])
    && lib.elem cpu (package.cpu or [ cpu ])
    && lib.elem libc (package.libc or [ libc ]);
in
{
  # A list of { path, name, version, url, hash }, for one kind of machine as npm calls it.
  modulesFor =
    platform:
    lib.pipe packages [
      (lib.filterAttrs (path: package: path != "" && !(lib.elem (topOf path) unneeded) && fits platform package))
      (lib.mapAttrsToList (
        path: package:
        let
          name = package.name or (nameOf path);
          basename = lib.last (lib.splitString "/" name);
        in
        {
          inherit path name;
          inherit (package) version;
          # npm's own rule for the address of a package.
          url = "https://registry.npmjs.org/${name}/-/${basename}-${package.version}.tgz";
          hash = package.integrity;
        }
      ))
    ];
}
