#!/bin/sh
# This is db-init's script, not the application's of the same name. The recovery document uses this name. It calls
# db-init-reset.sh.
echo "This is db-init's reset-dev-db.sh: it runs db-init-reset.sh, which is \`db-init reset\`." >&2
exec "$(dirname -- "$0")/db-init-reset.sh" "$@"
