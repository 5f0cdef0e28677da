#!/bin/sh
# Of db-init, not the application's script of this name: hands on to db-init-seed.sh. The recovery document names it so.
echo "This is db-init's seed-dev-data.sh: it runs db-init-seed.sh, which is \`db-init seed\`." >&2
exec "$(dirname -- "$0")/../scripts/db-init-seed.sh" "$@"
