#!/bin/sh
# Fills the database with development data: `db-init seed`, with FLASK_ENV=development, which it wants. What is there
# stays. Works from any folder, on the host and inside the container; options are handed on.
set -eu

inside=/opt/db-init/entrypoint
if [ -x "$inside" ]; then FLASK_ENV=development exec "$inside" seed "$@"; fi

scripts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

knows_db_init() {
  (cd "$1" && docker compose config --services 2>/dev/null) | grep -qx db-init
}

# the folder that the command is given in, the project's, or that of a compose file which the project lies beside
for folder in "$PWD" "$scripts/.." "$scripts/../.."; do
  if knows_db_init "$folder"; then
    cd "$folder"
    exec docker compose run --rm --env FLASK_ENV=development db-init seed "$@"
  fi
done
# a file that cannot be read, because .env lacks a variable say, is not a missing one
for folder in "$PWD" "$scripts/.." "$scripts/../.."; do
  if ! said=$(cd "$folder" && docker compose config --quiet 2>&1); then
    case $said in
      *'no configuration file'*) ;;
      *)
        printf 'docker compose cannot be used in %s:\n%s\n' "$folder" "$said" >&2
        exit 2
        ;;
    esac
  fi
done
echo "No compose file with a service db-init was found here, nor beside $scripts." >&2
echo "Change to its folder, or name it: COMPOSE_FILE=/path/to/docker-compose.yml $0" >&2
exit 2
