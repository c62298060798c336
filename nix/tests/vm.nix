# A machine with the module, and `win-automation lab` as its Windows: timers fire, a fault is repaired, a job runs, an artifact
# is collected. Run by `nix flake check` where there is KVM.
self: {
  name = "win-automation";

  nodes.machine =
    { config, lib, pkgs, ... }:
    let
      exe = lib.getExe config.services.win-automation.package;
      labDir = "/var/lib/win-automation/lab";
    in
    {
      imports = [ self.nixosModules.default ];

      environment.systemPackages = [ pkgs.jq ];

      services.win-automation = {
        enable = true;
        supervisor.interval = "5s";
        jobs.schedules.hello = {
          type = "windows.exec";
          onCalendar = "*:*:0/10";
          input.command = "hostname";
        };
      };

      # The lab prints the environment that leads to it; the units read that as a file.
      systemd.services = {
        windows-lab = {
          description = "A simulated Windows";
          wantedBy = [ "multi-user.target" ];
          environment = {
            HOME = "/var/lib/win-automation";
            WIN_AUTOMATION_STATE_DIR = labDir;
          };
          serviceConfig = {
            User = "win-automation";
            StateDirectory = "win-automation";
          };
          script = ''
            mkdir -p ${labDir}
            ${exe} lab | ${pkgs.gnused}/bin/sed -u "s/^export //; s/'//g" > ${labDir}/env
          '';
          postStart = "until [ -s ${labDir}/env ]; do sleep 0.2; done";
        };
      }
      // lib.genAttrs
        [
          "win-automation-worker"
          "win-automation-supervisor"
          "win-automation-job-hello"
        ]
        (_: {
          after = [ "windows-lab.service" ];
          requires = [ "windows-lab.service" ];
          serviceConfig.EnvironmentFile = "${labDir}/env";
        });
    };

  testScript = ''
    machine.wait_for_unit("windows-lab.service")
    machine.wait_for_unit("win-automation-worker.service")
    machine.wait_until_succeeds("curl -fs http://127.0.0.1:9464/ready", timeout=60)

    asUser = "runuser -u win-automation -- env HOME=/var/lib/win-automation WIN_AUTOMATION_STATE_DIR=/var/lib/win-automation "

    with subtest("a job of a timer runs, and leaves its artifacts"):
        machine.wait_until_succeeds(asUser + "win-automation jobs list --state completed | grep windows.exec", timeout=120)
        job = machine.succeed(asUser + "win-automation jobs list --state completed --limit 1 --json | jq -r .job_id").strip()
        machine.succeed(asUser + f"win-automation artifacts verify --job {job}")

    with subtest("a fault is repaired by the supervisor's timer"):
        lab = "set -a; . /var/lib/win-automation/lab/env; set +a; WIN_AUTOMATION_STATE_DIR=/var/lib/win-automation/lab "
        machine.succeed(lab + "win-automation lab fault firewall")
        machine.wait_until_succeeds(asUser + "win-automation supervisor status | grep remedy_done", timeout=120)

    with subtest("artifacts past retention are collected"):
        machine.succeed(f"sed -i 's/\"created_at\": \"[^\"]*\"/\"created_at\": \"2020-01-01T00:00:00.000Z\"/' /var/lib/win-automation/artifacts/{job}/manifest.json")
        machine.systemctl("start win-automation-artifacts-gc.service")
        machine.fail(f"test -e /var/lib/win-automation/artifacts/{job}")
  '';
}
