#!/usr/bin/env bash
# The steps of the package, one function each: package.nix calls them, and so does a test where there is no nixpkgs.
set -euo pipefail

# unpackModules LIST: a line for each package, "PATH TARBALL"; each goes where the lock file has it.
unpackModules() {
  local path tarball
  while read -r path tarball; do
    mkdir -p "$path"
    tar -xzf "$tarball" -C "$path" --strip-components=1 --no-same-owner --warning=no-unknown-keyword
    chmod -R u+w "$path"
  done <"$1"
}

# useInterpreter LOADER BUN: lets Bun, and with it what Bun compiles, run where there is no /lib64.
useInterpreter() {
  chmod +x "$2"
  patchelf --set-interpreter "$1" "$2"
}

# buildExecutable BUN COMMIT: dist/win-automation
buildExecutable() {
  BUILD_COMMIT="$2" "$1" build.ts
}

# runUnitTests BUN: the tests that need neither a network nor a lab.
runUnitTests() {
  HOME="$(mktemp -d)" "$1" test --timeout 60000 test/core test/config test/cli test/artifacts test/hatchet test/supervisor
}

# installFiles OUT: the executable, completions and the manual page. Nothing is stripped: the program is behind the ELF file.
installFiles() {
  local out="$1"
  install -Dm755 dist/win-automation "$out/bin/win-automation"
  local program="$out/bin/win-automation"
  mkdir -p "$out/share/bash-completion/completions" "$out/share/zsh/site-functions" "$out/share/fish/vendor_completions.d" "$out/share/man/man1"
  "$program" completion bash >"$out/share/bash-completion/completions/win-automation"
  "$program" completion zsh >"$out/share/zsh/site-functions/_win-automation"
  "$program" completion fish >"$out/share/fish/vendor_completions.d/win-automation.fish"
  "$program" manual >"$out/share/man/man1/win-automation.1"
}
