# Hatchet-lite and its PostgreSQL in two containers on a network of their own, reachable on loopback alone.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.win-automation;
  inherit (cfg) hatchet;

  dir = "/var/lib/win-automation-hatchet";
  network = "win-automation-hatchet";
  inherit (config.virtualisation.oci-containers) backend;
  cli = lib.getExe config.virtualisation.${backend}.package;

  oneshot = {
    Type = "oneshot";
    RemainAfterExit = true;
    StateDirectory = "win-automation-hatchet";
    StateDirectoryMode = "0700";
    UMask = "0077";
    TimeoutStartSec = "15min";
  };
in
{
  options.services.win-automation.hatchet = {
    enable = lib.mkEnableOption "a Hatchet server on this host, in containers, with secrets and a token made at its first start";

    image = lib.mkOption {
      type = lib.types.str;
      default = "ghcr.io/hatchet-dev/hatchet/hatchet-lite:v0.105.0";
      description = "The server's image: the release that win-automation is tested with. Upgrade it together with the package.";
    };

    postgresImage = lib.mkOption {
      type = lib.types.str;
      default = "postgres:15-alpine";
      description = "PostgreSQL's image. Its major release must stay: a newer one can't read the old one's files.";
    };

    adminEmail = lib.mkOption {
      type = lib.types.str;
      default = "admin@example.com";
      description = "Who signs in to the dashboard; the password is in ${dir}/hatchet.env.";
    };
  };

  config = lib.mkIf (cfg.enable && hatchet.enable) {
    virtualisation.oci-containers.containers = {
      win-automation-hatchet-postgres = {
        image = hatchet.postgresImage;
        cmd = [
          "postgres"
          "-c"
          "max_connections=200"
        ];
        environment = {
          POSTGRES_USER = "hatchet";
          POSTGRES_DB = "hatchet";
        };
        environmentFiles = [ "${dir}/postgres.env" ];
        volumes = [ "win-automation-hatchet-db:/var/lib/postgresql/data" ];
        extraOptions = [
          "--network=${network}"
          "--health-cmd=pg_isready -U hatchet -d hatchet"
        ];
      };
      win-automation-hatchet = {
        inherit (hatchet) image;
        dependsOn = [ "win-automation-hatchet-postgres" ];
        ports = map (port: "127.0.0.1:${port}:${port}") [
          "8888"
          "7077"
          "8733"
        ];
        environment = {
          ADMIN_EMAIL = hatchet.adminEmail;
          SERVER_ALLOW_SIGNUP = "f";
          SERVER_MSGQUEUE_KIND = "postgres";
          SERVER_GRPC_BIND_ADDRESS = "0.0.0.0";
          SERVER_GRPC_INSECURE = "t";
          SERVER_GRPC_PORT = "7077";
          SERVER_GRPC_BROADCAST_ADDRESS = "localhost:7077";
          SERVER_INTERNAL_CLIENT_INTERNAL_GRPC_BROADCAST_ADDRESS = "localhost:7077";
          SERVER_URL = "http://localhost:8888";
          SERVER_AUTH_COOKIE_DOMAIN = "localhost";
          SERVER_AUTH_COOKIE_INSECURE = "t";
          SERVER_AUTH_SET_EMAIL_VERIFIED = "t";
          SERVER_HEALTHCHECK_PORT = "8733";
          LITE_RUNTIME_PORT = "8888";
        };
        environmentFiles = [ "${dir}/hatchet.env" ];
        volumes = [ "win-automation-hatchet-config:/config" ];
        extraOptions = [
          "--network=${network}"
          "--health-cmd=curl -fs http://localhost:8733/ready"
        ];
      };
    };

    systemd.services = {
      win-automation-hatchet-setup = {
        description = "win-automation: the secrets and the network of Hatchet, at its first start";
        before = [
          "${backend}-win-automation-hatchet-postgres.service"
          "${backend}-win-automation-hatchet.service"
        ];
        requiredBy = [
          "${backend}-win-automation-hatchet-postgres.service"
          "${backend}-win-automation-hatchet.service"
        ];
        path = [ pkgs.coreutils ];
        serviceConfig = oneshot;
        script = ''
          cd ${dir}
          secret() { head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
          if [ ! -e hatchet.env ]; then
            password="$(secret)"
            echo "POSTGRES_PASSWORD=$password" > postgres.env
            {
              echo "DATABASE_URL=postgresql://hatchet:$password@win-automation-hatchet-postgres:5432/hatchet?sslmode=disable"
              # Hatchet wants a capital, a small letter and a digit.
              echo "ADMIN_PASSWORD=Aa1$(secret)"
            } > hatchet.env.tmp
            mv hatchet.env.tmp hatchet.env
          fi
          ${cli} network inspect ${network} > /dev/null 2>&1 || ${cli} network create ${network}
        '';
      };

      win-automation-hatchet-token = {
        description = "win-automation: the token that workers show to Hatchet";
        wantedBy = [ "multi-user.target" ];
        requires = [ "${backend}-win-automation-hatchet.service" ];
        after = [ "${backend}-win-automation-hatchet.service" ];
        path = [ pkgs.coreutils ];
        serviceConfig = oneshot;
        script = ''
          cd ${dir}
          [ ! -s token ] || exit 0
          # The server makes its keys and tables first; systemd ends this after its time.
          until ${cli} exec win-automation-hatchet /hatchet-admin token create --config /config \
            --tenant-id 707d0855-80ab-4e1f-a156-f1c4546cbf52 --name win-automation > token.tmp; do
            sleep 5
          done
          tail -n 1 token.tmp | tr -d '\n' > token.new
          rm token.tmp
          mv token.new token
        '';
      };

      # Without a token there is nothing that the worker could do.
      win-automation-worker = lib.mkIf cfg.worker.enable {
        requires = [ "win-automation-hatchet-token.service" ];
      };
    };
  };
}
