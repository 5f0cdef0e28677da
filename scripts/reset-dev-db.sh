#!/bin/sh
# Of db-init, not the application's script of this name: hands on to db-init-reset.sh. The recovery document names it so.
echo "This is db-init's reset-dev-db.sh: it runs db-init-reset.sh, which is \`db-init reset\`." >&2
exec "$(dirname -- "$0")/db-init-reset.sh" "$@"
