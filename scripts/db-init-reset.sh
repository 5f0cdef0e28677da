#!/bin/sh
# Makes a safety backup, deletes ALL DATA of TimeTracker and creates its schema again: `db-init reset`, while the
# application is stopped. Asks for the database's name on a terminal; elsewhere give --yes-delete-all-data NAME or
# TT_FORCE_RESET_DB=true. Works from any folder, on the host and inside the container; options are passed on.
set -eu

# inside the container, the application cannot be stopped
inside=/opt/db-init/entrypoint
if [ -x "$inside" ]; then exec "$inside" reset "$@"; fi

scripts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

. "$scripts/compose-folder.sh"

running=false
if docker compose ps --services --status running | grep -qx app; then running=true; fi

start_again() {
  status=$?
  trap - EXIT
  # also if nothing was reset: db-init checks the database first
  if "$running"; then docker compose up -d app || status=$?; fi
  exit "$status"
}
trap start_again EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if "$running"; then docker compose stop app; fi
docker compose run --rm ${TT_FORCE_RESET_DB:+--env TT_FORCE_RESET_DB} db-init reset "$@"
