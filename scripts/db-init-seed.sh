#!/bin/sh
# Fills the database with development data: `db-init seed` with the required FLASK_ENV=development. Existing rows stay.
# Works from any folder, on the host and inside the container; options are passed on.
set -eu

inside=/opt/db-init/entrypoint
if [ -x "$inside" ]; then FLASK_ENV=development exec "$inside" seed "$@"; fi

scripts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

. "$scripts/compose-folder.sh"
exec docker compose run --rm --env FLASK_ENV=development db-init seed "$@"
