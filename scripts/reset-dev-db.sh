#!/bin/sh
# Deletes ALL DATA of TimeTracker and creates its schema anew, after a safety backup: `db-init reset`, with the
# application stopped meanwhile. Asks for the database's name on a terminal; elsewhere give --yes-delete-all-data NAME or
# TT_FORCE_RESET_DB=true. Works from any folder, on the host and inside the container; options are handed on.
set -eu

# inside the container there is nothing to stop from here
inside=/opt/db-init/entrypoint
if [ -x "$inside" ]; then exec "$inside" reset "$@"; fi

scripts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

knows_db_init() {
  (cd "$1" && docker compose config --services 2>/dev/null) | grep -qx db-init
}

# the folder that the command is given in, the project's, or that of a compose file which the project lies beside
for folder in "$PWD" "$scripts/.." "$scripts/../.."; do
  if knows_db_init "$folder"; then
    cd "$folder"
    break
  fi
done
if ! knows_db_init .; then
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
fi

running=false
if docker compose ps --services --status running | grep -qx app; then running=true; fi

start_again() {
  status=$?
  trap - EXIT
  # whether or not it was reset: db-init looks at the database first
  if "$running"; then docker compose up -d app || status=$?; fi
  exit "$status"
}
trap start_again EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if "$running"; then docker compose stop app; fi
docker compose run --rm ${TT_FORCE_RESET_DB:+--env TT_FORCE_RESET_DB} db-init reset "$@"
